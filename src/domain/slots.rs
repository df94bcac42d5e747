//! The search for free times: a pure function of the facts.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::code::{CareService, Modality};
use super::ids::{CounsellorId, VenueId};
use super::rules::{Candidate, CounsellorFacts, Facts, allowed};
use super::session::Place;
use super::time::{Span, next_on_grid};

/// The grid of a search that states none, in minutes.
pub const DEFAULT_STEP: u32 = 15;
/// The grids a search may ask for, in minutes.
pub const STEPS: &[u32] = &[5, 10, 15, 20, 30, 60];

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Search {
    /// What for.
    pub service: CareService,
    /// How long.
    pub length: TimeDelta,
    /// Sessions must start inside.
    pub window: Span,
    /// Grid of the starts within the local hour, in minutes.
    pub step: u32,
    /// Only this modality.
    pub modality: Option<Modality>,
    /// Counsellors to offer before all others.
    pub preferred: BTreeSet<CounsellorId>,
}

/// A free time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Where it stands among the others.
    pub rank: Rank,
    /// Where.
    pub place: Place,
    /// When.
    pub span: Span,
    /// The zone of the place.
    pub zone: Tz,
    /// The client has been seen by this counsellor before.
    pub continuity: bool,
}

/// Place of a slot in the order of an answer: total, and stable while nothing is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rank {
    /// Preferred counsellors come first (`false` before `true`).
    pub stranger: bool,
    /// Then the earliest.
    pub starts_at: DateTime<Utc>,
    /// Then whoever has the fewest sessions.
    pub load: u32,
    /// Then by id.
    pub counsellor_id: CounsellorId,
    /// Remote before any venue.
    pub venue_id: Option<VenueId>,
}

/// The best `most` free times after a rank, in order.
pub fn find(search: &Search, facts: &Facts, after: Option<Rank>, most: usize) -> Vec<Slot> {
    let mut found: Vec<Slot> = facts
        .counsellors
        .iter()
        .flat_map(|(id, counsellor)| places(counsellor, facts).map(move |place| (*id, counsellor, place)))
        .filter(|(_, _, place)| search.modality.is_none_or(|wanted| wanted == place.modality()))
        .flat_map(|(id, counsellor, place)| slots_at(search, facts, id, counsellor, place))
        .filter(|slot| after.is_none_or(|after| slot.rank > after))
        .collect();
    found.sort_unstable_by_key(|slot| slot.rank);
    found.truncate(most);
    found
}

/// Where a counsellor could work, by the facts.
fn places<'f>(counsellor: &'f CounsellorFacts, facts: &'f Facts) -> impl Iterator<Item = Place> + 'f {
    counsellor.working.keys().filter_map(|venue_id| match venue_id {
        None => Some(Place::Remote),
        Some(venue_id) => {
            let site_id = facts.venues.get(venue_id)?.venue.site_id;
            Some(Place::Venue { venue_id: *venue_id, site_id, room_id: None })
        }
    })
}

fn slots_at(search: &Search, facts: &Facts, id: CounsellorId, who: &CounsellorFacts, place: Place) -> Vec<Slot> {
    let Some(zone) = facts.zone_of(id, place) else { return Vec::new() };
    let worked = who.working.get(&place.venue_id()).map_or(&[][..], |spans| spans.joined());
    let starts = worked.iter().flat_map(|span| grid(search, *span, zone));
    starts.filter_map(|span| slot(search, facts, id, who, place, zone, span)).collect()
}

/// The candidate times inside one span of work.
fn grid(search: &Search, worked: Span, zone: Tz) -> impl Iterator<Item = Span> + use<> {
    let (length, step, until) = (search.length, search.step, search.window.ends_at());
    let first = next_on_grid(worked.starts_at().max(search.window.starts_at()), step, zone);
    std::iter::successors(Some(first), move |at| Some(next_on_grid(*at + TimeDelta::microseconds(1), step, zone)))
        .take_while(move |at| *at < until)
        .map_while(move |at| Span::lasting(at, length))
        .take_while(move |span| span.ends_at() <= worked.ends_at())
}

fn slot(
    search: &Search,
    facts: &Facts,
    counsellor_id: CounsellorId,
    who: &CounsellorFacts,
    place: Place,
    zone: Tz,
    span: Span,
) -> Option<Slot> {
    let place = match place {
        Place::Venue { venue_id, site_id, .. } => {
            Place::Venue { venue_id, site_id, room_id: facts.pick_room(venue_id, span) }
        }
        Place::Remote => place,
    };
    let candidate = Candidate { counsellor_id, service: search.service, place, span };
    allowed(candidate, facts).then(|| Slot {
        rank: Rank {
            stranger: !search.preferred.contains(&counsellor_id),
            starts_at: span.starts_at(),
            load: who.load,
            counsellor_id,
            venue_id: place.venue_id(),
        },
        place,
        span,
        zone,
        continuity: facts.client.seen_by.contains(&counsellor_id),
    })
}
