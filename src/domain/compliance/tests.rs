//! Timelines: those of the specification, and what happens at the edges.

mod edges;
mod history;
mod oracle;
mod properties;

use self::history::*;
use super::*;

/// What an assessment says in short: status, credits, absences that are pending.
fn short(it: &Assessment) -> String {
    let pending = if it.pending.is_empty() { String::new() } else { format!(" ({} pending)", it.pending.len()) };
    format!("{} {}/{}{pending}", it.status, it.credits, it.required)
}

fn is(events: &[Event], expected: &[(&str, &str)]) {
    for (as_of, says) in expected {
        let it = on(events, as_of);
        assert_eq!(short(&it), *says, "{as_of}: {it:?}");
    }
}

#[test]
fn nothing_has_happened() {
    is(&[], &[("01-04", "NOT_STARTED 0/12")]);
}

#[test]
fn attendance_is_credited() {
    is(&[attended("01-05"), attended("01-12")], &[("01-13", "COMPLIANT 2/12"), ("01-11", "COMPLIANT 1/12")]);
}

#[test]
fn an_undecided_absence_is_deemed_unacceptable_when_its_time_is_over() {
    let events = [attended("01-05"), attended("01-19"), absent("01-12")];
    is(&events, &[("01-20", "COMPLIANT 2/12 (1 pending)"), ("01-21", "AT_RISK 2/12")]);
    let failure = on(&events, "01-21").failures[0];
    assert!(failure.deemed && failure.live && !failure.breach);
    assert_eq!((failure.on, failure.established_on), (day("01-12"), day("01-21")));
}

#[test]
fn an_excused_absence_is_no_failure() {
    let events = [attended("01-05"), attended("01-19"), absent("01-12"), excused("01-12", "01-15")];
    is(&events, &[("01-14", "COMPLIANT 1/12 (1 pending)"), ("01-21", "COMPLIANT 2/12")]);
    assert_eq!(on(&events, "01-21").excused, [day("01-12")]);
}

#[test]
fn a_failure_after_a_warning_is_a_breach() {
    let events = [
        attended("01-05"),
        attended("01-19"),
        attended("02-02"),
        absent("01-12"),
        unacceptable("01-12", "01-14"),
        warned("01-15"),
        absent("02-09"),
        unacceptable("02-09", "02-11"),
    ];
    is(&events, &[("02-10", "AT_RISK 3/12 (1 pending)"), ("02-11", "BREACHED 3/12")]);
    let breach = on(&events, "02-11").breach.unwrap();
    assert_eq!((breach.failure_on, breach.breach_on), (day("02-09"), day("02-11")));
    assert_eq!(breach.enforcement_due_on, day("02-25"));
    assert_eq!(on(&events, "02-11").failures[0].warned_on, Some(day("01-15")));
}

#[test]
fn an_absence_in_a_suspension_is_none() {
    let events =
        [attended("01-05"), attended("01-12"), attended("01-19"), suspended("02-01", "02-28"), absent("02-09")];
    is(&events, &[("02-15", "SUSPENDED 3/12"), ("03-01", "COMPLIANT 3/12")]);
}

#[test]
fn the_third_late_arrival_is_a_failure() {
    let events = [late("01-05"), late("01-12"), late("01-19")];
    is(&events, &[("01-12", "COMPLIANT 2/12"), ("01-19", "AT_RISK 3/12")]);
    let failure = on(&events, "01-19").failures[0];
    assert_eq!(
        (failure.kind, failure.on, failure.established_on),
        (FailureKind::ThirdLate, day("01-19"), day("01-19"))
    );
}

#[test]
fn failures_before_the_first_warning_share_it() {
    let events = [
        attended("01-05"),
        absent("01-12"),
        unacceptable("01-12", "01-14"),
        absent("01-14"),
        unacceptable("01-14", "01-16"),
        warned("01-16"),
    ];
    is(&events, &[("01-17", "AT_RISK 1/12")]);
    let failures = on(&events, "01-17").failures;
    assert!(failures.iter().all(|it| it.warned_on == Some(day("01-16")) && !it.breach));
}

#[test]
fn the_policy_is_that_of_the_document_and_survives_storage() {
    let policy = Policy::default();
    assert_eq!(policy.check(), Ok(()));
    let stored = serde_json::to_string(&policy).unwrap();
    assert!(stored.contains(r#""police_at_risk_reasons":["FAILURE"]"#), "{stored}");
    assert_eq!(serde_json::from_str::<Policy>(&stored).unwrap(), policy);
}

#[test]
fn every_parameter_outside_its_bounds_is_named() {
    let policy = Policy {
        notice_working_days: 0,
        partial_min_percent: 101,
        police_at_risk_reasons: vec![AtRisk::Gap, AtRisk::Gap],
        ..Policy::default()
    };
    let faults = policy.check().unwrap_err();
    let names: Vec<_> = faults.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["notice_working_days", "partial_min_percent", "police_at_risk_reasons"]);
    assert_eq!(faults[1].1.to_string(), "must be from 1 to 100");
}

#[test]
fn police_see_a_breach_when_a_person_confirmed_it() {
    let mut events = vec![attended("01-05"), absent("01-12"), serious("01-12", "01-14")];
    let under_review = police(&events, "01-15");
    assert_eq!(under_review.status, Shown::UnderReview);
    assert_eq!((under_review.breach_on, under_review.enforcement_due_on), (None, None));
    let unasked = Policy { breach_needs_confirmation: false, ..Policy::default() };
    assert_eq!(shown(&on(&events, "01-15"), &unasked).status, Shown::Breached);
    events.push(confirmed("01-12", "01-16"));
    assert_eq!(police(&events, "01-15").status, Shown::UnderReview);
    let breached = police(&events, "01-16");
    assert_eq!((breached.status, breached.credits, breached.required), (Shown::Breached, 1, 12));
    assert_eq!((breached.breach_on, breached.enforcement_due_on), (Some(day("01-14")), Some(day("01-29"))));
    events.push(ended("01-17"));
    let terminated = police(&events, "01-17");
    assert_eq!((terminated.status, terminated.breach_on), (Shown::Terminated, None));
}

#[test]
fn police_see_an_order_at_risk_for_their_reasons_alone() {
    // A gap is none of them, a failure is.
    assert_eq!(police(&[], "03-01").status, Shown::NotStarted);
    assert_eq!(police(&[attended("01-05")], "03-01").status, Shown::Compliant);
    assert_eq!(police(&[attended("01-05"), did_not_comply("01-12")], "01-13").status, Shown::AtRisk);
    assert_eq!(police(&[attended("01-05"), suspended("01-06", "01-09")], "01-09").status, Shown::Suspended);
    let policy = Policy { police_at_risk_reasons: vec![AtRisk::Gap], ..Policy::default() };
    assert_eq!(shown(&on(&[attended("01-05")], "03-01"), &policy).status, Shown::AtRisk);
    assert_eq!(shown(&on(&[did_not_comply("01-12")], "01-13"), &policy).status, Shown::NotStarted);
    let stored = serde_json::to_value(police(&[], "01-04")).unwrap();
    assert_eq!(stored["status"], "NOT_STARTED");
}
