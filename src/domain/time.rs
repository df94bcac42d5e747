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
    // Local time jumps over `civil` at exactly one instant between the two, which is a whole second of every zone.
    while after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((after - before).num_seconds() / 2);
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

/// The Monday with which the week of a day begins.
pub fn monday_of(day: NaiveDate) -> NaiveDate {
    day - Days::new(u64::from(day.weekday().num_days_from_monday()))
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

    /// What is in these intervals and in none of the others.
    #[must_use]
    pub fn minus(&self, others: &Spans) -> Spans {
        let mut left = Vec::with_capacity(self.0.len());
        for span in &self.0 {
            let mut from = span.starts_at;
            let past = others.0.partition_point(|other| other.ends_at <= span.starts_at);
            for other in others.0[past..].iter().take_while(|other| other.starts_at < span.ends_at) {
                left.extend(Span::new(from, other.starts_at));
                from = other.ends_at;
            }
            left.extend(Span::new(from, span.ends_at));
        }
        Spans(left)
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
mod tests;
