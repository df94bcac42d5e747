use chrono::{Datelike, NaiveDate, Timelike, Weekday};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn zone(name: &str) -> Tz {
    name.parse().unwrap()
}

/// When a level raised at an instant is due, with these holidays.
fn due(level: Level, raised_at: &str, zone_name: &str, holidays: &[&str]) -> String {
    let days = WorkingDays::new(holidays.iter().map(|day| day.parse().unwrap()));
    level.row().deadline.due_at(at(raised_at), zone(zone_name), &days).to_rfc3339()
}

#[test]
fn an_immediate_one_has_an_hour_at_any_hour_of_any_day() {
    // A Sunday night that is a holiday, and the hour that a clock change repeats.
    for (raised, expected) in
        [("2026-11-29T20:45:00Z", "2026-11-29T21:45:00+00:00"), ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00+00:00")]
    {
        assert_eq!(due(Level::R3, raised, "Europe/Berlin", &["2026-11-29"]), expected);
    }
}

#[test]
fn a_same_day_review_has_the_rest_of_the_day_and_never_less_than_two_hours() {
    for (raised, expected) in [
        // 09:30 and 21:59:59 in Kolkata, 22:00, 23:59, and 00:00.
        ("2026-11-23T04:00:00Z", "2026-11-23T18:30:00+00:00"),
        ("2026-11-23T16:29:59Z", "2026-11-23T18:30:00+00:00"),
        ("2026-11-23T16:30:00Z", "2026-11-23T18:30:00+00:00"),
        ("2026-11-23T18:29:00Z", "2026-11-23T20:29:00+00:00"),
        ("2026-11-23T18:30:00Z", "2026-11-24T18:30:00+00:00"),
    ] {
        assert_eq!(due(Level::R2, raised, "Asia/Kolkata", &[]), expected);
    }
    // A day of 23 hours and one of 25; a day of which midnight comes twice ends the first time.
    assert_eq!(due(Level::R2, "2026-03-29T00:30:00Z", "Europe/Berlin", &[]), "2026-03-29T22:00:00+00:00");
    assert_eq!(due(Level::R2, "2026-10-24T22:30:00Z", "Europe/Berlin", &[]), "2026-10-25T23:00:00+00:00");
    assert_eq!(due(Level::R2, "2026-10-31T12:00:00Z", "America/Havana", &[]), "2026-11-01T04:00:00+00:00");
}

#[test]
fn a_review_has_until_the_end_of_the_second_working_day_after() {
    for (raised, holidays, expected) in [
        // Monday, Thursday, Friday, Saturday in Kolkata.
        ("2026-11-23T04:00:00Z", &[][..], "2026-11-25T18:30:00+00:00"),
        ("2026-11-26T04:00:00Z", &[], "2026-11-30T18:30:00+00:00"),
        ("2026-11-27T04:00:00Z", &[], "2026-12-01T18:30:00+00:00"),
        ("2026-11-28T04:00:00Z", &[], "2026-12-01T18:30:00+00:00"),
        // 00:15 on Tuesday there, which is Monday in UTC.
        ("2026-11-23T18:45:00Z", &[], "2026-11-26T18:30:00+00:00"),
        // The day itself does not count, whether or not it is a holiday; those after it do not either.
        ("2026-11-23T04:00:00Z", &["2026-11-23"], "2026-11-25T18:30:00+00:00"),
        ("2026-11-23T04:00:00Z", &["2026-11-24", "2026-11-25"], "2026-11-27T18:30:00+00:00"),
    ] {
        assert_eq!(due(Level::R1, raised, "Asia/Kolkata", holidays), expected, "{raised} {holidays:?}");
    }
    // Over the weekend of a clock change.
    assert_eq!(due(Level::R1, "2026-03-27T12:00:00Z", "Europe/Berlin", &[]), "2026-03-31T22:00:00+00:00");
    assert_eq!(due(Level::R1, "2026-10-23T12:00:00Z", "Europe/Berlin", &[]), "2026-10-27T23:00:00+00:00");
}

#[test]
fn only_live_contact_emergency_services_or_a_referral_closes_what_is_immediate() {
    let closes = |level: Level, action| level.row().closed_by.contains(&action);
    for action in Action::ALL {
        let live = matches!(action, Action::LiveContact | Action::EmergencyServices | Action::Referral);
        assert_eq!(closes(Level::R3, *action), live);
        assert!(closes(Level::R1, *action) && closes(Level::R2, *action));
    }
}

#[test]
fn every_concern_is_immediate_and_opens_the_task_of_a_report() {
    for kind in ConcernKind::ALL {
        assert!(kind.row().report);
        assert_eq!(kind.row().alarm.level, Level::R3);
        assert_eq!(kind.row().alarm.trigger.as_str(), kind.as_str());
    }
}

const ZONES: &[&str] =
    &["Asia/Kolkata", "Europe/Berlin", "America/St_Johns", "Africa/Cairo", "Australia/Lord_Howe", "America/Havana"];

proptest! {
    #[test]
    fn deadlines_are_whole_local_days_in_every_zone(
        minutes in 0i64..(3 * 366 * 24 * 60), place in 0..ZONES.len(), off in proptest::collection::btree_set(0u64..1200, 0..60)
    ) {
        let raised_at = at("2025-01-01T00:00:00Z") + TimeDelta::minutes(minutes);
        let zone = zone(ZONES[place]);
        let first: NaiveDate = "2024-12-31".parse().unwrap();
        let days = WorkingDays::new(off.into_iter().map(|day| first + chrono::Days::new(day)));
        let today = local_day(raised_at, zone);

        let r3 = Level::R3.row().deadline.due_at(raised_at, zone, &days);
        prop_assert_eq!(r3 - raised_at, TimeDelta::hours(1));

        let r2 = Level::R2.row().deadline.due_at(raised_at, zone, &days);
        prop_assert!(r2 - raised_at >= TimeDelta::hours(2) && r2 - raised_at <= TimeDelta::hours(25));
        if r2 - raised_at > TimeDelta::hours(2) {
            // The last instant before it is today, and it is not.
            prop_assert_eq!(local_day(r2 - TimeDelta::microseconds(1), zone), today);
            prop_assert!(local_day(r2, zone) > today);
        }

        let r1 = Level::R1.row().deadline.due_at(raised_at, zone, &days);
        let last = local_day(r1 - TimeDelta::microseconds(1), zone);
        prop_assert!(local_day(r1, zone) > last && days.is(last));
        let worked = today.iter_days().skip(1).take_while(|day| *day <= last).filter(|day| days.is(*day));
        prop_assert_eq!(worked.count(), 2);
        prop_assert!(!matches!(last.weekday(), Weekday::Sat | Weekday::Sun));
        prop_assert_eq!(r1.second(), 0);
    }
}
