//! The events of a treatment order that have taken effect by a day, sorted by what they say. The order in which
//! they come has no meaning.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, Months, NaiveDate};

use super::suspension::Suspensions;
use super::{Event, Fact};

/// What has taken effect by a day.
#[derive(Default)]
pub(super) struct Timeline {
    /// The day.
    pub as_of: NaiveDate,
    /// Credits: sessions that count.
    pub credits: u32,
    /// The day of the last of them.
    pub credited_on: Option<NaiveDate>,
    /// Every late arrival, in order.
    pub lates: Vec<NaiveDate>,
    /// Days on which somebody attended and did not comply.
    pub did_not_comply: BTreeSet<NaiveDate>,
    /// Days of absence outside suspensions, and what was decided about each, the decision that rules last.
    pub absences: BTreeMap<NaiveDate, Vec<Decision>>,
    /// Days on which the provider cancelled.
    pub cancelled: BTreeSet<NaiveDate>,
    /// Days of warnings.
    pub warnings: BTreeSet<NaiveDate>,
    /// When the order was suspended.
    pub suspensions: Suspensions,
    /// Days on which all was resolved and the order continued.
    pub resolved: BTreeSet<NaiveDate>,
    /// Confirmed breaches: the day of the failure, the day of the confirmation.
    pub confirmed: BTreeSet<(NaiveDate, NaiveDate)>,
    /// The order was terminated.
    pub terminated: bool,
}

/// What was decided about an absence. The greatest rules: the latest, of one day the most lenient.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Decision {
    pub on: NaiveDate,
    pub acceptable: bool,
    pub minor: bool,
}

impl Timeline {
    /// The events of an order by a day.
    pub fn of(events: &[Event], as_of: NaiveDate) -> Self {
        let mut it = Self { as_of, ..Self::default() };
        let mut suspended = Vec::new();
        let mut decided: BTreeMap<NaiveDate, Vec<Decision>> = BTreeMap::new();
        for Event { on, fact } in events.iter().filter(|event| event.effective_on() <= as_of) {
            match *fact {
                Fact::Attended | Fact::MadeUp => it.credit(*on),
                Fact::Late => {
                    it.credit(*on);
                    it.lates.push(*on);
                }
                Fact::DidNotComply => _ = it.did_not_comply.insert(*on),
                Fact::Absent => _ = it.absences.entry(*on).or_default(),
                Fact::ProviderCancelled => _ = it.cancelled.insert(*on),
                Fact::Decided { acceptable, serious, decided_on } => {
                    decided.entry(*on).or_default().push(Decision { on: decided_on, acceptable, minor: !serious });
                }
                Fact::Warned => _ = it.warnings.insert(*on),
                Fact::Suspended { until } => suspended.push((*on, until)),
                Fact::Resolved => _ = it.resolved.insert(*on),
                Fact::Terminated => it.terminated = true,
                Fact::Confirmed { failure_on } => _ = it.confirmed.insert((failure_on, *on)),
            }
        }
        it.lates.sort_unstable();
        it.suspensions = Suspensions::new(suspended);
        it.absences.retain(|day, _| !it.suspensions.contain(*day));
        for (day, decisions) in &mut it.absences {
            decisions.extend(decided.remove(day).unwrap_or_default());
            decisions.sort_unstable();
        }
        it
    }

    fn credit(&mut self, on: NaiveDate) {
        self.credits = self.credits.saturating_add(1);
        self.credited_on = self.credited_on.max(Some(on));
    }

    /// The day that ended all that is dated on or before it, what happened on a day included.
    pub fn resolved_after(&self, day: NaiveDate) -> Option<NaiveDate> {
        self.resolved.range(day..).next().copied()
    }

    /// Whether nothing between two days ended what is dated on the first.
    pub fn are_joined(&self, earlier: NaiveDate, later: NaiveDate) -> bool {
        self.resolved.range(earlier..later).next().is_none()
    }
}

/// So many days after a day.
pub(super) fn days_after(day: NaiveDate, count: u64) -> NaiveDate {
    day.checked_add_days(Days::new(count)).unwrap_or(NaiveDate::MAX)
}

/// So many months after a day: the same day of the month, or the last of a month that has none.
pub(super) fn months_after(day: NaiveDate, count: u32) -> NaiveDate {
    day.checked_add_months(Months::new(count)).unwrap_or(NaiveDate::MAX)
}
