//! Whether an order is complied with, as its provider and as police see it: the timelines of the specification,
//! with the clock moved day by day.

use aftercare::grpc::pb::{ComplianceStatus as Shown, OrderStatus as Status};

use crate::on_both_engines;
use crate::support::TestApp;
use crate::support::treatment::{Treated, attended, late, left_after, no_show, outcome, provider_cancelled};

/// What happens on a day, in the afternoon.
enum Then {
    Attended,
    Late(i64),
    LeftAfter(i64),
    NoShow,
    NotHeld,
    DidNotComply,
    MadeUp,
    Excused(&'static str),
    Unacceptable(&'static str),
    Serious(&'static str),
    Warned,
    Suspended(&'static str, &'static str),
    Confirmed,
    Resolved,
    Terminated,
    /// The provider sees this; with so many credits.
    Is(Status, i32),
    /// Police see this.
    Shown(Shown),
    Pending(usize),
    /// The breach's day and its enforcement's, as police see them.
    Enforce(&'static str, &'static str),
}

use Then::*;

async fn play(app: &TestApp, story: &[(&str, Then)]) {
    let mut it = Treated::new(app).await;
    for (day, then) in story {
        let needs_session =
            matches!(then, Attended | Late(_) | LeftAfter(_) | NoShow | NotHeld | DidNotComply | MadeUp);
        if needs_session {
            it.session(app, day).await;
        }
    }
    for (day, then) in story {
        it.go_to(app, day);
        step(app, &it, day, then).await;
    }
}

async fn step(app: &TestApp, it: &Treated, day: &str, then: &Then) {
    use aftercare::grpc::pb::AttendanceOutcome as Outcome;
    match then {
        Attended => drop(it.record(day, attended()).await.unwrap()),
        Late(by) => drop(it.record(day, late(*by)).await.unwrap()),
        LeftAfter(stayed) => drop(it.record(day, left_after(*stayed)).await.unwrap()),
        NoShow => drop(it.record(day, no_show()).await.unwrap()),
        NotHeld => drop(it.record(day, provider_cancelled()).await.unwrap()),
        MadeUp => drop(it.record(day, outcome(Outcome::MadeUp)).await.unwrap()),
        DidNotComply => {
            let facts = aftercare::grpc::pb::AttendanceFacts {
                concern: aftercare::grpc::pb::ComplianceConcern::DidNotTakePart.into(),
                ..outcome(Outcome::AttendedDidNotComply)
            };
            it.record(day, facts).await.unwrap();
        }
        Excused(of) => it.decide(of, true, false).await.unwrap(),
        Unacceptable(of) => it.decide(of, false, false).await.unwrap(),
        Serious(of) => it.decide(of, false, true).await.unwrap(),
        Warned => drop(it.warn(None).await.unwrap()),
        Suspended(from, until) => drop(it.suspend(from, until).await.unwrap()),
        Confirmed => drop(it.confirm().await.unwrap()),
        Resolved => drop(it.resolve().await.unwrap()),
        Terminated => drop(it.terminate().await.unwrap()),
        Is(status, credits) => {
            let standing = it.standing().await;
            assert_eq!(standing.status(), *status, "{day}: {standing:?}");
            assert_eq!(standing.credited_sessions, *credits, "{day}: {standing:?}");
            assert_eq!(it.seen(app).await.credited_sessions, *credits, "{day}");
        }
        Shown(status) => assert_eq!(it.seen(app).await.status(), *status, "{day}"),
        Pending(count) => assert_eq!(it.standing().await.pending.len(), *count, "{day}"),
        Enforce(breach_on, due_on) => {
            let seen = it.seen(app).await;
            let expected = (Some(crate::support::date(breach_on)), Some(crate::support::date(due_on)));
            assert_eq!((seen.breach_on, seen.enforcement_due_on), expected, "{day}");
        }
    }
}

on_both_engines! {
    async fn nothing_yet(app) {
        play(&app, &[("2026-01-04", Is(Status::NotStarted, 0)), ("2026-01-04", Shown(Shown::NotStarted))]).await;
    }

    async fn two_attended(app) {
        play(&app, &[
            ("2026-01-05", Attended),
            ("2026-01-12", Attended),
            ("2026-01-13", Is(Status::Compliant, 2)),
            ("2026-01-13", Shown(Shown::Compliant)),
        ]).await;
    }

    async fn an_undecided_absence_is_deemed_unacceptable(app) {
        play(&app, &[
            ("2026-01-05", Attended),
            ("2026-01-12", NoShow),
            ("2026-01-19", Attended),
            ("2026-01-20", Is(Status::Compliant, 2)),
            ("2026-01-20", Pending(1)),
            ("2026-01-21", Is(Status::AtRisk, 2)),
            ("2026-01-21", Shown(Shown::AtRisk)),
        ]).await;
    }

    async fn an_excused_absence_has_no_effect(app) {
        play(&app, &[
            ("2026-01-05", Attended),
            ("2026-01-12", NoShow),
            ("2026-01-15", Excused("2026-01-12")),
            ("2026-01-19", Attended),
            ("2026-01-21", Is(Status::Compliant, 2)),
        ]).await;
    }

    async fn a_failure_after_a_warning_is_a_breach(app) {
        play(&app, &[
            ("2026-01-05", Attended),
            ("2026-01-12", NoShow),
            ("2026-01-14", Unacceptable("2026-01-12")),
            ("2026-01-15", Warned),
            ("2026-01-19", Attended),
            ("2026-02-02", Attended),
            ("2026-02-09", NoShow),
            ("2026-02-10", Is(Status::AtRisk, 3)),
            ("2026-02-10", Pending(1)),
            ("2026-02-11", Unacceptable("2026-02-09")),
            ("2026-02-11", Is(Status::Breached, 3)),
            // Nobody is told of a breach before a named person has confirmed it.
            ("2026-02-11", Shown(Shown::UnderReview)),
            ("2026-02-11", Confirmed),
            ("2026-02-11", Shown(Shown::Breached)),
            ("2026-02-11", Enforce("2026-02-11", "2026-02-25")),
        ]).await;
    }

    async fn a_suspension_suspends(app) {
        play(&app, &[
            ("2026-01-05", Attended),
            ("2026-01-12", Attended),
            ("2026-01-19", Attended),
            ("2026-01-30", Suspended("2026-02-01", "2026-02-28")),
            ("2026-02-09", NoShow),
            ("2026-02-15", Is(Status::Suspended, 3)),
            ("2026-02-15", Shown(Shown::Suspended)),
            ("2026-03-01", Is(Status::Compliant, 3)),
        ]).await;
    }

    async fn the_third_time_late_is_a_failure(app) {
        play(&app, &[
            ("2026-01-05", Late(11)),
            ("2026-01-12", Late(20)),
            ("2026-01-12", Is(Status::Compliant, 2)),
            ("2026-01-19", Late(30)),
            ("2026-01-19", Is(Status::AtRisk, 3)),
        ]).await;
    }

    async fn a_warning_is_no_warning_for_what_was_before(app) {
        play(&app, &[
            ("2026-01-05", Attended),
            ("2026-01-12", NoShow),
            ("2026-01-14", NoShow),
            ("2026-01-14", Unacceptable("2026-01-12")),
            ("2026-01-16", Unacceptable("2026-01-14")),
            ("2026-01-16", Warned),
            ("2026-01-17", Is(Status::AtRisk, 1)),
        ]).await;
    }

    async fn grace_and_fractions_are_the_policys(app) {
        play(&app, &[
            ("2026-01-05", Late(10)),
            ("2026-01-06", Late(10)),
            ("2026-01-07", Late(10)),
            ("2026-01-07", Is(Status::Compliant, 3)),
            ("2026-01-08", LeftAfter(45)),
            ("2026-01-08", Is(Status::Compliant, 4)),
            ("2026-01-09", LeftAfter(44)),
            ("2026-01-09", Is(Status::Compliant, 4)),
            ("2026-01-09", Pending(1)),
        ]).await;
    }

    async fn what_the_provider_cancels_never_counts_against_the_person(app) {
        play(&app, &[
            ("2026-01-05", Attended),
            ("2026-01-12", NotHeld),
            ("2026-02-01", Is(Status::Compliant, 1)),
            ("2026-02-20", Is(Status::Compliant, 1)),
            ("2026-02-20", Shown(Shown::Compliant)),
        ]).await;
    }

    async fn a_long_gap_is_at_risk_for_the_provider_alone(app) {
        play(&app, &[
            ("2026-01-05", Attended),
            ("2026-02-02", Is(Status::Compliant, 1)),
            ("2026-02-03", Is(Status::AtRisk, 1)),
            ("2026-02-03", Shown(Shown::Compliant)),
        ]).await;
    }

    async fn a_serious_failure_is_a_breach_until_it_is_resolved(app) {
        play(&app, &[
            ("2026-01-05", Attended),
            ("2026-01-12", NoShow),
            ("2026-01-13", Serious("2026-01-12")),
            ("2026-01-13", Is(Status::Breached, 1)),
            ("2026-01-13", Shown(Shown::UnderReview)),
            ("2026-01-19", MadeUp),
            ("2026-01-19", Is(Status::Breached, 2)),
            ("2026-01-20", Resolved),
            ("2026-01-20", Is(Status::Compliant, 2)),
            ("2026-01-20", Shown(Shown::Compliant)),
        ]).await;
    }

    async fn who_attends_and_does_not_comply_fails(app) {
        play(&app, &[
            ("2026-01-05", Attended),
            ("2026-01-12", DidNotComply),
            ("2026-01-12", Is(Status::AtRisk, 1)),
            ("2026-01-13", Warned),
            ("2026-01-19", DidNotComply),
            ("2026-01-19", Is(Status::Breached, 1)),
            ("2026-01-20", Terminated),
            ("2026-01-20", Is(Status::Terminated, 1)),
            ("2026-01-20", Shown(Shown::Terminated)),
        ]).await;
    }
}
