use std::collections::BTreeMap;

use CaseEventKind as Kind;

use super::super::milestone::{Setting, Status};
use super::super::template::{POCSO, TEMPLATES};
use super::*;
use crate::domain::ids::{MilestoneId, OrganisationId, PlanId};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

const ZONE: Tz = chrono_tz::Asia::Kolkata;

fn happened(kind: Kind, when: &str) -> Happened {
    let at = at(when);
    Happened { kind, at, on: at.with_timezone(&ZONE).date_naive(), time_known: true }
}

/// A case since new year's day of 2026, seen on a day.
fn facts(today: &str, events: &[(Kind, &str)]) -> CaseFacts {
    let mut events: Vec<Happened> = events.iter().map(|(kind, when)| happened(*kind, when)).collect();
    events.sort_by_key(|it| it.at);
    CaseFacts { zone: ZONE, intake_on: day("2026-01-01"), today: day(today), events }
}

fn blank(code: &str, number: u32) -> Milestone {
    let id = uuid::Uuid::nil();
    Milestone {
        id: MilestoneId(id),
        version: 1,
        plan_id: PlanId(id),
        organisation_id: OrganisationId(id),
        counsellor_id: None,
        code: code.into(),
        number,
        standing: Standing::Awaited,
        excused: false,
        days: Days::default(),
        done_on: None,
        done_at: None,
        asked: Vec::new(),
        session_id: None,
        setting: Setting {
            client: None,
            case_id: None,
            zone: ZONE,
            template: POCSO.into(),
            template_version: 1,
            closed_at: None,
            needs_attention: false,
        },
    }
}

fn step(code: &str) -> &'static Step {
    TEMPLATES.newest(POCSO).unwrap().step(code).unwrap()
}

fn staged(facts: &CaseFacts, code: &str) -> Vec<Milestone> {
    let step = step(code);
    facts.staged(step, (1..=facts.count(step)).map(|number| blank(code, number)).collect())
}

fn one(facts: &CaseFacts, code: &str) -> Milestone {
    staged(facts, code).remove(0)
}

fn status(facts: &CaseFacts, code: &str, now: &str) -> Status {
    one(facts, code).status(at(now))
}

const NEW_YEAR: &str = "2026-01-01T10:00:00Z";

#[test]
fn before_anything_is_recorded_only_the_support_person_is_awaited() {
    let it = facts("2026-01-02", &[]);
    for step in TEMPLATES.newest(POCSO).unwrap().steps {
        let expected = if step.code == "SUPPORT_PERSON" { Status::Open } else { Status::NotDue };
        assert_eq!(status(&it, step.code, "2026-01-02T10:00:00Z"), expected, "{}", step.code);
    }
}

#[test]
fn every_clock_starts_with_its_event_and_ends_by_its_limit() {
    for (code, starts, due, done_by) in [
        ("CARE_PROTECTION", Kind::Report, "2026-01-02T10:00:00Z", Kind::CareArranged),
        ("CWC_COURT_REPORT", Kind::Report, "2026-01-02T10:00:00Z", Kind::CwcCourtTold),
        ("MED_EXAM", Kind::Information, "2026-01-02T10:00:00Z", Kind::MedicalExamination),
        ("AGE_TEST", Kind::AgeTestOrdered, "2026-01-16", Kind::AgeTestDone),
        ("CHILD_EVIDENCE", Kind::Cognizance, "2026-01-31", Kind::ChildEvidenceRecorded),
        ("TRIAL_END", Kind::Cognizance, "2027-01-01", Kind::TrialEnded),
        ("SPECIAL_RELIEF", Kind::ReliefRecommended, "2026-01-08", Kind::ReliefPaid),
        ("COMPENSATION_PAID", Kind::CompensationOrdered, "2026-01-31", Kind::CompensationPaid),
    ] {
        let begun = one(&facts("2026-01-01", &[(starts, NEW_YEAR)]), code);
        assert_eq!((begun.days.opens_on, begun.days.closes_on), (Some(day("2026-01-01")), None), "{code}");
        let (in_time, too_late) = match due.len() {
            10 => {
                assert_eq!((begun.days.due_on, begun.days.due_at), (Some(day(due)), None), "{code}");
                (format!("{due}T18:29:59Z"), format!("{due}T18:30:00Z"))
            }
            _ => {
                assert_eq!(begun.days.due_at, Some(at(due)), "{code}");
                (due.to_owned(), due.replace("00Z", "01Z"))
            }
        };
        assert_eq!(begun.status(at(&in_time)), Status::Open, "{code}");
        assert_eq!(begun.status(at(&too_late)), Status::Due, "{code}");
        assert_eq!(begun.status(at("2035-01-01T00:00:00Z")), Status::Due, "{code}");
        for (when, expected) in [(in_time, Status::Done), (too_late, Status::DoneLate)] {
            let done = facts("2026-01-01", &[(starts, NEW_YEAR), (done_by, &when)]);
            assert_eq!(status(&done, code, "2035-01-01T00:00:00Z"), expected, "{code} {when}");
        }
    }
}

#[test]
fn a_child_is_produced_where_home_is_not_safe() {
    let mut events = vec![(Kind::Information, NEW_YEAR)];
    assert_eq!(status(&facts("2026-01-05", &events), "PRODUCE_CWC", "2026-01-05T00:00:00Z"), Status::NotDue);
    events.push((Kind::HomeNotSafe, "2026-01-04T10:00:00Z"));
    let it = one(&facts("2026-01-05", &events), "PRODUCE_CWC");
    assert_eq!(
        (it.days.due_at, it.status(at("2026-01-05T00:00:00Z"))),
        (Some(at("2026-01-02T10:00:00Z")), Status::Due)
    );
}

#[test]
fn a_support_person_is_assigned_or_the_committee_says_why_not() {
    let standing =
        |events: &[(Kind, &str)]| status(&facts("2026-02-01", events), "SUPPORT_PERSON", "2026-02-01T00:00:00Z");
    let (assigned, waived) =
        ((Kind::SupportPersonAssigned, NEW_YEAR), (Kind::SupportPersonWaived, "2026-01-02T10:00:00Z"));
    assert_eq!(standing(&[]), Status::Due);
    assert_eq!(standing(&[assigned]), Status::Done);
    assert_eq!(standing(&[waived]), Status::NotApplicable);
    assert_eq!(standing(&[assigned, waived]), Status::Done);
    // Who was assigned before the clock started is there all the same.
    assert_eq!(standing(&[assigned, (Kind::Report, "2026-01-03T10:00:00Z")]), Status::Done);
    assert_eq!(standing(&[(Kind::SupportPersonAssigned, "2025-12-20T10:00:00Z")]), Status::Done);
}

#[test]
fn a_support_person_is_due_a_week_after_report_or_information() {
    let days = |events: &[(Kind, &str)]| {
        let it = one(&facts("2026-01-02", events), "SUPPORT_PERSON");
        assert!(it.is_listed());
        (it.days.opens_on.unwrap().to_string(), it.days.due_on.unwrap().to_string())
    };
    let (report, information) = ((Kind::Report, "2025-12-30T10:00:00Z"), (Kind::Information, "2026-01-05T10:00:00Z"));
    let week = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    assert_eq!(days(&[]), week("2026-01-01", "2026-01-08"));
    assert_eq!(days(&[information]), week("2026-01-05", "2026-01-12"));
    assert_eq!(days(&[report]), week("2025-12-30", "2026-01-06"));
    assert_eq!(days(&[report, information]), week("2025-12-30", "2026-01-06"));
    assert_eq!(days(&[information, (Kind::Report, "2026-01-06T10:00:00Z")]), week("2026-01-05", "2026-01-12"));
}

#[test]
fn another_support_person_is_awaited_once_the_assignment_has_ended() {
    let of = |events: &[(Kind, &str)]| {
        let it = one(&facts("2026-06-01", events), "SUPPORT_PERSON");
        (it.days.due_on.unwrap().to_string(), it.status(at("2026-03-03T00:00:00Z")))
    };
    let assigned = (Kind::SupportPersonAssigned, NEW_YEAR);
    let ended = (Kind::SupportPersonEnded, "2026-03-01T10:00:00Z");
    let tried = |when| (Kind::TrialEnded, when);
    let follows = |when| (Kind::SupportPersonAssigned, when);
    let due = |day: &str, status| (day.to_owned(), status);
    assert_eq!(of(&[assigned, ended]), due("2026-03-08", Status::Open));
    assert_eq!(of(&[assigned, ended, follows("2026-03-01T12:00:00Z")]), due("2026-03-08", Status::Done));
    assert_eq!(of(&[assigned, ended, follows("2026-03-09T10:00:00Z")]), due("2026-03-08", Status::DoneLate));
    // What the committee said before somebody was assigned is not about who follows.
    let waived = |when| (Kind::SupportPersonWaived, when);
    assert_eq!(of(&[waived("2025-12-31T10:00:00Z"), assigned, ended]).1, Status::Open);
    assert_eq!(of(&[assigned, ended, waived("2026-03-02T10:00:00Z")]).1, Status::NotApplicable);
    // Nobody follows once the trial is over.
    assert_eq!(of(&[assigned, tried("2026-02-28T10:00:00Z"), ended]), due("2026-01-08", Status::Done));
    assert_eq!(of(&[assigned, ended, tried("2026-03-02T10:00:00Z")]), due("2026-01-08", Status::Done));
    let all = [assigned, ended, follows("2026-03-02T10:00:00Z"), tried("2026-03-02T12:00:00Z")];
    assert_eq!(of(&all), due("2026-03-08", Status::Done));
}

#[test]
fn what_was_done_before_its_clock_started_is_no_proof() {
    let exam = |when| {
        let it = facts("2026-02-01", &[(Kind::Information, NEW_YEAR), (Kind::MedicalExamination, when)]);
        status(&it, "MED_EXAM", "2026-02-01T00:00:00Z")
    };
    assert_eq!(exam("2025-12-31T18:29:59Z"), Status::Due);
    assert_eq!(exam("2025-12-31T18:30:00Z"), Status::Done);
    let twice = [
        (Kind::CompensationPaid, "2025-12-01T10:00:00Z"),
        (Kind::CompensationOrdered, NEW_YEAR),
        (Kind::CompensationPaid, "2026-01-20T10:00:00Z"),
    ];
    assert_eq!(one(&facts("2026-02-01", &twice), "COMPENSATION_PAID").done_on, Some(day("2026-01-20")));
}

/// Number, due day and standing of the monthly reports that are not awaited in the future.
fn reports(events: &[(Kind, &str)], today: &str) -> BTreeMap<u32, (String, Status)> {
    let now = at(&format!("{today}T10:00:00Z"));
    let all = staged(&facts(today, events), "SP_MONTHLY").into_iter();
    let of = |it: Milestone| (it.number, (it.days.due_on.unwrap().to_string(), it.status(now)));
    all.map(of).filter(|(_, (_, status))| *status != Status::NotDue).collect()
}

fn due(text: &str, status: Status) -> (String, Status) {
    (text.into(), status)
}

#[test]
fn reports_of_the_support_person_are_due_every_month() {
    let assigned = (Kind::SupportPersonAssigned, "2026-01-31T04:00:00Z");
    assert_eq!(
        reports(&[assigned], "2026-04-10"),
        BTreeMap::from([
            (1, due("2026-02-28", Status::Due)),
            (2, due("2026-03-31", Status::Due)),
            (3, due("2026-04-30", Status::Open)),
        ])
    );
    // The first was written twice, the second late; each counts for the first month that has none.
    let report = |when| (Kind::SupportPersonReport, when);
    let all = [
        assigned,
        report("2026-01-15T04:00:00Z"),
        report("2026-02-10T04:00:00Z"),
        report("2026-02-20T04:00:00Z"),
        report("2026-04-05T04:00:00Z"),
    ];
    assert_eq!(
        reports(&all, "2026-04-10"),
        BTreeMap::from([
            (1, due("2026-02-28", Status::Done)),
            (2, due("2026-03-31", Status::DoneLate)),
            (3, due("2026-04-30", Status::Open)),
        ])
    );
}

#[test]
fn no_report_is_due_after_the_assignment_or_the_trial_has_ended() {
    let assigned = (Kind::SupportPersonAssigned, NEW_YEAR);
    for ended in [Kind::SupportPersonEnded, Kind::TrialEnded] {
        let all = [assigned, (ended, "2026-03-01T04:00:00Z")];
        assert_eq!(staged(&facts("2026-06-10", &all), "SP_MONTHLY").len(), 2);
        let laid_out = staged(&facts("2026-01-02", &all[..1]), "SP_MONTHLY");
        let laid_out = facts("2026-06-10", &all).staged(step("SP_MONTHLY"), laid_out);
        let standing: Vec<_> = laid_out.iter().map(|it| it.standing).collect();
        assert_eq!(standing[..2], [Standing::Awaited, Standing::Awaited]);
        assert!(standing[2..].iter().all(|it| *it == Standing::NotApplicable) && standing.len() > 12);
    }
}

#[test]
fn reports_follow_the_last_assignment() {
    let assigned = |when| (Kind::SupportPersonAssigned, when);
    let report = |when| (Kind::SupportPersonReport, when);
    let first =
        [assigned(NEW_YEAR), report("2026-01-20T10:00:00Z"), (Kind::SupportPersonEnded, "2026-03-01T04:00:00Z")];
    // Written by the first after the end, by the second before the first month is over, and before anybody followed.
    let second = [report("2026-03-05T10:00:00Z"), assigned("2026-04-10T10:00:00Z"), report("2026-05-02T10:00:00Z")];
    let expected = |second: Status| {
        BTreeMap::from([
            (1, due("2026-02-01", Status::Done)),
            (2, due("2026-03-01", Status::DoneLate)),
            (3, due("2026-05-10", second)),
            (4, due("2026-06-10", Status::Open)),
        ])
    };
    assert_eq!(reports(&[&first[..], &second].concat(), "2026-05-20"), expected(Status::Done));
    // An end ends what was assigned before it.
    assert_eq!(reports(&[&first[..], &second[..2]].concat(), "2026-05-20"), expected(Status::Due));
    // Who hands over without an end has no more reports due, and a report of who follows is not for what is missing.
    let handed = [assigned(NEW_YEAR), assigned("2026-02-10T10:00:00Z"), report("2026-02-20T10:00:00Z")];
    assert_eq!(
        reports(&handed, "2026-03-01"),
        BTreeMap::from([(1, due("2026-02-01", Status::Due)), (2, due("2026-03-10", Status::Done))])
    );
    // On one day, by the time of it.
    let same_day =
        [assigned(NEW_YEAR), (Kind::SupportPersonEnded, "2026-02-10T09:00:00Z"), assigned("2026-02-10T10:00:00Z")];
    assert_eq!(reports(&same_day, "2026-03-01")[&2], due("2026-03-10", Status::Open));
}

#[test]
fn a_report_from_before_the_assignment_is_none() {
    let events = [(Kind::SupportPersonReport, "2025-12-20T10:00:00Z"), (Kind::SupportPersonAssigned, NEW_YEAR)];
    assert_eq!(reports(&events, "2026-01-10"), BTreeMap::from([(1, due("2026-02-01", Status::Open))]));
    assert_eq!(one(&facts("2026-01-10", &events[..1]), "SP_MONTHLY").standing, Standing::Awaited);
}

#[test]
fn they_are_laid_out_for_three_years_ahead() {
    let assigned = [(Kind::SupportPersonAssigned, NEW_YEAR)];
    assert_eq!(staged(&facts("2026-01-01", &[]), "SP_MONTHLY").len(), 1);
    assert_eq!(staged(&facts("2026-01-01", &assigned), "SP_MONTHLY").len(), 36);
    assert_eq!(staged(&facts("2027-06-15", &assigned), "SP_MONTHLY").len(), 53);
}

#[test]
fn what_a_person_has_excused_takes_no_report() {
    let events = [(Kind::SupportPersonAssigned, NEW_YEAR), (Kind::SupportPersonReport, "2026-02-20T04:00:00Z")];
    let it = facts("2026-03-10", &events);
    let mut own = staged(&it, "SP_MONTHLY");
    (own[0].standing, own[0].excused) = (Standing::NotApplicable, true);
    (own[0].done_on, own[0].done_at) = (None, None);
    let own = it.staged(step("SP_MONTHLY"), own);
    assert_eq!([own[0].standing, own[1].standing], [Standing::NotApplicable, Standing::Done]);
}
