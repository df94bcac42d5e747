//! Some of the rules once more, told day by day and without any thought of speed.

use super::super::*;
use chrono::Months;

fn count(events: &[Event], on: NaiveDate, fact: Fact) -> usize {
    events.iter().filter(|it| it.on == on && it.fact == fact).count()
}

fn days(from: NaiveDate, until: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    from.iter_days().take_while(move |day| *day <= until)
}

fn is_suspended(events: &[Event], day: NaiveDate) -> bool {
    events.iter().any(|it| matches!(it.fact, Fact::Suspended { until } if it.on <= day && day <= until))
}

/// How many days the gap has that is open at the end of a day, and whether the provider cancelled in it.
pub fn gap(terms: &Terms, events: &[Event], as_of: NaiveDate) -> (u32, bool) {
    let (mut length, mut by_provider) = (0, false);
    for day in days(terms.starts_on, as_of).skip(1) {
        length += u32::from(!is_suspended(events, day));
        by_provider |= count(events, day, Fact::ProviderCancelled) > 0;
        if count(events, day, Fact::Attended) + count(events, day, Fact::Late) + count(events, day, Fact::MadeUp) > 0 {
            (length, by_provider) = (0, false);
        }
    }
    (length, by_provider)
}

/// The days on which late arrivals make a failure.
pub fn third_lates(first: NaiveDate, policy: &Policy, events: &[Event], as_of: NaiveDate) -> Vec<NaiveDate> {
    let mut failures = Vec::new();
    // When each that counts ceases to.
    let mut ends: Vec<NaiveDate> = Vec::new();
    for day in days(first, as_of) {
        ends.retain(|end| *end > day);
        for _ in 0..count(events, day, Fact::Late) {
            ends.push(day + Months::new(policy.lates_window_months));
            if ends.len() == policy.lates_per_failure as usize {
                ends = Vec::new();
                failures.push(day);
            }
        }
        if count(events, day, Fact::Resolved) > 0 {
            ends = Vec::new();
        }
    }
    failures.dedup();
    failures
}

/// The excused absences that count on a day.
pub fn excused(policy: &Policy, events: &[Event], as_of: NaiveDate) -> Vec<NaiveDate> {
    let first = as_of - chrono::Days::new(u64::from(policy.acceptable_window_days) - 1);
    days(first, as_of)
        .filter(|day| count(events, *day, Fact::Absent) > 0 && !is_suspended(events, *day))
        .filter(|day| is_excused(events, *day, as_of))
        .collect()
}

/// The last day on or before one with a decision says it: any that excuses, excuses.
fn is_excused(events: &[Event], absence: NaiveDate, as_of: NaiveDate) -> bool {
    let on = |day: NaiveDate| {
        events.iter().filter(move |it| it.on == absence).filter_map(move |it| match it.fact {
            Fact::Decided { acceptable, decided_on, .. } if decided_on == day => Some(acceptable),
            _ => None,
        })
    };
    let mut day = as_of;
    while day > as_of - chrono::Days::new(2000) {
        if on(day).next().is_some() {
            return on(day).any(|acceptable| acceptable);
        }
        day = day.pred_opt().unwrap();
    }
    false
}

/// The breaches among failures without a warning on their own day.
pub fn is_breach(policy: &Policy, events: &[Event], failure: &Failure) -> bool {
    let mut ends: Option<NaiveDate> = None;
    let first = events.iter().map(|it| it.on).min().unwrap_or(failure.on);
    for day in days(first, failure.on.pred_opt().unwrap()) {
        if count(events, day, Fact::Warned) > 0 {
            ends = Some(day + Months::new(policy.breach_window_months));
        }
        if count(events, day, Fact::Resolved) > 0 {
            ends = None;
        }
    }
    failure.serious || ends.is_some_and(|end| failure.on < end)
}
