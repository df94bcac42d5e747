//! Suspensions of a treatment order, and the gaps between credits, of which suspended days are no part.

use chrono::NaiveDate;

use super::timeline::days_after;

/// The days on which an order was suspended.
#[derive(Default)]
pub(super) struct Suspensions {
    /// First and last day of each stretch, in order, none touching another.
    stretches: Vec<(NaiveDate, NaiveDate)>,
}

impl Suspensions {
    /// Joins suspensions, each from its first day to its last.
    pub fn new(mut all: Vec<(NaiveDate, NaiveDate)>) -> Self {
        all.retain(|(first, last)| first <= last);
        all.sort_unstable();
        let mut stretches: Vec<(NaiveDate, NaiveDate)> = Vec::new();
        for (first, last) in all {
            match stretches.last_mut() {
                Some(before) if first <= days_after(before.1, 1) => before.1 = before.1.max(last),
                _ => stretches.push((first, last)),
            }
        }
        Self { stretches }
    }

    /// Whether a day is suspended.
    pub fn contain(&self, day: NaiveDate) -> bool {
        self.stretches.iter().any(|(first, last)| (*first..=*last).contains(&day))
    }

    /// How many days after one until another, included, are not suspended.
    pub fn running_days(&self, after: NaiveDate, until: NaiveDate) -> i64 {
        let suspended = |(first, last): &(NaiveDate, NaiveDate)| {
            ((*last).min(until) - (*first).max(days_after(after, 1))).num_days() + 1
        };
        (until - after).num_days() - self.stretches.iter().map(|it| suspended(it).max(0)).sum::<i64>()
    }

    /// The first day on which so many have run since a day: when [`Suspensions::running_days`] comes to them.
    pub fn day_after_running(&self, after: NaiveDate, count: u32) -> NaiveDate {
        let begins = days_after(after, 1);
        let mut day = days_after(after, count.into());
        for (first, last) in self.stretches.iter().filter(|(_, last)| *last >= begins) {
            let first = (*first).max(begins);
            if first > day {
                break;
            }
            day = days_after(day, u64::try_from((*last - first).num_days() + 1).unwrap_or_default());
        }
        day
    }
}
