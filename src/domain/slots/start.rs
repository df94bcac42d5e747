//! The times at which somebody works somewhere, on the grid of a search.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::merit::{Merit, merit, reasons};
use super::{Rank, Search, Slot, leads};
use crate::domain::ids::CounsellorId;
use crate::domain::place::Place;
use crate::domain::rules::{Candidate, CounsellorFacts, Facts, allowed};
use crate::domain::time::{Span, next_on_grid};

/// A time at which a counsellor works at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Who.
    pub counsellor_id: CounsellorId,
    /// Where; the room is chosen when it is known what is taken.
    pub place: Place,
    /// When.
    pub span: Span,
    pub(super) zone: Tz,
}

/// Every time on the grid at which somebody works somewhere.
pub(super) fn starts<'f>(search: &'f Search, facts: &'f Facts) -> impl Iterator<Item = Start> + use<'f> {
    leads(search, facts).flat_map(move |(id, counsellor)| {
        let here = places(search, counsellor, facts);
        here.flat_map(move |place| starts_at(search, facts, *id, counsellor, place))
    })
}

/// Every time on the grid at which a counsellor works, whatever stands against it.
pub fn worked<'f>(
    search: &'f Search,
    facts: &'f Facts,
    counsellor_id: CounsellorId,
) -> impl Iterator<Item = Span> + use<'f> {
    starts(search, facts).filter(move |start| start.counsellor_id == counsellor_id).map(|start| start.span)
}

/// Every time on the grid at which one counsellor works at one place.
fn starts_at<'f>(
    search: &'f Search,
    facts: &'f Facts,
    counsellor_id: CounsellorId,
    counsellor: &'f CounsellorFacts,
    place: Place,
) -> impl Iterator<Item = Start> + use<'f> {
    let zone = facts.zone_of(counsellor_id, place);
    zone.into_iter().flat_map(move |zone| {
        let spans = worked_at(counsellor, place).iter();
        let spans = spans.flat_map(move |worked| grid(search, *worked, search.window.starts_at(), zone));
        spans.map(move |span| Start { counsellor_id, place, span, zone })
    })
}

/// When a counsellor works at a place.
pub(super) fn worked_at(counsellor: &CounsellorFacts, place: Place) -> &[Span] {
    counsellor.working.get(&place.venue_id()).map_or(&[], |spans| spans.joined())
}

/// Where a counsellor could work in the way that is wanted, by the facts.
pub(super) fn places<'f>(
    search: &'f Search,
    counsellor: &'f CounsellorFacts,
    facts: &'f Facts,
) -> impl Iterator<Item = Place> + use<'f> {
    let all = counsellor.working.keys().filter_map(|venue_id| match venue_id {
        None => Some(Place::Remote),
        Some(venue_id) => {
            let site_id = facts.venues.get(venue_id)?.venue.site_id;
            Some(Place::Venue { venue_id: *venue_id, site_id, room_id: None })
        }
    });
    all.filter(|place| search.modality.is_none_or(|wanted| wanted == place.modality()))
}

/// The candidate times inside one span of work, from some time on.
pub(super) fn grid(search: &Search, worked: Span, from: DateTime<Utc>, zone: Tz) -> impl Iterator<Item = Span> + use<> {
    let (length, step, until) = (search.length, search.step, search.window.ends_at());
    let first = next_on_grid(worked.starts_at().max(from), step, zone);
    std::iter::successors(Some(first), move |at| Some(next_on_grid(*at + TimeDelta::microseconds(1), step, zone)))
        .take_while(move |at| *at < until)
        .map_while(move |at| Span::lasting(at, length))
        .take_while(move |span| span.ends_at() <= worked.ends_at())
}

impl Start {
    pub(super) fn candidate<'s>(&self, search: &'s Search, facts: &Facts) -> Candidate<'s> {
        let place = match self.place {
            Place::Venue { venue_id, site_id, .. } => {
                Place::Venue { venue_id, site_id, room_id: facts.pick_room(venue_id, self.span, &search.party) }
            }
            Place::Remote => self.place,
        };
        Candidate { place, ..self.anywhere(search) }
    }

    /// The candidate before a room is chosen.
    pub(super) fn anywhere<'s>(&self, search: &'s Search) -> Candidate<'s> {
        Candidate {
            counsellor_id: self.counsellor_id,
            party: &search.party,
            service: search.service,
            place: self.place,
            span: self.span,
        }
    }

    pub(super) fn slot(&self, search: &Search, facts: &Facts) -> Option<Slot> {
        let candidate = self.candidate(search, facts);
        if !allowed(candidate, facts) {
            return None;
        }
        let Merit { stranger, unmet } = merit(search, facts, self.counsellor_id, self.place);
        let reasons = reasons(search, facts, self.counsellor_id, self.place);
        let starts_at = self.span.starts_at();
        let rank = Rank {
            stranger,
            unmet,
            starts_at,
            load: facts.counsellors.get(&self.counsellor_id)?.load_on(starts_at),
            counsellor_id: self.counsellor_id,
            venue_id: self.place.venue_id(),
        };
        Some(Slot { rank, place: candidate.place, span: self.span, zone: self.zone, reasons })
    }
}
