//! When an assessment changes by the passage of time alone.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::suspension::Suspensions;
use super::timeline::{days_after, months_after};
use super::{Event, Fact, Policy, Terms, assess};
use crate::domain::working_days::WorkingDays;

/// The first day after `as_of` on which [`assess`] says something else if nothing more is recorded; none when it
/// never does. What is recorded already for later days takes effect on those.
pub fn next_change(
    terms: &Terms,
    policy: &Policy,
    days: &WorkingDays,
    events: &[Event],
    as_of: NaiveDate,
) -> Option<NaiveDate> {
    let now = assess(terms, policy, days, events, as_of);
    let mut turns: BTreeSet<_> = events.iter().flat_map(|event| turns_of(event, policy, days)).collect();
    turns.insert(gap_on(terms, policy, events, as_of));
    turns.extend(terms.ends_on.map(|day| days_after(day, 1)));
    turns.range(days_after(as_of, 1)..).copied().find(|day| assess(terms, policy, days, events, *day) != now)
}

/// The days on which an event may matter, or cease to.
fn turns_of(Event { on, fact }: &Event, policy: &Policy, days: &WorkingDays) -> Vec<NaiveDate> {
    let overdue = |established_on| days_after(days.plus(established_on, policy.notice_working_days), 1);
    let spent = months_after(*on, policy.breach_window_months);
    match *fact {
        Fact::DidNotComply | Fact::Late => vec![*on, overdue(*on), spent],
        Fact::Absent => {
            let deemed = days_after(days.plus(*on, policy.evidence_working_days), 1);
            let uncounted = days_after(*on, policy.acceptable_window_days.into());
            vec![*on, deemed, overdue(deemed), uncounted, spent]
        }
        Fact::Decided { decided_on, .. } => {
            let established = decided_on.max(*on);
            vec![established, overdue(established)]
        }
        Fact::Warned => vec![*on, spent],
        Fact::Suspended { until } => vec![*on, days_after(until, 1)],
        Fact::Attended
        | Fact::MadeUp
        | Fact::ProviderCancelled
        | Fact::Resolved
        | Fact::Terminated
        | Fact::Confirmed { .. } => vec![*on],
    }
}

/// The day on which there begins to be a gap, unless something is credited before.
fn gap_on(terms: &Terms, policy: &Policy, events: &[Event], as_of: NaiveDate) -> NaiveDate {
    let suspended = events.iter().filter_map(|event| match event.fact {
        Fact::Suspended { until } => Some((event.on, until)),
        _ => None,
    });
    let suspensions = Suspensions::new(suspended.collect());
    let credited = events.iter().filter(|event| event.fact.is_credit() && event.on <= as_of).map(|event| event.on);
    let since = credited.fold(terms.starts_on, Ord::max);
    suspensions.day_after_running(since, policy.gap_days.saturating_add(1))
}
