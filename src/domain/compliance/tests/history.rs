//! The words in which timelines are told: one order, and what happened under it. A day without a year is in 2026.

use super::super::*;

pub fn day(text: &str) -> NaiveDate {
    let year = if text.len() == 5 { "2026-" } else { "" };
    format!("{year}{text}").parse().unwrap()
}

fn event(on: &str, fact: Fact) -> Event {
    Event { on: day(on), fact }
}

pub fn attended(on: &str) -> Event {
    event(on, Fact::Attended)
}

pub fn late(on: &str) -> Event {
    event(on, Fact::Late)
}

pub fn made_up(on: &str) -> Event {
    event(on, Fact::MadeUp)
}

pub fn absent(on: &str) -> Event {
    event(on, Fact::Absent)
}

pub fn did_not_comply(on: &str) -> Event {
    event(on, Fact::DidNotComply)
}

pub fn provider_cancelled(on: &str) -> Event {
    event(on, Fact::ProviderCancelled)
}

fn decided(on: &str, decided_on: &str, acceptable: bool, serious: bool) -> Event {
    event(on, Fact::Decided { acceptable, serious, decided_on: day(decided_on) })
}

pub fn excused(on: &str, decided_on: &str) -> Event {
    decided(on, decided_on, true, false)
}

pub fn unacceptable(on: &str, decided_on: &str) -> Event {
    decided(on, decided_on, false, false)
}

pub fn serious(on: &str, decided_on: &str) -> Event {
    decided(on, decided_on, false, true)
}

pub fn warned(on: &str) -> Event {
    event(on, Fact::Warned)
}

pub fn suspended(on: &str, until: &str) -> Event {
    event(on, Fact::Suspended { until: day(until) })
}

pub fn resolved(on: &str) -> Event {
    event(on, Fact::Resolved)
}

pub fn ended(on: &str) -> Event {
    event(on, Fact::Terminated)
}

pub fn confirmed(failure_on: &str, on: &str) -> Event {
    event(on, Fact::Confirmed { failure_on: day(failure_on) })
}

pub fn terms() -> Terms {
    Terms { starts_on: day("01-05"), ends_on: None, required: 12 }
}

pub fn working_days() -> WorkingDays {
    WorkingDays::new([day("01-26")])
}

/// The assessment of an order of twelve sessions from 5 January 2026 on under the default policy.
pub fn on(events: &[Event], as_of: &str) -> Assessment {
    assess(&terms(), &Policy::default(), &working_days(), events, day(as_of))
}

pub fn police(events: &[Event], as_of: &str) -> PoliceStatus {
    shown(&on(events, as_of), &Policy::default())
}
