//! Rules of recurring days against the crate that reads them.

use super::*;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn days(rule: &str, anchor: &str, first: &str, last: &str) -> Vec<String> {
    let rule = Recurrence::parse(rule).unwrap();
    rule.days(day(anchor), day(first), day(last)).map(|day| day.to_string()).collect()
}

#[test]
fn rules_fall_on_their_days() {
    let quarter = |rule| days(rule, "2026-01-05", "2026-11-01", "2027-01-31");
    assert_eq!(quarter("FREQ=MONTHLY;BYDAY=2SA"), ["2026-11-14", "2026-12-12", "2027-01-09"]);
    assert_eq!(quarter("rrule:freq=monthly;byday=-1fr"), ["2026-11-27", "2026-12-25", "2027-01-29"]);
    assert_eq!(quarter("FREQ=YEARLY;BYMONTH=12;BYDAY=1MO,3MO"), ["2026-12-07", "2026-12-21"]);
    assert_eq!(quarter("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"), ["2026-11-30", "2026-12-31", "2027-01-29"]);
    assert_eq!(quarter("FREQ=MONTHLY;BYMONTHDAY=-1;BYMONTH=11,1"), ["2026-11-30", "2027-01-31"]);
    assert_eq!(quarter("FREQ=YEARLY"), ["2027-01-05"]);
    assert_eq!(quarter("FREQ=DAILY;INTERVAL=40"), ["2026-11-21", "2026-12-31"]);
}

#[test]
fn an_interval_counts_from_the_anchor() {
    let weeks = |anchor| days("FREQ=WEEKLY;INTERVAL=2;BYDAY=SA", anchor, "2026-11-01", "2026-12-05");
    assert_eq!(weeks("2020-01-04"), ["2026-11-14", "2026-11-28"]);
    assert_eq!(weeks("2020-01-11"), ["2026-11-07", "2026-11-21", "2026-12-05"]);
    assert_eq!(weeks("2026-11-21"), ["2026-11-21", "2026-12-05"]);
    // What the rule leaves open, the anchor says; a month without that day has none.
    let months = days("FREQ=MONTHLY", "2026-08-31", "2026-08-01", "2026-12-31");
    assert_eq!(months, ["2026-08-31", "2026-10-31", "2026-12-31"]);
}

#[test]
fn what_is_no_rule_of_days_is_refused() {
    for text in [
        "",
        "x",
        "FREQ",
        "FREQ=",
        "FREQ=HOURLY",
        "BYDAY=SA",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=DAILY;X=1",
        "FREQ=WEEKLY;BYDAY=2SA",
        "FREQ=WEEKLY;BYDAY=XSA",
        "FREQ=WEEKLY;BYDAY=0SA",
        "FREQ=WEEKLY;BYDAY=\u{20ac}",
        "FREQ=WEEKLY;BYDAY=SA,",
        "FREQ=MONTHLY;BYDAY=6SA",
        "FREQ=MONTHLY;BYMONTHDAY=32",
        "FREQ=YEARLY;BYWEEKNO=1",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=401",
        "FREQ=DAILY;FREQ=DAILY",
        "DTSTART:20260101T000000Z",
        "RRULE;X=1:FREQ=DAILY",
        "FREQ=DAILY;BYYEARDAY=1",
        "FREQ=WEEKLY;BYMONTHDAY=1",
    ] {
        assert!(Recurrence::parse(text).is_err(), "{text}");
    }
    for ends in ["FREQ=DAILY;COUNT=2", "FREQ=DAILY;UNTIL=20270101"] {
        assert!(Recurrence::parse(ends).unwrap_err().to_string().contains("valid_until"));
    }
    assert!(Recurrence::parse(&format!("FREQ=DAILY;BYMONTH={}1", "1,".repeat(100))).is_err());
}

#[test]
fn a_rule_that_never_falls_on_a_day_is_known_at_once() {
    let falls = |rule: &str| Recurrence::parse(rule).unwrap().falls(day("2026-01-01"));
    assert!(falls("FREQ=YEARLY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=29"));
    assert!(!falls("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"));
    assert!(!falls("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"));
    assert!(!falls("FREQ=DAILY;INTERVAL=7;BYDAY=MO"));
}

fn list<T: Clone + std::fmt::Debug + ToString + 'static>(all: Vec<T>) -> impl Strategy<Value = String> {
    let most = all.len().min(3);
    subsequence(all, 1..=most).prop_map(|some| some.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

/// Rules, as far as the crate follows the standard: it wants plain and numbered days at once.
fn rules() -> impl Strategy<Value = String> {
    let plain = || list(vec!["MO", "TU", "WE", "TH", "FR", "SA", "SU"]);
    let numbered = list(vec!["1MO", "2SA", "3SU", "4FR", "5WE", "-1TH", "-2TU", "-4SA"]);
    let frequency = select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let maybe = proptest::option::of::<BoxedStrategy<String>>;
    (
        frequency,
        1u16..14,
        (
            maybe(list((1..=12).collect::<Vec<i32>>()).boxed()),
            maybe(list(vec![1, 13, 28, 29, 30, 31, -1, -30]).boxed()),
        ),
        (maybe(plain().boxed()), maybe(numbered.boxed()), maybe(list(vec![1, 60, 366, -1, -60]).boxed())),
        (maybe(list(vec![1, 2, 5, -1, -3]).boxed()), select(vec!["MO", "WE", "SU"])),
    )
        .prop_map(|(frequency, interval, (months, month_days), (plain, numbered, year_days), (places, start))| {
            let mut rule = format!("FREQ={frequency};INTERVAL={interval};WKST={start}");
            let mut add = |name: &str, value: &Option<String>, fits: bool| {
                if let Some(value) = value.as_ref().filter(|_| fits) {
                    rule += &format!(";{name}={value}");
                }
            };
            let by_numbers = matches!(frequency, "MONTHLY" | "YEARLY") && numbered.is_some();
            let (by_month_day, by_year_day) = (frequency != "WEEKLY", frequency == "YEARLY");
            add("BYMONTH", &months, true);
            add("BYMONTHDAY", &month_days, by_month_day);
            add("BYYEARDAY", &year_days, by_year_day);
            add("BYDAY", if by_numbers { &numbered } else { &plain }, true);
            let some = months.is_some() || month_days.is_some() && by_month_day || plain.is_some() || by_numbers;
            add("BYSETPOS", &places, some);
            rule
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]
    #[test]
    fn days_are_those_of_the_crate(rule in rules(), anchor in 0u64..1_500, later in 0u64..3_000, length in 0u64..400) {
        let anchor = day("2024-01-01") + Days::new(anchor);
        let (first, last) = (anchor + Days::new(later), anchor + Days::new(later + length));
        let recurrence = Recurrence::parse(&rule).unwrap();
        prop_assume!(recurrence.falls(anchor));
        let expected: Vec<_> = follow(&rule, anchor).unwrap()
            .take_while(|day| *day <= last).filter(|day| first <= *day).collect();
        prop_assert_eq!(recurrence.days(anchor, first, last).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn no_rule_runs_over_the_ends_of_time(rule in rules()) {
        let recurrence = Recurrence::parse(&rule).unwrap();
        for (first, last) in [(NaiveDate::MIN, NaiveDate::MIN + Days::new(400)),
            (NaiveDate::MAX - Days::new(400), NaiveDate::MAX)] {
            prop_assert!(recurrence.days(first, first, last).all(|day| first <= day && day <= last));
        }
        prop_assert!(!recurrence.falls(NaiveDate::MAX));
    }
}
