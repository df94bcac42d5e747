//! The search for free times: a pure function of the facts.

mod merit;
mod start;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

pub use self::merit::Merit;
use self::start::starts;
pub use self::start::{Start, worked};
pub use self::walk::{Tie, Walk};
use super::code::{CareService, Modality, words};
use super::ids::{CounsellorId, VenueId};
use super::party::Party;
use super::place::Place;
use super::rules::{CounsellorFacts, Facts, Occasion, RuleCode, broken};
use super::time::{Span, local_day};

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

/// Every free time, best first; and why there are few.
pub fn find(search: &Search, facts: &Facts) -> Found {
    let mut slots = free(starts(search, facts), search, facts);
    note_lightest(&mut slots);
    let exclusions = if slots.len() < FEW { exclusions(search, facts, &slots) } else { Vec::new() };
    Found { slots, exclusions }
}

/// Those of some times that are free, best first.
pub fn free(starts: impl IntoIterator<Item = Start>, search: &Search, facts: &Facts) -> Vec<Slot> {
    let mut slots: Vec<Slot> = starts.into_iter().filter_map(|start| start.slot(search, facts)).collect();
    slots.sort_unstable_by_key(|slot| slot.rank);
    slots
}

/// Notes who has the fewest sessions among those who suit as well and are free at the same time: of slots in order, all
/// of the times that are among them.
pub fn note_lightest(slots: &mut [Slot]) {
    for same in slots.chunk_by_mut(|one, other| one.rank.time() == other.rank.time()) {
        let lightest = same[0].rank.load;
        let light = same.iter_mut().take_while(|slot| slot.rank.load == lightest);
        light.for_each(|slot| slot.reasons.push(SlotReason::LightestLoad));
    }
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

/// The counsellors who could lead; who is to be there beside another does not.
fn leads<'f>(search: &'f Search, facts: &'f Facts) -> impl Iterator<Item = (&'f CounsellorId, &'f CounsellorFacts)> {
    facts.counsellors.iter().filter(|(id, _)| !search.party.co_facilitators.contains(id))
}
