//! Instants, civil time and intervals, minute by minute.

use super::*;
use proptest::prelude::*;

const ZONES: [&str; 6] =
    ["America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Apia"];

fn at(civil: &str, zone: &str) -> String {
    let civil = NaiveDateTime::parse_from_str(civil, "%Y-%m-%d %H:%M").unwrap();
    resolve(civil, zone.parse().unwrap()).format("%Y-%m-%dT%H:%MZ").to_string()
}

#[test]
fn a_skipped_time_moves_to_the_first_valid_instant() {
    assert_eq!(at("2027-03-14 02:30", "America/New_York"), "2027-03-14T07:00Z");
    assert_eq!(at("2027-03-28 01:00", "Europe/London"), "2027-03-28T01:00Z");
    assert_eq!(at("2027-10-03 02:15", "Australia/Lord_Howe"), "2027-10-02T15:30Z");
    // To the nanosecond: a database keeps less.
    let midnight = "2026-03-29T00:00:00".parse().unwrap();
    assert_eq!(resolve(midnight, "Asia/Beirut".parse().unwrap()).to_rfc3339(), "2026-03-28T22:00:00+00:00");
    // A whole day was skipped when the date line moved.
    assert_eq!(at("2011-12-30 12:00", "Pacific/Apia"), "2011-12-30T10:00Z");
}

#[test]
fn a_repeated_time_takes_the_earlier_offset() {
    assert_eq!(at("2027-11-07 01:30", "America/New_York"), "2027-11-07T05:30Z");
    assert_eq!(at("2027-10-31 01:30", "Europe/London"), "2027-10-31T00:30Z");
    assert_eq!(at("2027-04-04 01:45", "Australia/Lord_Howe"), "2027-04-03T14:45Z");
    assert_eq!(at("2027-04-04 10:00", "Asia/Kolkata"), "2027-04-04T04:30Z");
}

#[test]
fn a_day_has_as_many_hours_as_the_clocks_give_it() {
    let hours = |day: &str, zone: &str| {
        Span::of_day(day.parse().unwrap(), zone.parse().unwrap()).unwrap().length().num_minutes()
    };
    assert_eq!(hours("2027-03-14", "America/New_York"), 23 * 60);
    assert_eq!(hours("2027-11-07", "America/New_York"), 25 * 60);
    assert_eq!(hours("2027-04-04", "Australia/Lord_Howe"), 24 * 60 + 30);
    assert_eq!(hours("2027-04-04", "Asia/Kolkata"), 24 * 60);
}

fn instants() -> impl Strategy<Value = DateTime<Utc>> {
    // 2000 to 2060, in minutes.
    (15_778_080i64..47_336_400).prop_map(|minutes| DateTime::from_timestamp(minutes * 60, 0).unwrap())
}

fn zones() -> impl Strategy<Value = Tz> {
    proptest::sample::select(&ZONES[..]).prop_map(|name| name.parse().unwrap())
}

proptest! {
    #[test]
    fn what_exists_resolves_to_itself_or_its_first_occurrence(at in instants(), zone in zones()) {
        let civil = at.with_timezone(&zone).naive_local();
        let resolved = resolve(civil, zone);
        prop_assert_eq!(resolved.with_timezone(&zone).naive_local(), civil);
        prop_assert!(resolved <= at);
    }

    #[test]
    fn later_civil_time_is_never_an_earlier_instant_of_a_day(at in instants(), zone in zones(), more in 0i64..600) {
        // Except inside a repeated hour, where both take the earlier offset.
        let civil = at.with_timezone(&zone).naive_local();
        prop_assert!(resolve(civil, zone) <= resolve(civil + TimeDelta::minutes(more), zone) + TimeDelta::hours(1));
    }

    #[test]
    fn the_grid_is_found_minute_by_minute(at in instants(), zone in zones(), step in proptest::sample::select(&[5u32, 10, 15, 20, 30, 60][..])) {
        let found = next_on_grid(at, step, zone);
        let on_grid = |at: DateTime<Utc>| at.with_timezone(&zone).minute().is_multiple_of(step);
        let mut expected = at;
        while !on_grid(expected) {
            expected += TimeDelta::minutes(1);
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn joined_spans_answer_like_the_spans_themselves(
        raw in proptest::collection::vec((0i64..500, 1i64..50), 0..12),
        (from, length) in (0i64..550, 1i64..60),
    ) {
        let span = |(from, length): &(i64, i64)| {
            let at = DateTime::UNIX_EPOCH + TimeDelta::minutes(*from);
            Span::lasting(at, TimeDelta::minutes(*length)).unwrap()
        };
        let joined: Spans = raw.iter().map(span).collect();
        let asked = span(&(from, length));
        prop_assert_eq!(joined.overlap(asked), raw.iter().any(|it| span(it).overlaps(asked)));
        let minutes = (from..from + length).all(|minute| raw.iter().any(|it| span(it).contains(span(&(minute, 1)))));
        prop_assert_eq!(joined.contain(asked), minutes);
    }

    #[test]
    fn what_is_left_are_the_minutes_of_one_and_not_of_the_other(
        one in proptest::collection::vec((0i64..300, 1i64..50), 0..8),
        other in proptest::collection::vec((0i64..300, 1i64..50), 0..8),
    ) {
        let span = |(from, length): &(i64, i64)| {
            let at = DateTime::UNIX_EPOCH + TimeDelta::minutes(*from);
            Span::lasting(at, TimeDelta::minutes(*length)).unwrap()
        };
        let (one, other): (Spans, Spans) = (one.iter().map(span).collect(), other.iter().map(span).collect());
        let left = one.minus(&other);
        for minute in (0..350).map(|from| span(&(from, 1))) {
            prop_assert_eq!(left.overlap(minute), one.overlap(minute) && !other.overlap(minute));
        }
        // In order, none empty, none touching another.
        prop_assert_eq!(&left.0.iter().copied().collect::<Spans>(), &left);
    }

    #[test]
    fn a_span_touches_the_days_its_instants_are_on(at in instants(), zone in zones(), minutes in 1i64..4000) {
        let span = Span::lasting(at, TimeDelta::minutes(minutes)).unwrap();
        let days: Vec<_> = span.local_days(zone).collect();
        for minute in 0..minutes {
            prop_assert!(days.contains(&local_day(at + TimeDelta::minutes(minute), zone)));
        }
        for day in days {
            // A day that the date line swallowed has no instants.
            prop_assert!(Span::of_day(day, zone).is_none_or(|day| day.overlaps(span)));
        }
    }
}
