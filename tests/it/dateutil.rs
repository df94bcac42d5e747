//! The days of a series, against a library that shares no code with ours: python-dateutil. To it UNTIL is
//! an instant, so where ours is a day it is told the last second of that day.

use std::io::Write;
use std::process::Stdio;

use aftercare::domain::recurrence::Recurrence;
use aftercare::domain::series::Pattern;
use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::tool;

const MINUTES: &str = "%Y-%m-%dT%H:%M";
const ZONES: [&str; 5] = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Europe/London", "Australia/Lord_Howe"];

/// A series as both are asked for it; the rule without its end, and the end.
#[derive(Clone, Debug)]
struct Series {
    endless: String,
    end: String,
    first: NaiveDateTime,
    except: Vec<NaiveDate>,
    zone: &'static str,
}

impl Series {
    fn new(endless: &str, end: &str, first: &str, zone: &'static str) -> Self {
        let first = NaiveDateTime::parse_from_str(first, MINUTES).unwrap();
        Self { endless: endless.to_owned(), end: end.to_owned(), first, except: Vec::new(), zone }
    }

    fn pattern(&self) -> Option<Pattern> {
        let rule = format!("{};{}", self.endless, self.end);
        Pattern::new(&rule, self.first, &self.except, self.zone.parse().unwrap()).ok()
    }

    fn question(&self) -> Value {
        let end = if self.end.contains("UNTIL") { format!("{}T235959", self.end) } else { self.end.clone() };
        json!({
            "rule": format!("{};{end}", self.endless),
            "endless": self.endless,
            "first": self.first.format(MINUTES).to_string(),
            "except": self.except,
            "zone": self.zone,
        })
    }
}

#[derive(Deserialize)]
struct Answer {
    local: Vec<String>,
    instants: Vec<Option<String>>,
    further: Vec<String>,
}

/// What dateutil says of each.
fn dateutil(all: &[Series]) -> Vec<Answer> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/series.py");
    let mut python = tool("AFTERCARE_TEST_PYTHON");
    let python = python.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = python.spawn().unwrap();
    let asked = Value::from_iter(all.iter().map(Series::question)).to_string();
    running.stdin.take().unwrap().write_all(asked.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Fails for every series in which the two differ.
fn compare(all: &[Series]) {
    let answers = dateutil(all);
    assert_eq!(answers.len(), all.len());
    for (series, expected) in all.iter().zip(answers) {
        let pattern = series.pattern().unwrap_or_else(|| panic!("{series:?} is refused"));
        let minutes = |local: NaiveDateTime| local.format(MINUTES).to_string();
        let found = pattern.occurrences();
        let local: Vec<_> = found.iter().map(|it| minutes(it.local)).collect();
        assert_eq!(local, expected.local, "{series:?}");
        for (it, instant) in found.iter().zip(expected.instants) {
            // A time that a clock change skips is left to our own policy.
            let Some(instant) = instant else { continue };
            assert_eq!(minutes(pattern.starts_at(it.local).naive_utc()), instant, "{series:?}");
        }
        let further: Vec<_> = pattern.further(series.first.date()).take(10).map(minutes).collect();
        assert_eq!(further, expected.further, "{series:?}");
    }
}

#[test]
fn the_series_that_people_ask_for() {
    let weekly = ["Europe/Berlin", "America/New_York", "Asia/Kolkata"]
        .map(|zone| Series::new("FREQ=WEEKLY;BYDAY=TU", "COUNT=24", "2026-10-06T10:00", zone));
    let second_saturdays = Series::new("FREQ=MONTHLY;BYDAY=2SA", "COUNT=60", "2026-11-14T09:30", "Asia/Kolkata");
    let mut skipping = Series::new("FREQ=WEEKLY;INTERVAL=2", "UNTIL=20270427", "2026-11-10T16:00", "Europe/Berlin");
    skipping.except = ["2026-12-22", "2027-01-05", "2027-01-06"].map(|day| day.parse().unwrap()).to_vec();
    let all = [
        &weekly[..],
        &[
            second_saturdays,
            skipping,
            Series::new("FREQ=MONTHLY;BYMONTHDAY=31", "COUNT=12", "2027-01-31T11:00", "Asia/Kolkata"),
            Series::new("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "COUNT=3", "2028-02-29T11:00", "Europe/London"),
            Series::new("FREQ=DAILY", "UNTIL=20270401", "2027-03-10T02:30", "America/New_York"),
            Series::new("FREQ=DAILY", "COUNT=30", "2027-10-20T02:30", "Europe/Berlin"),
        ],
    ]
    .concat();
    compare(&all);
    let count = |series: &Series| series.pattern().unwrap().occurrences().len();
    assert_eq!(all.iter().map(count).take(4).collect::<Vec<_>>(), [24, 24, 24, 60]);
    let last = all[3].pattern().unwrap().occurrences()[59].local;
    assert_eq!(last.format(MINUTES).to_string(), "2031-10-11T09:30");
}

#[test]
fn hundreds_of_others() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]);
    let mut runner = TestRunner::new_with_rng(Config { max_local_rejects: 1 << 20, ..Config::default() }, rng);
    let all: Vec<_> = (0..400).map(|_| series().new_tree(&mut runner).unwrap().current()).collect();
    let has = |part: &str| all.iter().filter(|series| series.question()["rule"].to_string().contains(part)).count();
    for part in ["DAILY", "WEEKLY", "MONTHLY", "YEARLY", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYSETPOS", "WKST"] {
        assert!(has(part) >= 20, "{part}");
    }
    compare(&all);
}

fn list<T: Clone + std::fmt::Debug + ToString + 'static>(all: Vec<T>) -> BoxedStrategy<Option<String>> {
    let some = subsequence(all, 1..=3);
    proptest::option::of(some.prop_map(|some| some.iter().map(T::to_string).collect::<Vec<_>>().join(","))).boxed()
}

/// A rule without an end.
fn rules() -> impl Strategy<Value = String> {
    let frequency = select(vec!["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]);
    let month_days = list(vec![1, 13, 28, 29, 30, 31, -1, -30]);
    let plain = list(vec!["MO", "TU", "WE", "TH", "FR", "SA", "SU"]);
    let numbered = list(vec!["1MO", "2SA", "3SU", "4FR", "5WE", "-1TH", "-2TU", "-4SA"]);
    let places = list(vec![1, 2, 3, -1, -2]);
    let months = list((1..=12).collect());
    (frequency, 1u16..5, months, month_days, plain, numbered, places, select(vec!["MO", "SU", "TH"])).prop_map(
        |(frequency, interval, months, month_days, plain, numbered, places, week_starts)| {
            let weekly = frequency == "WEEKLY";
            let numbered = numbered.filter(|_| matches!(frequency, "MONTHLY" | "YEARLY"));
            // dateutil wants a day that is both plain and numbered where the standard wants either.
            let weekdays = numbered.or(plain);
            let month_days = month_days.filter(|_| !weekly);
            // In the first week, dateutil counts places from the first start instead of the week's own.
            let places = places.filter(|_| !weekly && (weekdays.is_some() || month_days.is_some()));
            let parts = [("BYMONTH", months), ("BYMONTHDAY", month_days), ("BYDAY", weekdays), ("BYSETPOS", places)];
            let parts = parts.into_iter().filter_map(|(name, value)| value.map(|value| format!(";{name}={value}")));
            format!("FREQ={frequency};INTERVAL={interval};WKST={week_starts}{}", parts.collect::<String>())
        },
    )
}

/// A series of such a rule, its first start moved to a day of the rule.
fn series() -> impl Strategy<Value = Series> {
    let end = prop_oneof![(1u32..=60).prop_map(Ok), (0u64..700).prop_map(Err)];
    let first = (0u64..1_500, 0i64..24 * 60);
    let except = proptest::collection::vec(0u64..300, 0..20);
    (rules(), end, first, except, select(&ZONES[..])).prop_filter_map(
        "never falls, ends too late, or has too many days",
        |(endless, end, (first, minute), except, zone)| {
            let first = NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + Days::new(first);
            let rule = Recurrence::parse(&endless).unwrap();
            let first = first.iter_days().take(400).find(|day| rule.days(*day, *day, *day).next().is_some())?;
            let end = match end {
                Ok(count) => format!("COUNT={count}"),
                Err(later) => format!("UNTIL={}", (first + Days::new(later)).format("%Y%m%d")),
            };
            let except = except.into_iter().map(|later| first + Days::new(later)).collect();
            let first = NaiveDateTime::from(first) + TimeDelta::minutes(minute);
            let it = Series { endless, end, first, except, zone };
            // The zones of dateutil end in 2037.
            let ends = |it: Pattern| it.occurrences().last().is_some_and(|last| last.local.year() < 2037);
            it.pattern().is_some_and(ends).then_some(it)
        },
    )
}
