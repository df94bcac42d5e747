//! Patterns: their days by example, what they refuse, and what holds of all of them.

use super::*;
use chrono::{Datelike, Days, TimeDelta};
use proptest::prelude::*;
use proptest::sample::select;

const ZONES: [&str; 7] = [
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "America/Santiago",
    "UTC",
];

fn local(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn pattern(rule: &str, first: &str, zone: &str) -> Pattern {
    Pattern::new(rule, local(first), &[], zone.parse().unwrap()).unwrap()
}

fn days(rule: &str, first: &str) -> Vec<String> {
    let all = pattern(rule, &format!("{first} 10:00"), "Asia/Kolkata").occurrences();
    all.iter().map(|it| it.local.date().to_string()).collect()
}

/// What is wrong with a rule and a first start, by part.
fn wrong(rule: &str, first: &str) -> Vec<(Part, String)> {
    let wrong = Pattern::new(rule, local(first), &[], chrono_tz::Asia::Kolkata).unwrap_err();
    wrong.into_iter().map(|(part, fault)| (part, fault.to_string())).collect()
}

fn is_wrong(rule: &str, first: &str, part: Part, says: &str) {
    let wrong = wrong(rule, first);
    assert!(matches!(&wrong[..], [(at, it)] if *at == part && it.contains(says)), "{rule}: {wrong:?}");
}

#[test]
fn a_series_falls_on_its_days() {
    let saturdays = ["2026-11-14", "2026-12-12", "2027-01-09"];
    assert_eq!(days("FREQ=MONTHLY;BYDAY=2SA;COUNT=3", "2026-11-14"), saturdays);
    assert_eq!(days("FREQ=WEEKLY;INTERVAL=2;COUNT=3", "2026-11-03"), ["2026-11-03", "2026-11-17", "2026-12-01"]);
    // A month without that day has none, and does not count.
    assert_eq!(days("FREQ=MONTHLY;COUNT=4", "2027-01-31"), ["2027-01-31", "2027-03-31", "2027-05-31", "2027-07-31"]);
    assert_eq!(days("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=2", "2027-01-31"), ["2027-01-31", "2027-02-28"]);
    assert_eq!(days("FREQ=YEARLY;COUNT=3", "2028-02-29"), ["2028-02-29", "2032-02-29", "2036-02-29"]);
    let last_working_day = "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=2";
    assert_eq!(days(last_working_day, "2026-11-30"), ["2026-11-30", "2026-12-31"]);
    assert_eq!(days("FREQ=DAILY;COUNT=60", "2026-11-02").len(), 60);
}

#[test]
fn until_is_a_local_day_that_counts() {
    let mondays = ["2026-11-02", "2026-11-09", "2026-11-16"];
    // The last is 23:30 in Kolkata on the 15th, and 00:30 on the 16th.
    for until in ["20261116", "20261122", "20261116T000000", "20261116T235959", "20261115T190000Z"] {
        assert_eq!(days(&format!("FREQ=WEEKLY;UNTIL={until}"), "2026-11-02"), mondays, "{until}");
    }
    for until in ["20261115", "20261115T235959", "20261115T180000Z"] {
        assert_eq!(days(&format!("FREQ=WEEKLY;UNTIL={until}"), "2026-11-02"), mondays[..2], "{until}");
    }
    assert_eq!(days("FREQ=DAILY;UNTIL=20261102", "2026-11-02"), ["2026-11-02"]);
}

#[test]
fn ten_in_the_morning_stays_ten_in_the_morning() {
    let berlin = pattern("FREQ=WEEKLY;COUNT=3", "2027-03-21 10:00", "Europe/Berlin");
    let starts: Vec<_> = berlin.occurrences().iter().map(|it| berlin.starts_at(it.local).to_rfc3339()).collect();
    assert_eq!(starts, ["2027-03-21T09:00:00+00:00", "2027-03-28T08:00:00+00:00", "2027-04-04T08:00:00+00:00"]);
    // 02:30 is skipped on the 28th of March, and occurs twice on the 31st of October.
    let night = pattern("FREQ=DAILY;COUNT=3", "2027-03-27 02:30", "Europe/Berlin");
    let starts: Vec<_> = night.occurrences().iter().map(|it| night.starts_at(it.local).to_rfc3339()).collect();
    assert_eq!(starts, ["2027-03-27T01:30:00+00:00", "2027-03-28T01:00:00+00:00", "2027-03-29T00:30:00+00:00"]);
    assert_eq!(night.starts_at(local("2027-10-31 02:30")).to_rfc3339(), "2027-10-31T00:30:00+00:00");
}

#[test]
fn a_day_left_out_is_counted_and_not_numbered() {
    let except = [day("2026-11-09"), day("2026-11-09"), day("2026-11-10")];
    let zone = chrono_tz::Asia::Kolkata;
    let pattern = Pattern::new("FREQ=WEEKLY;COUNT=4", local("2026-11-02 10:00"), &except, zone).unwrap();
    let all: Vec<_> = pattern.occurrences().iter().map(|it| (it.number, it.local.date().to_string())).collect();
    assert_eq!(all, [(1, "2026-11-02".into()), (2, "2026-11-16".into()), (3, "2026-11-23".into())]);
    let further: Vec<_> = pattern.further(day("2026-11-02")).take(2).map(|it| it.to_string()).collect();
    assert_eq!(further, ["2026-11-30 10:00:00", "2026-12-07 10:00:00"]);
    assert_eq!(pattern.further(day("2026-12-07")).next(), Some(local("2026-12-14 10:00")));
    assert_eq!(pattern.further(NaiveDate::MAX).next(), None);

    let all: Vec<_> = ["2026-11-02", "2026-11-09"].map(day).to_vec();
    let refused = Pattern::new("FREQ=WEEKLY;COUNT=2", local("2026-11-02 10:00"), &all, zone).unwrap_err();
    assert_eq!(refused.iter().map(|(part, _)| *part).collect::<Vec<_>>(), [Part::Exceptions]);
}

#[test]
fn one_rule_has_one_text() {
    let text = |rule| pattern(rule, "2026-11-14 10:00", "Asia/Kolkata").rule();
    assert_eq!(text(" rrule:count=3;byday=2sa;interval=1;freq=monthly;wkst=MO "), "FREQ=MONTHLY;BYDAY=2SA;COUNT=3");
    let biweekly = "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SA";
    let until = format!("UNTIL=20261231T183000Z;BYDAY=SA;WKST=SU;{}", "INTERVAL=2;FREQ=WEEKLY");
    assert_eq!(text(&until), format!("{biweekly};UNTIL=20270101"));
    assert_eq!(text("FREQ=DAILY;COUNT=007"), "FREQ=DAILY;COUNT=7");
}

#[test]
fn what_is_no_finite_rule_is_refused() {
    let monday = "2026-11-02 10:00";
    for rule in ["", "x", "FREQ=HOURLY;COUNT=2", "COUNT=2", "FREQ=DAILY;FREQ=DAILY;COUNT=2", "FREQ=DAILY;X=1;COUNT=2"] {
        is_wrong(rule, monday, Part::Rule, "rule of whole days");
    }
    is_wrong(&format!("FREQ=DAILY;COUNT=2;BYMONTH=11{}", ",11".repeat(90)), monday, Part::Rule, "rule of whole days");
    for ends in ["", ";COUNT=2;UNTIL=20270101", ";COUNT=2;COUNT=2", ";UNTIL=20270101;UNTIL=20270101"] {
        is_wrong(&format!("FREQ=DAILY{ends}"), monday, Part::Rule, "exactly one end");
    }
    for count in ["0", "61", "+5", "-1", "", "99999999999"] {
        is_wrong(&format!("FREQ=DAILY;COUNT={count}"), monday, Part::Rule, "1 to 60 days");
    }
    for until in ["", "2027", "20271301", "+2027101", "20270101T10", "20270101T100000+0100", "2027-01-01"] {
        is_wrong(&format!("FREQ=DAILY;UNTIL={until}"), monday, Part::Rule, "a day or a time");
    }
    is_wrong("FREQ=DAILY;UNTIL=20261101", monday, Part::Rule, "before the first start");
    is_wrong("FREQ=DAILY;UNTIL=20270101", monday, Part::Rule, "1 to 60 days");
    is_wrong("FREQ=YEARLY;COUNT=12", monday, Part::Rule, "ten years");
    is_wrong("FREQ=YEARLY;UNTIL=20370101", monday, Part::Rule, "ten years");
    assert_eq!(days("FREQ=DAILY;UNTIL=20261231", "2026-11-02").len(), 60);
}

#[test]
fn a_first_start_is_a_day_of_its_rule() {
    for rule in ["FREQ=WEEKLY;BYDAY=TU;COUNT=2", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30;COUNT=2"] {
        is_wrong(rule, "2026-11-02 10:00", Part::First, "on a day of the rule");
    }
    is_wrong("FREQ=DAILY;COUNT=2", "1899-12-31 10:00", Part::First, "1900");
    let seconds = NaiveDate::MIN.and_hms_opt(10, 0, 1).unwrap();
    let many = vec![day("2026-11-02"); MOST_EXCEPTIONS + 1];
    // Everything that is wrong is said at once.
    let refused = Pattern::new("FREQ=DAILY", seconds, &many, chrono_tz::UTC).unwrap_err();
    assert_eq!(refused.iter().map(|(part, _)| *part).collect::<Vec<_>>(), [Part::Rule, Part::First, Part::Exceptions]);
    let refused = Pattern::new("FREQ=WEEKLY;BYDAY=TU;COUNT=2", local("2026-11-02 10:00"), &many, chrono_tz::UTC);
    let parts: Vec<_> = refused.unwrap_err().iter().map(|(part, _)| *part).collect();
    assert_eq!(parts, [Part::First, Part::Exceptions]);
}

/// Patterns of every frequency whose rule has the first day, with some days left out.
fn patterns() -> impl Strategy<Value = Pattern> {
    let start = (0u64..5_000, 0i64..24 * 60);
    let ends = prop_oneof![(1u32..=60).prop_map(Ok), (0u64..400).prop_map(Err)];
    let except = proptest::collection::vec(0u64..400, 0..20);
    (0usize..7, 1u32..4, start, ends, except, select(&ZONES[..])).prop_filter_map(
        "ends too late, has too many days or none left",
        |(kind, interval, (first, minute), end, except, zone)| {
            let first = day("2024-01-01") + Days::new(first);
            let weekday = &first.format("%a").to_string()[..2].to_uppercase();
            let days = match kind {
                0 => "FREQ=DAILY".to_owned(),
                1 => "FREQ=WEEKLY".to_owned(),
                2 => format!("FREQ=WEEKLY;BYDAY={weekday},MO,FR"),
                3 => "FREQ=MONTHLY".to_owned(),
                4 => format!("FREQ=MONTHLY;BYDAY={}{weekday}", first.day0() / 7 + 1),
                5 => format!("FREQ=MONTHLY;BYDAY={weekday};BYSETPOS={},-1", first.day0() / 7 + 1),
                _ => "FREQ=YEARLY".to_owned(),
            };
            let end = match end {
                Ok(count) => format!("COUNT={count}"),
                Err(later) => format!("UNTIL={}", (first + Days::new(later)).format("%Y%m%d")),
            };
            let except: Vec<_> = except.into_iter().map(|later| first + Days::new(later)).collect();
            let local = first.and_hms_opt(0, 0, 0).unwrap() + TimeDelta::minutes(minute);
            let rule = format!("{days};INTERVAL={interval};{end}");
            Pattern::new(&rule, local, &except, zone.parse().unwrap()).ok()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn local_time_is_kept_or_moved_out_of_a_gap(pattern in patterns()) {
        for it in pattern.occurrences() {
            prop_assert_eq!(it.local.time(), pattern.first().time());
            let shown = pattern.starts_at(it.local).with_timezone(&pattern.zone()).naive_local();
            // No clock of these zones jumps by more than an hour.
            let exists = pattern.zone().from_local_datetime(&it.local).earliest().is_some();
            let jumped = it.local < shown && shown <= it.local + TimeDelta::hours(1);
            prop_assert!(if exists { shown == it.local } else { jumped }, "{} is shown as {shown}", it.local);
        }
    }

    #[test]
    fn sessions_are_few_in_order_and_numbered(pattern in patterns()) {
        let all = pattern.occurrences();
        prop_assert!((1..=60).contains(&all.len()));
        prop_assert!(all.iter().map(|it| it.number).eq(1..=u32::try_from(all.len()).unwrap()));
        prop_assert!(all.is_sorted_by(|one, other| one.local < other.local));
        prop_assert!(all.is_sorted_by(|one, other| pattern.starts_at(one.local) < pattern.starts_at(other.local)));
        prop_assert!(all.iter().all(|it| !pattern.exceptions().contains(&it.local.date())));
    }

    #[test]
    fn extending_goes_on_and_never_repeats(pattern in patterns(), after in 0u64..900) {
        let after = pattern.first().date() + Days::new(after);
        let last = pattern.occurrences().last().unwrap().local;
        let further: Vec<_> = pattern.further(after).collect();
        prop_assert!(further.is_sorted_by(|one, other| one < other));
        prop_assert!(further.iter().all(|it| *it > last && it.date() > after));
        prop_assert!(further.iter().all(|it| !pattern.exceptions().contains(&it.date())));
        // What goes on is the same rule: with a later end, it has the same days.
        let Some(next) = further.first().filter(|_| after < last.date()) else { return Ok(()) };
        let longer = format!("{};UNTIL={}", pattern.rule.recurrence.as_str(), next.date().format("%Y%m%d"));
        let except: Vec<_> = pattern.exceptions().iter().copied().collect();
        if let Ok(longer) = Pattern::new(&longer, pattern.first(), &except, pattern.zone()) {
            let expected: Vec<_> = pattern.occurrences().iter().map(|it| it.local).chain([*next]).collect();
            prop_assert_eq!(longer.occurrences().iter().map(|it| it.local).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn its_text_reads_back_as_itself(pattern in patterns()) {
        let except: Vec<_> = pattern.exceptions().iter().copied().collect();
        prop_assert_eq!(Pattern::new(&pattern.rule(), pattern.first(), &except, pattern.zone()).unwrap(), pattern);
    }
}
