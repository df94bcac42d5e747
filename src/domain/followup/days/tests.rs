use chrono::Datelike;
use proptest::prelude::*;

use super::super::template::{InstrumentSet, SURVIVOR_STANDARD, TEMPLATES, Templates};
use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn standard() -> &'static Template {
    TEMPLATES.newest(SURVIVOR_STANDARD).unwrap()
}

fn facts(intake_on: &str) -> Facts {
    Facts {
        intake_on: day(intake_on),
        report_on: None,
        planned_sessions: 12,
        discharged_on: None,
        attended: Vec::new(),
        last_planned_on: None,
    }
}

fn days(facts: &Facts, code: &str) -> Days {
    standard().step(code).unwrap().days(facts)
}

/// First day, due day and last day.
fn window(facts: &Facts, code: &str) -> [String; 3] {
    let it = days(facts, code);
    [it.opens_on, it.due_on, it.closes_on].map(|day| day.map(|day| day.to_string()).unwrap_or_default())
}

#[test]
fn the_table_of_follow_up_is_followed() {
    let mut it = facts("2026-01-05");
    it.report_on = Some(day("2026-01-02"));
    it.discharged_on = Some(day("2026-04-15"));
    it.attended = (1..=6).map(|week| day("2026-01-05") + CalendarDays::new(week * 7)).collect();
    for (code, expected) in [
        ("BASELINE", ["2026-01-05", "2026-01-05", "2026-01-12"]),
        ("MONITOR_2W", ["2026-01-13", "2026-01-16", "2026-01-23"]),
        ("MONITOR_1M", ["2026-01-26", "2026-02-02", "2026-02-16"]),
        ("MID", ["2026-02-16", "2026-02-16", "2026-03-02"]),
        ("END", ["2026-04-08", "2026-04-15", "2026-04-29"]),
        ("FU_1M", ["2026-05-08", "2026-05-15", "2026-05-29"]),
        ("FU_3M", ["2026-07-01", "2026-07-15", "2026-08-05"]),
        ("FU_6M", ["2026-10-01", "2026-10-15", "2026-11-14"]),
        ("FU_12M", ["2027-03-16", "2027-04-15", "2027-05-15"]),
    ] {
        assert_eq!(window(&it, code), expected, "{code}");
        assert!(!days(&it, code).provisional, "{code}");
    }
}

#[test]
fn months_end_where_the_month_does() {
    let mut it = facts("2026-01-05");
    it.discharged_on = Some(day("2026-01-31"));
    assert_eq!(window(&it, "FU_1M"), ["2026-02-21", "2026-02-28", "2026-03-14"]);
    assert_eq!(window(&it, "FU_3M"), ["2026-04-16", "2026-04-30", "2026-05-21"]);
    it.discharged_on = Some(day("2027-11-30"));
    assert_eq!(window(&it, "FU_3M"), ["2028-02-15", "2028-02-29", "2028-03-21"]);
    it.discharged_on = Some(day("2028-02-29"));
    assert_eq!(window(&it, "FU_12M"), ["2029-01-29", "2029-02-28", "2029-03-30"]);
}

#[test]
fn the_end_is_provisional_until_the_discharge() {
    let mut it = facts("2026-01-05");
    assert_eq!(days(&it, "END"), Days::default());
    it.last_planned_on = Some(day("2026-03-30"));
    assert_eq!(window(&it, "END"), ["2026-03-23", "2026-03-30", "2026-04-13"]);
    assert!(days(&it, "END").provisional && days(&it, "FU_1M").provisional);
    it.discharged_on = Some(day("2026-03-16"));
    assert_eq!(window(&it, "END"), ["2026-03-09", "2026-03-16", "2026-03-30"]);
    assert!(!days(&it, "END").provisional);
}

#[test]
fn half_time_is_the_session_that_completes_the_first_half() {
    let attended: Vec<_> = (0..13).map(|week| day("2026-01-05") + CalendarDays::new(week * 7)).collect();
    for (planned, half) in [(6, 3), (7, 4), (12, 6), (25, 13)] {
        let mut it = Facts { planned_sessions: planned, ..facts("2026-01-05") };
        it.attended = attended[..half - 1].to_vec();
        assert_eq!(days(&it, "MID"), Days::default(), "{planned}");
        it.attended = attended[..half].to_vec();
        assert_eq!(days(&it, "MID").due_on, Some(attended[half - 1]), "{planned}");
    }
}

#[test]
fn whoever_is_taken_in_late_is_not_monitored() {
    for (report_on, intake_on, applies) in [
        (Some("2026-01-31"), "2026-02-28", true),
        (Some("2026-01-31"), "2026-03-01", false),
        (Some("2026-01-30"), "2026-03-01", false),
        (Some("2026-02-01"), "2026-03-01", true),
        (Some("2026-03-09"), "2026-03-01", true),
        (None, "2026-03-01", true),
    ] {
        let it = Facts { report_on: report_on.map(day), ..facts(intake_on) };
        for step in standard().steps {
            let expected = applies || !step.code.starts_with("MONITOR_");
            assert_eq!(standard().applies(step, &it), expected, "{report_on:?} {intake_on} {}", step.code);
        }
    }
    assert_eq!(days(&facts("2026-03-01"), "MONITOR_2W"), Days::default());
}

fn visit(starts_at: &str, service: CareService, outcome: Option<Outcome>) -> Visit {
    Visit { starts_at: at(starts_at), service, outcome, for_milestone: false }
}

fn course() -> Course {
    Course {
        client_id: crate::domain::ids::ClientId(uuid::Uuid::nil()),
        counsellor_id: crate::domain::ids::CounsellorId(uuid::Uuid::nil()),
        report_on: None,
        planned_sessions: 12,
        discharged_on: None,
        first_attended_on: None,
    }
}

#[test]
fn a_session_counts_on_its_day_in_the_zone_of_the_plan() {
    use CareService::{Accompaniment, Counselling, SurvivorAssessment, TraumaTherapy};
    let attended = Some(Outcome::AttendedComplied);
    let visits = [
        // 23:45 on the day before intake, and a quarter past midnight on it.
        visit("2026-01-04T18:15:00Z", Counselling, attended),
        visit("2026-01-04T18:45:00Z", Counselling, attended),
        visit("2026-01-05T18:45:00Z", TraumaTherapy, Some(Outcome::Late)),
        visit("2026-01-08T04:30:00Z", SurvivorAssessment, attended),
        visit("2026-01-12T04:30:00Z", Counselling, Some(Outcome::NoShow)),
        visit("2026-01-19T18:30:00Z", Counselling, None),
        visit("2026-01-26T04:30:00Z", Accompaniment, None),
        Visit { for_milestone: true, ..visit("2026-01-27T04:30:00Z", Counselling, None) },
    ];
    let zone = chrono_tz::Asia::Kolkata;
    let it = Facts::of(&course(), day("2026-01-05"), zone, &visits);
    assert_eq!(it.attended, [day("2026-01-05"), day("2026-01-06")]);
    assert_eq!(it.last_planned_on, Some(day("2026-01-20")));
    // In UTC the same sessions are other days, and the first two are before intake.
    let it = Facts::of(&course(), day("2026-01-05"), chrono_tz::UTC, &visits);
    assert_eq!(it.attended, [day("2026-01-05")]);
    assert_eq!(it.last_planned_on, Some(day("2026-01-19")));
}

#[test]
fn a_plan_keeps_the_version_it_was_made_with() {
    const SECOND: &[Step] = &[Step {
        code: "FIRST_LOOK",
        anchor: Anchor::Intake,
        limit: Limit::Days(3),
        opens_before: 1,
        closes_after: Some(2),
        provisional: super::super::milestone::Provisional::Counts,
        asks: super::super::template::Asks::Answers(InstrumentSet::Risk),
        basis: "",
    }];
    const FIRST: &[Step] = &[Step { limit: Limit::Days(1), ..SECOND[0] }];
    const FICTIONAL: Templates = Templates(&[
        Template { code: "FICTIONAL", version: 1, for_cases: false, monitored_months: 1, steps: FIRST },
        Template { code: "FICTIONAL", version: 2, for_cases: false, monitored_months: 1, steps: SECOND },
    ]);
    let due = |version| {
        let step = FICTIONAL.find("FICTIONAL", version).and_then(|it| it.step("FIRST_LOOK"));
        step.and_then(|step| step.days(&facts("2026-01-05")).due_on)
    };
    assert_eq!((due(1), due(2), due(3)), (Some(day("2026-01-06")), Some(day("2026-01-08")), None));
    assert_eq!(FICTIONAL.newest("FICTIONAL").map(|it| it.version), Some(2));
    assert_eq!(FICTIONAL.current().len(), 1);
}

#[test]
fn every_template_has_each_code_once_and_versions_of_their_own() {
    for (at, template) in TEMPLATES.0.iter().enumerate() {
        let same = |other: &Template| (other.code, other.version) == (template.code, template.version);
        assert!(!TEMPLATES.0[..at].iter().any(same));
        for (at, step) in template.steps.iter().enumerate() {
            assert!(!template.steps[..at].iter().any(|other| other.code == step.code), "{}", step.code);
            assert_eq!(step.procedure().is_some(), template.for_cases, "{}", step.code);
        }
    }
}

fn some_day() -> impl Strategy<Value = NaiveDate> {
    (0u64..60_000).prop_map(|after| day("1990-01-01") + CalendarDays::new(after))
}

proptest! {
    #[test]
    fn a_month_later_is_the_same_day_or_the_last_of_its_month(from in some_day(), months in 0u32..40) {
        let later = plus_months(from, months).unwrap();
        let elapsed = (later.year() - from.year()) * 12 + later.month() as i32 - from.month() as i32;
        prop_assert_eq!(elapsed, months as i32);
        let is_last = later.succ_opt().unwrap().month() != later.month();
        prop_assert!(later.day() == from.day() || (is_last && later.day() < from.day()));
    }

    #[test]
    fn a_window_is_in_order_and_as_long_as_the_template_says(on in some_day()) {
        let it = Facts {
            report_on: Some(on), discharged_on: Some(on), attended: vec![on; 6], ..facts(&on.to_string())
        };
        for step in standard().steps {
            let days = step.days(&it);
            let (opens, due, closes) = (days.opens_on.unwrap(), days.due_on.unwrap(), days.closes_on.unwrap());
            prop_assert_eq!((due - opens).num_days(), i64::from(step.opens_before));
            prop_assert_eq!(Some((closes - due).num_days()), step.closes_after.map(i64::from));
            prop_assert!(on <= due && days.anchor_on == Some(on));
        }
    }

    #[test]
    fn what_is_planned_later_ends_no_earlier(one in some_day(), other in some_day()) {
        let of = |on| Facts { discharged_on: Some(on), ..facts("1990-01-01") };
        for code in ["END", "FU_1M", "FU_3M", "FU_6M", "FU_12M"] {
            let [one_due, other_due] = [one, other].map(|on| days(&of(on), code).due_on);
            prop_assert!((one <= other) <= (one_due <= other_due), "{}", code);
        }
    }

    #[test]
    fn a_visit_is_on_the_local_day_whatever_the_zone(minutes in 0i64..2_000_000, zone in 0usize..5) {
        let zones = [chrono_tz::Asia::Kolkata, chrono_tz::Pacific::Kiritimati, chrono_tz::America::St_Johns,
            chrono_tz::Pacific::Pago_Pago, chrono_tz::Europe::London];
        let starts_at = at("2024-01-01T00:00:00Z") + TimeDelta::minutes(minutes);
        let local = starts_at.with_timezone(&zones[zone]).date_naive();
        let seen = Visit { starts_at, outcome: Some(Outcome::Late), ..visit("2026-01-05T00:00:00Z", CareService::Counselling, None) };
        let of = |intake_on| Facts::of(&course(), intake_on, zones[zone], &[seen]);
        prop_assert_eq!(of(local).attended, [local]);
        prop_assert_eq!(of(local.succ_opt().unwrap()).attended, []);
    }
}
