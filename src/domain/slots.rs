//! The search for free times: a pure function of the facts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::code::{CareService, Modality, words};
use super::ids::{CounsellorId, VenueId};
use super::party::Party;
use super::place::Place;
use super::rules::{Candidate, CounsellorFacts, Facts, Occasion, RuleCode, allowed, broken};
use super::time::{Span, local_day, next_on_grid};

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
    /// Rather this counsellor.
    pub preferred_counsellor_id: Option<CounsellorId>,
    /// With whom.
    pub party: Party,
}

words! {
    /// What speaks for a slot, beside its time.
    SlotReason {
        /// The client has been seen by this counsellor before.
        Continuity = "CONTINUITY",
        /// It is the counsellor asked for.
        PreferredCounsellor = "PREFERRED_COUNSELLOR",
        /// It is the way of meeting that the client prefers.
        PreferredModality = "PREFERRED_MODALITY",
        /// It is the venue that the client prefers.
        PreferredVenue = "PREFERRED_VENUE",
        /// No counsellor who was looked at has fewer sessions in the window.
        LightestLoad = "LIGHTEST_LOAD",
    }
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
    /// What speaks for it.
    pub reasons: Vec<SlotReason>,
}

impl Slot {
    /// The local day on which it starts.
    pub fn day(&self) -> NaiveDate {
        local_day(self.span.starts_at(), self.zone)
    }
}

/// Free times, and why there are not more.
#[derive(Clone, Debug)]
pub struct Found {
    /// Free times, best first.
    pub slots: Vec<Slot>,
    /// When there are few in all: how many counsellors without a free time each rule stood against.
    pub exclusions: Vec<(RuleCode, u32)>,
}

/// Below so many free times it is said why there are not more.
pub const FEW: usize = 5;

/// Place of a slot in the order of an answer: total, and stable while nothing is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rank {
    /// Continuity first: who has seen the client before (`false` before `true`).
    pub stranger: bool,
    /// Then stated preferences: how many are not met.
    pub unmet: u8,
    /// Then the earliest.
    pub starts_at: DateTime<Utc>,
    /// Then whoever has the fewest sessions.
    pub load: u32,
    /// Then by id.
    pub counsellor_id: CounsellorId,
    /// Remote before any venue.
    pub venue_id: Option<VenueId>,
}

/// The best `most` free times after a rank, in order; from the beginning also why there are few.
pub fn find(search: &Search, facts: &Facts, after: Option<Rank>, most: usize) -> Found {
    let lightest = leads(search, facts).map(|(_, it)| it.load).min().unwrap_or_default();
    let mut slots: Vec<Slot> = starts(search, facts).filter_map(|start| start.slot(search, facts, lightest)).collect();
    let exclusions = if after.is_none() && slots.len() < FEW { exclusions(search, facts, &slots) } else { Vec::new() };
    slots.retain(|slot| after.is_none_or(|after| slot.rank > after));
    slots.sort_unstable_by_key(|slot| slot.rank);
    slots.truncate(most);
    Found { slots, exclusions }
}

/// For every rule: how many of the counsellors without a free time it stood against. When rules stand
/// against every time of a counsellor, they alone are the reason; else all are that stand against
/// some. Who does not work at all in the window is outside working hours.
fn exclusions(search: &Search, facts: &Facts, slots: &[Slot]) -> Vec<(RuleCode, u32)> {
    let mut against: BTreeMap<CounsellorId, Vec<BTreeSet<RuleCode>>> =
        leads(search, facts).map(|(id, _)| (*id, Vec::new())).collect();
    against.retain(|id, _| !slots.iter().any(|slot| slot.rank.counsellor_id == *id));
    for start in starts(search, facts) {
        if let Some(times) = against.get_mut(&start.counsellor_id) {
            let rules = broken(start.candidate(search, facts), facts, Occasion::Placing);
            times.push(rules.into_iter().collect());
        }
    }
    let mut counts: BTreeMap<RuleCode, u32> = BTreeMap::new();
    for rule in against.into_values().flat_map(decisive) {
        *counts.entry(rule).or_default() += 1;
    }
    counts.into_iter().collect()
}

/// The rules that explain why none of these times is free.
fn decisive(times: Vec<BTreeSet<RuleCode>>) -> BTreeSet<RuleCode> {
    let always = times.iter().cloned().reduce(|all, next| &all & &next);
    match always {
        None => BTreeSet::from([RuleCode::OutsideWorkingHours]),
        Some(always) if !always.is_empty() => always,
        Some(_) => times.into_iter().flatten().collect(),
    }
}

/// A time at which a counsellor works at a place.
struct Start<'f> {
    counsellor_id: CounsellorId,
    counsellor: &'f CounsellorFacts,
    place: Place,
    zone: Tz,
    span: Span,
}

/// Every time on the grid at which somebody works somewhere.
fn starts<'f>(search: &'f Search, facts: &'f Facts) -> impl Iterator<Item = Start<'f>> {
    let wanted = |place: &Place| search.modality.is_none_or(|wanted| wanted == place.modality());
    leads(search, facts).flat_map(move |(id, counsellor)| {
        let here = places(counsellor, facts).filter(wanted);
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

/// The counsellors who could lead; who is to be there beside another does not.
fn leads<'f>(search: &'f Search, facts: &'f Facts) -> impl Iterator<Item = (&'f CounsellorId, &'f CounsellorFacts)> {
    facts.counsellors.iter().filter(|(id, _)| !search.party.co_facilitators.contains(id))
}

/// Every time on the grid at which one counsellor works at one place.
fn starts_at<'f>(
    search: &'f Search,
    facts: &'f Facts,
    counsellor_id: CounsellorId,
    counsellor: &'f CounsellorFacts,
    place: Place,
) -> impl Iterator<Item = Start<'f>> {
    let worked = counsellor.working.get(&place.venue_id()).map_or(&[][..], |spans| spans.joined());
    let zone = facts.zone_of(counsellor_id, place);
    zone.into_iter().flat_map(move |zone| {
        let spans = worked.iter().flat_map(move |worked| grid(search, *worked, zone));
        spans.map(move |span| Start { counsellor_id, counsellor, place, zone, span })
    })
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

/// The candidate times inside one span of work.
fn grid(search: &Search, worked: Span, zone: Tz) -> impl Iterator<Item = Span> + use<> {
    let (length, step, until) = (search.length, search.step, search.window.ends_at());
    let first = next_on_grid(worked.starts_at().max(search.window.starts_at()), step, zone);
    std::iter::successors(Some(first), move |at| Some(next_on_grid(*at + TimeDelta::microseconds(1), step, zone)))
        .take_while(move |at| *at < until)
        .map_while(move |at| Span::lasting(at, length))
        .take_while(move |span| span.ends_at() <= worked.ends_at())
}

impl Start<'_> {
    fn candidate<'s>(&self, search: &'s Search, facts: &Facts) -> Candidate<'s> {
        let place = match self.place {
            Place::Venue { venue_id, site_id, .. } => {
                Place::Venue { venue_id, site_id, room_id: facts.pick_room(venue_id, self.span, &search.party) }
            }
            Place::Remote => self.place,
        };
        Candidate {
            counsellor_id: self.counsellor_id,
            party: &search.party,
            service: search.service,
            place,
            span: self.span,
        }
    }

    fn slot(&self, search: &Search, facts: &Facts, lightest: u32) -> Option<Slot> {
        let candidate = self.candidate(search, facts);
        if !allowed(candidate, facts) {
            return None;
        }
        // What one client would rather have says nothing of a group.
        let client = search.party.client().and_then(|it| facts.clients.get(&it.client_id));
        let (venue_id, modality) = (self.place.venue_id(), self.place.modality());
        let known = client.is_some_and(|client| client.seen_by.contains(&self.counsellor_id));
        let preferred_modality = client.and_then(|client| client.preferred_modality);
        let preferred_venue_id = client.and_then(|client| client.preferred_venue_id);
        // A wish is met, or not met, or was never stated.
        let wishes = [
            (search.preferred_counsellor_id.map(|id| id == self.counsellor_id), SlotReason::PreferredCounsellor),
            (preferred_modality.map(|wish| wish == modality), SlotReason::PreferredModality),
            (preferred_venue_id.map(|wish| Some(wish) == venue_id), SlotReason::PreferredVenue),
        ];
        let unmet = wishes.iter().filter(|(met, _)| *met == Some(false)).count();
        let met = wishes.iter().filter(|(met, _)| *met == Some(true)).map(|(_, reason)| *reason);
        let light = (self.counsellor.load == lightest).then_some(SlotReason::LightestLoad);
        Some(Slot {
            rank: Rank {
                stranger: !known,
                unmet: u8::try_from(unmet).unwrap_or(u8::MAX),
                starts_at: self.span.starts_at(),
                load: self.counsellor.load,
                counsellor_id: self.counsellor_id,
                venue_id,
            },
            place: candidate.place,
            span: self.span,
            zone: self.zone,
            reasons: known.then_some(SlotReason::Continuity).into_iter().chain(met).chain(light).collect(),
        })
    }
}
