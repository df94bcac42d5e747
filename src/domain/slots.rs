//! The search for free times: a pure function of the facts.

mod walk;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

pub use self::walk::{Tie, Walk};
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
        /// Of those who suit as well and are free then, nobody has fewer sessions that day.
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
    /// Then whoever has the fewest sessions that day.
    pub load: u32,
    /// Then by id.
    pub counsellor_id: CounsellorId,
    /// Remote before any venue.
    pub venue_id: Option<VenueId>,
}

impl Rank {
    /// What comes before the load.
    pub fn time(&self) -> (Merit, DateTime<Utc>) {
        (Merit { stranger: self.stranger, unmet: self.unmet }, self.starts_at)
    }
}

/// The first parts of a rank: what a counsellor at a place has for a client, whenever it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Merit {
    stranger: bool,
    unmet: u8,
}

/// Every free time, best first; and why there are few.
pub fn find(search: &Search, facts: &Facts) -> Found {
    let slots = free(starts(search, facts), search, facts);
    let exclusions = if slots.len() < FEW { exclusions(search, facts, &slots) } else { Vec::new() };
    Found { slots, exclusions }
}

/// Those of some times that are free, best first.
pub fn free(starts: impl IntoIterator<Item = Start>, search: &Search, facts: &Facts) -> Vec<Slot> {
    let mut slots: Vec<Slot> = starts.into_iter().filter_map(|start| start.slot(search, facts)).collect();
    slots.sort_unstable_by_key(|slot| slot.rank);
    for same in slots.chunk_by_mut(|one, other| one.rank.time() == other.rank.time()) {
        let lightest = same[0].rank.load;
        let light = same.iter_mut().take_while(|slot| slot.rank.load == lightest);
        light.for_each(|slot| slot.reasons.push(SlotReason::LightestLoad));
    }
    slots
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Who.
    pub counsellor_id: CounsellorId,
    /// Where; the room is chosen when it is known what is taken.
    pub place: Place,
    /// When.
    pub span: Span,
    zone: Tz,
}

/// Every time on the grid at which somebody works somewhere.
fn starts<'f>(search: &'f Search, facts: &'f Facts) -> impl Iterator<Item = Start> + use<'f> {
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
) -> impl Iterator<Item = Start> + use<'f> {
    let zone = facts.zone_of(counsellor_id, place);
    zone.into_iter().flat_map(move |zone| {
        let spans = worked_at(counsellor, place).iter();
        let spans = spans.flat_map(move |worked| grid(search, *worked, search.window.starts_at(), zone));
        spans.map(move |span| Start { counsellor_id, place, span, zone })
    })
}

/// When a counsellor works at a place.
fn worked_at(counsellor: &CounsellorFacts, place: Place) -> &[Span] {
    counsellor.working.get(&place.venue_id()).map_or(&[], |spans| spans.joined())
}

/// Where a counsellor could work in the way that is wanted, by the facts.
fn places<'f>(
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
fn grid(search: &Search, worked: Span, from: DateTime<Utc>, zone: Tz) -> impl Iterator<Item = Span> + use<> {
    let (length, step, until) = (search.length, search.step, search.window.ends_at());
    let first = next_on_grid(worked.starts_at().max(from), step, zone);
    std::iter::successors(Some(first), move |at| Some(next_on_grid(*at + TimeDelta::microseconds(1), step, zone)))
        .take_while(move |at| *at < until)
        .map_while(move |at| Span::lasting(at, length))
        .take_while(move |span| span.ends_at() <= worked.ends_at())
}

/// What a counsellor at a place has for the client, and what speaks for it.
fn merit(search: &Search, facts: &Facts, counsellor_id: CounsellorId, place: Place) -> (Merit, Vec<SlotReason>) {
    // What one client would rather have says nothing of a group.
    let client = search.party.client().and_then(|it| facts.clients.get(&it.client_id));
    let known = client.is_some_and(|client| client.seen_by.contains(&counsellor_id));
    let preferred_modality = client.and_then(|client| client.preferred_modality);
    let preferred_venue_id = client.and_then(|client| client.preferred_venue_id);
    // A wish is met, or not met, or was never stated.
    let wishes = [
        (search.preferred_counsellor_id.map(|id| id == counsellor_id), SlotReason::PreferredCounsellor),
        (preferred_modality.map(|wish| wish == place.modality()), SlotReason::PreferredModality),
        (preferred_venue_id.map(|wish| Some(wish) == place.venue_id()), SlotReason::PreferredVenue),
    ];
    let unmet = wishes.iter().filter(|(met, _)| *met == Some(false)).count();
    let met = wishes.iter().filter(|(met, _)| *met == Some(true)).map(|(_, reason)| *reason);
    let reasons = known.then_some(SlotReason::Continuity).into_iter().chain(met).collect();
    (Merit { stranger: !known, unmet: u8::try_from(unmet).unwrap_or(u8::MAX) }, reasons)
}

impl Start {
    fn candidate<'s>(&self, search: &'s Search, facts: &Facts) -> Candidate<'s> {
        let place = match self.place {
            Place::Venue { venue_id, site_id, .. } => {
                Place::Venue { venue_id, site_id, room_id: facts.pick_room(venue_id, self.span, &search.party) }
            }
            Place::Remote => self.place,
        };
        Candidate { place, ..self.anywhere(search) }
    }

    /// The candidate before a room is chosen.
    fn anywhere<'s>(&self, search: &'s Search) -> Candidate<'s> {
        Candidate {
            counsellor_id: self.counsellor_id,
            party: &search.party,
            service: search.service,
            place: self.place,
            span: self.span,
        }
    }

    fn slot(&self, search: &Search, facts: &Facts) -> Option<Slot> {
        let candidate = self.candidate(search, facts);
        if !allowed(candidate, facts) {
            return None;
        }
        let (Merit { stranger, unmet }, reasons) = merit(search, facts, self.counsellor_id, self.place);
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
