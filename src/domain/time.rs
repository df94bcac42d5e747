//! Instants, civil time, and the one policy that joins them.
//!
//! Rules that a person states in local time are computed in an IANA zone. A local time that a
//! clock change skips moves forward to the first valid instant; one that occurs twice takes the
//! earlier offset. A session's length is elapsed time.

use chrono::{
    DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike, Utc,
    Weekday,
};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::text::Fault;

/// The instant of a civil time in a zone, by the policy of this module.
pub fn resolve(civil: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    match zone.from_local_datetime(&civil) {
        LocalResult::Single(at) => at.to_utc(),
        LocalResult::Ambiguous(earlier, later) => earlier.to_utc().min(later.to_utc()),
        LocalResult::None => first_valid_after(civil, zone),
    }
}

/// The end of the gap that swallows `civil`: the instant at which the clock jumped. An hour or
/// half an hour is usual, a whole day has happened (Samoa 2011).
fn first_valid_after(civil: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    let mut before = zone.from_utc_datetime(&(civil - TimeDelta::days(2))).to_utc();
    let mut after = before + TimeDelta::days(4);
    // Local time jumps over `civil` at exactly one instant between the two.
    while after - before > TimeDelta::microseconds(1) {
        let middle = before + (after - before) / 2;
        if middle.with_timezone(&zone).naive_local() < civil {
            before = middle;
        } else {
            after = middle;
        }
    }
    after
}

/// The local calendar day of an instant.
pub fn local_day(at: DateTime<Utc>, zone: Tz) -> NaiveDate {
    at.with_timezone(&zone).date_naive()
}

/// A half-open interval of instants, `[starts_at, ends_at)`; never empty or backwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
}

impl Span {
    /// The interval between two instants, or nothing if it were empty.
    pub fn new(starts_at: DateTime<Utc>, ends_at: DateTime<Utc>) -> Option<Self> {
        (starts_at < ends_at).then_some(Self { starts_at, ends_at })
    }

    /// The interval that begins at an instant and lasts for a while.
    pub fn lasting(starts_at: DateTime<Utc>, length: TimeDelta) -> Option<Self> {
        Self::new(starts_at, starts_at.checked_add_signed(length)?)
    }

    /// The interval between two civil times of one local day.
    pub fn local(day: NaiveDate, starts: DayTime, ends: DayTime, zone: Tz) -> Option<Self> {
        Self::new(resolve(starts.on(day), zone), resolve(ends.on(day), zone))
    }

    /// The whole local day.
    pub fn of_day(day: NaiveDate, zone: Tz) -> Option<Self> {
        Self::local(day, DayTime::MIDNIGHT, DayTime::END_OF_DAY, zone)
    }

    /// First instant inside.
    pub fn starts_at(self) -> DateTime<Utc> {
        self.starts_at
    }

    /// First instant after.
    pub fn ends_at(self) -> DateTime<Utc> {
        self.ends_at
    }

    /// Elapsed time.
    pub fn length(self) -> TimeDelta {
        self.ends_at - self.starts_at
    }

    /// Whether the two share an instant.
    pub fn overlaps(self, other: Span) -> bool {
        self.starts_at < other.ends_at && other.starts_at < self.ends_at
    }

    /// Whether all of `other` lies inside.
    pub fn contains(self, other: Span) -> bool {
        self.starts_at <= other.starts_at && other.ends_at <= self.ends_at
    }

    /// The interval grown at both ends.
    pub fn padded(self, before: TimeDelta, after: TimeDelta) -> Self {
        Self { starts_at: self.starts_at - before, ends_at: self.ends_at + after }
    }

    /// The local calendar days it touches, in order.
    pub fn local_days(self, zone: Tz) -> impl Iterator<Item = NaiveDate> {
        let first = local_day(self.starts_at, zone);
        let last = local_day(self.ends_at - TimeDelta::microseconds(1), zone);
        first.iter_days().take_while(move |day| *day <= last)
    }
}

/// Intervals in order, those that touch or overlap joined into one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spans(Vec<Span>);

impl Spans {
    /// The intervals, joined.
    pub fn joined(&self) -> &[Span] {
        &self.0
    }

    /// Whether any of them shares an instant with `span`.
    pub fn overlap(&self, span: Span) -> bool {
        self.after(span.starts_at).is_some_and(|next| next.overlaps(span))
    }

    /// Whether one of them holds all of `span`.
    pub fn contain(&self, span: Span) -> bool {
        self.after(span.starts_at).is_some_and(|next| next.contains(span))
    }

    /// The first that ends after an instant.
    fn after(&self, at: DateTime<Utc>) -> Option<Span> {
        self.0.get(self.0.partition_point(|span| span.ends_at <= at)).copied()
    }
}

impl FromIterator<Span> for Spans {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        let mut all: Vec<Span> = spans.into_iter().collect();
        all.sort_unstable();
        let mut joined: Vec<Span> = Vec::with_capacity(all.len());
        for span in all {
            match joined.last_mut() {
                Some(last) if span.starts_at <= last.ends_at => last.ends_at = last.ends_at.max(span.ends_at),
                _ => joined.push(span),
            }
        }
        Self(joined)
    }
}

/// A time of day in whole minutes, 00:00 to 24:00.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DayTime {
    minutes: u16,
}

impl DayTime {
    /// The start of a day.
    pub const MIDNIGHT: Self = Self { minutes: 0 };
    /// The end of a day, which is the start of the next.
    pub const END_OF_DAY: Self = Self { minutes: 24 * 60 };

    /// An hour (0 to 24) and a minute; 24 only with minute 0.
    pub fn new(hour: u32, minute: u32) -> Option<Self> {
        let minutes = hour.checked_mul(60)?.checked_add(minute)?;
        (minute < 60 && minutes <= 24 * 60).then_some(Self { minutes: u16::try_from(minutes).ok()? })
    }

    /// The hour, 0 to 24.
    pub fn hour(self) -> u32 {
        u32::from(self.minutes / 60)
    }

    /// The minute of the hour.
    pub fn minute(self) -> u32 {
        u32::from(self.minutes % 60)
    }

    /// This time on a day.
    pub fn on(self, day: NaiveDate) -> NaiveDateTime {
        day.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(self.minutes))
    }

    /// Reads `HH:MM`.
    pub fn parse(raw: &str) -> Result<Self, Fault> {
        let wrong = || Fault::new("must be a time of day as HH:MM, 00:00 to 24:00");
        let (hour, minute) = raw.trim().split_once(':').ok_or_else(wrong)?;
        let two = |text: &str| match text.len() {
            2 if text.bytes().all(|b| b.is_ascii_digit()) => text.parse::<u32>().ok(),
            _ => None,
        };
        two(hour).zip(two(minute)).and_then(|(hour, minute)| Self::new(hour, minute)).ok_or_else(wrong)
    }
}

impl std::fmt::Display for DayTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.hour(), self.minute())
    }
}

impl TryFrom<String> for DayTime {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        Self::parse(&text)
    }
}

impl From<DayTime> for String {
    fn from(time: DayTime) -> String {
        time.to_string()
    }
}

super::code::words! {
    /// A day of the week.
    Day {
        /// Monday.
        Monday = "MON",
        /// Tuesday.
        Tuesday = "TUE",
        /// Wednesday.
        Wednesday = "WED",
        /// Thursday.
        Thursday = "THU",
        /// Friday.
        Friday = "FRI",
        /// Saturday.
        Saturday = "SAT",
        /// Sunday.
        Sunday = "SUN",
    }
}

impl Day {
    /// The weekday of a date.
    pub fn of(date: NaiveDate) -> Self {
        match date.weekday() {
            Weekday::Mon => Day::Monday,
            Weekday::Tue => Day::Tuesday,
            Weekday::Wed => Day::Wednesday,
            Weekday::Thu => Day::Thursday,
            Weekday::Fri => Day::Friday,
            Weekday::Sat => Day::Saturday,
            Weekday::Sun => Day::Sunday,
        }
    }
}

/// Reads a calendar date, `YYYY-MM-DD`.
pub fn parse_date(raw: &str) -> Result<NaiveDate, Fault> {
    let wrong = || Fault::new("must be a date as YYYY-MM-DD, from 1900 to 2200");
    let text = raw.trim();
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| wrong())?;
    sensible(date).filter(|_| text.len() == 10).ok_or_else(wrong)
}

/// The date, if it lies in the years this service can mean.
pub fn sensible(date: NaiveDate) -> Option<NaiveDate> {
    (1900..=2200).contains(&date.year()).then_some(date)
}

/// The first instant, at or after `at`, that lies on a grid of `step_minutes` within the local
/// hour. The step must divide 60.
pub fn next_on_grid(at: DateTime<Utc>, step_minutes: u32, zone: Tz) -> DateTime<Utc> {
    let step = i64::from(step_minutes) * 60_000_000;
    let mut at = at;
    loop {
        let local = at.with_timezone(&zone).naive_local();
        let into_hour = i64::from(local.minute()) * 60_000_000
            + i64::from(local.second()) * 1_000_000
            + i64::from(local.nanosecond() / 1_000);
        match into_hour % step {
            0 => return at,
            // A clock change may lie in between, so the result is looked at again.
            past => at += TimeDelta::microseconds(step - past),
        }
    }
}

/// The days from one to another, both included, with a day to spare at both ends: enough to hold
/// every local day that touches the span in any zone.
pub fn days_around(span: Span) -> impl Iterator<Item = NaiveDate> {
    let first = span.starts_at.date_naive() - Days::new(1);
    let last = span.ends_at.date_naive() + Days::new(1);
    first.iter_days().take_while(move |day| *day <= last)
}

#[cfg(test)]
mod tests {
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
}
