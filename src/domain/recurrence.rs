//! Rules by which days recur, as RFC 5545 writes them (3.3.10). The only place that knows the crate
//! which reads them.
//!
//! The rule of a calendar file is followed once, by the crate. Working hours are asked again and
//! again, for a few weeks that may lie years after the first, and their rules come from outside. The
//! crate steps through every period since the first, and searches on for a day that never comes; so
//! it only reads those rules, and their days are computed here, in time bounded by the weeks asked
//! for.

use std::cmp::Ordering;
use std::iter::successors;

use chrono::{Datelike, Days, Months, NaiveDate, NaiveTime, TimeZone};
use rrule::{Frequency, NWeekday, RRule, RRuleSet, Tz, Unvalidated};
use serde::{Deserialize, Serialize};

use super::text::Fault;

/// The days of a rule that may end by itself (COUNT, UNTIL), from a first day on, in order. Nothing
/// when it is no rule of whole days. The search for a day that never comes ends, but late.
pub fn follow(text: &str, first: NaiveDate) -> Option<impl Iterator<Item = NaiveDate> + use<>> {
    let text = text.trim().to_ascii_uppercase();
    let mut kept = Vec::new();
    for (name, value) in parts(&text)? {
        match name {
            "BYHOUR" | "BYMINUTE" | "BYSECOND" => return None,
            "FREQ" if matches!(value, "HOURLY" | "MINUTELY" | "SECONDLY") => return None,
            // The crate takes a day for midnight on the machine's own clock.
            "UNTIL" if value.len() == 8 => kept.push(format!("UNTIL={value}T000000Z")),
            "UNTIL" => return None,
            _ => kept.push(format!("{name}={value}")),
        }
    }
    let start = midnight(first);
    let rule: RRule<Unvalidated> = kept.join(";").parse().ok()?;
    let set = RRuleSet::new(start).rrule(rule.validate(start).ok()?).limit();
    Some(set.into_iter().map(|at| at.date_naive()))
}

fn midnight(day: NaiveDate) -> chrono::DateTime<Tz> {
    Tz::UTC.from_utc_datetime(&day.and_time(NaiveTime::MIN))
}

/// The parts of a rule in capitals. Nothing when one of them is none, or when a day of the week is
/// misspelt, which the crate would overlook.
pub(super) fn parts(text: &str) -> Option<Vec<(&str, &str)>> {
    let all = text.split(';').filter(|part| !part.is_empty()).map(|part| part.split_once('='));
    let all: Vec<_> = all.collect::<Option<_>>()?;
    let spelt = |(name, value): &(&str, &str)| *name != "BYDAY" || value.split(',').all(is_weekday);
    (text.is_ascii() && all.iter().all(spelt)).then_some(all)
}

/// Whether it is a day of the week, perhaps numbered: `SA`, `2SA`, `-1FR`.
fn is_weekday(text: &str) -> bool {
    let split = text.len().checked_sub(2).and_then(|at| text.split_at_checked(at));
    let is = |(number, day): (&str, &str)| {
        let known = matches!(day, "MO" | "TU" | "WE" | "TH" | "FR" | "SA" | "SU");
        known && (number.is_empty() || number.parse::<i16>().is_ok_and(|number| number != 0))
    };
    split.is_some_and(is)
}

/// A rule of whole days without an end of its own, such as `FREQ=MONTHLY;BYDAY=2SA`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Recurrence {
    text: String,
    // Large beside everything that holds a recurrence.
    rule: Box<RRule<Unvalidated>>,
}

/// The parts a rule may have, in the order in which one is written.
pub(super) const PARTS: [&str; 8] =
    ["FREQ", "INTERVAL", "WKST", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYDAY", "BYSETPOS"];
/// The most characters of a rule.
const LONGEST: usize = 200;
/// The most periods between two in which a rule holds.
const LONGEST_INTERVAL: u16 = 400;
/// Whatever a rule means, it means it within so many years.
const SOON: Months = Months::new(40 * 12);

impl Recurrence {
    /// Reads a rule, with or without `RRULE:` before it.
    pub fn parse(raw: &str) -> Result<Self, Fault> {
        let wrong = || {
            Fault::new(
                "must be a rule of whole days such as FREQ=WEEKLY;INTERVAL=2;BYDAY=SA or FREQ=MONTHLY;BYDAY=2SA, of \
                 FREQ, INTERVAL (1 to 400), WKST, BYMONTH, BYMONTHDAY, BYYEARDAY, BYDAY and BYSETPOS",
            )
        };
        if raw.len() > LONGEST {
            return Err(wrong());
        }
        let capitals = raw.trim().to_ascii_uppercase();
        let text = capitals.strip_prefix("RRULE:").unwrap_or(&capitals);
        let parts = parts(text).ok_or_else(wrong)?;
        if parts.iter().any(|(name, _)| matches!(*name, "COUNT" | "UNTIL")) {
            return Err(Fault::new("must not have COUNT or UNTIL: valid_until is its last day"));
        }
        let known = parts.iter().all(|(name, value)| PARTS.contains(name) && !value.is_empty());
        let rule: RRule<Unvalidated> = text.parse().ok().filter(|_| known).ok_or_else(wrong)?;
        let it = Self { text: text.to_owned(), rule: Box::new(rule) };
        if it.is_sound() { Ok(it) } else { Err(wrong()) }
    }

    /// The rule, without `RRULE:`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn is_sound(&self) -> bool {
        let frequency = self.rule.get_freq();
        let whole = matches!(frequency, Frequency::Daily | Frequency::Weekly | Frequency::Monthly | Frequency::Yearly);
        let numbered = self.rule.get_by_weekday().iter().any(|day| matches!(day, NWeekday::Nth(..)));
        let numbers = !numbered || matches!(frequency, Frequency::Monthly | Frequency::Yearly);
        let interval = (1..=LONGEST_INTERVAL).contains(&self.rule.get_interval());
        whole && numbers && interval && RRule::clone(&self.rule).validate(midnight(NaiveDate::default())).is_ok()
    }

    /// Whether it ever falls on a day, counted from an anchor.
    pub fn falls(&self, anchor: NaiveDate) -> bool {
        anchor.checked_add_months(SOON).is_some_and(|last| self.days(anchor, anchor, last).next().is_some())
    }

    /// Its days from one to another, both included, in order. The anchor is the first day on which
    /// it holds, the one from which its interval counts, and says what the rule leaves open.
    pub fn days(&self, anchor: NaiveDate, first: NaiveDate, last: NaiveDate) -> impl Iterator<Item = NaiveDate> {
        let first = first.max(anchor);
        let interval = i64::from(self.rule.get_interval());
        let anchored = self.period_of(anchor);
        successors(Some(self.period_of(first)), |start| self.period_after(*start))
            .take_while(move |start| *start <= last)
            .filter(move |start| self.periods_between(anchored, *start) % interval == 0)
            .flat_map(move |start| self.days_of_period(start, anchor))
            .filter(move |day| first <= *day && *day <= last)
    }

    /// The first day of the day, week, month or year to which a day belongs.
    fn period_of(&self, day: NaiveDate) -> NaiveDate {
        let into = match self.rule.get_freq() {
            Frequency::Yearly => day.ordinal0(),
            Frequency::Monthly => day.day0(),
            Frequency::Weekly => day.weekday().days_since(self.rule.get_week_start()),
            _ => 0,
        };
        day.checked_sub_days(Days::new(into.into())).unwrap_or(day)
    }

    fn period_after(&self, start: NaiveDate) -> Option<NaiveDate> {
        match self.rule.get_freq() {
            Frequency::Yearly => start.checked_add_months(Months::new(12)),
            Frequency::Monthly => start.checked_add_months(Months::new(1)),
            Frequency::Weekly => start.checked_add_days(Days::new(7)),
            _ => start.succ_opt(),
        }
    }

    fn periods_between(&self, from: NaiveDate, until: NaiveDate) -> i64 {
        let years = i64::from(until.year() - from.year());
        match self.rule.get_freq() {
            Frequency::Yearly => years,
            Frequency::Monthly => 12 * years + i64::from(until.month()) - i64::from(from.month()),
            Frequency::Weekly => (until - from).num_weeks(),
            _ => (until - from).num_days(),
        }
    }

    fn days_of_period(&self, start: NaiveDate, anchor: NaiveDate) -> Vec<NaiveDate> {
        let end = self.period_after(start).unwrap_or(start);
        let days = start.iter_days().take_while(|day| *day < end);
        let fitting: Vec<_> = days.filter(|day| self.fits(*day, anchor)).collect();
        let places = self.rule.get_by_set_pos();
        if places.is_empty() {
            return fitting;
        }
        let chosen = |at: usize| places.iter().any(|place| is_place(*place, at, fitting.len()));
        fitting.iter().enumerate().filter(|(at, _)| chosen(*at)).map(|(_, day)| *day).collect()
    }

    /// Whether a day is one that the parts of the rule allow, whatever its period.
    fn fits(&self, day: NaiveDate, anchor: NaiveDate) -> bool {
        let rule = &self.rule;
        let (months, weekdays) = (rule.get_by_month(), rule.get_by_weekday());
        (months.is_empty() || months.iter().any(|month| u32::from(*month) == day.month()))
            && (weekdays.is_empty() || weekdays.iter().any(|weekday| self.is_weekday(*weekday, day)))
            && is_listed(rule.get_by_month_day(), day.day0(), days_of_month(day))
            && is_listed(rule.get_by_year_day(), day.ordinal0(), days_of_year(day))
            && self.fits_anchor(day, anchor)
    }

    fn is_weekday(&self, weekday: NWeekday, day: NaiveDate) -> bool {
        let of_year = self.rule.get_freq() == Frequency::Yearly && self.rule.get_by_month().is_empty();
        let (at, of) = if of_year { (day.ordinal0(), days_of_year(day)) } else { (day.day0(), days_of_month(day)) };
        match weekday {
            NWeekday::Every(weekday) => day.weekday() == weekday,
            NWeekday::Nth(place, weekday) => {
                let (before, after) = (i64::from(at / 7), i64::from((of - 1 - at) / 7));
                day.weekday() == weekday && (i64::from(place) == before + 1 || i64::from(place) == -after - 1)
            }
        }
    }

    /// What a rule leaves open, its anchor says: the day of the week, of the month, of the year.
    fn fits_anchor(&self, day: NaiveDate, anchor: NaiveDate) -> bool {
        let rule = &self.rule;
        let says = !rule.get_by_weekday().is_empty()
            || !rule.get_by_month_day().is_empty()
            || !rule.get_by_year_day().is_empty();
        says || match rule.get_freq() {
            Frequency::Yearly if rule.get_by_month().is_empty() => {
                (day.month(), day.day()) == (anchor.month(), anchor.day())
            }
            Frequency::Yearly | Frequency::Monthly => day.day() == anchor.day(),
            Frequency::Weekly => day.weekday() == anchor.weekday(),
            _ => true,
        }
    }
}

/// Whether one of the places is that of an index, or there are none.
fn is_listed<P: Copy + Into<i32>>(places: &[P], at: u32, of: u32) -> bool {
    places.is_empty() || places.iter().any(|place| is_place((*place).into(), at as usize, of as usize))
}

/// Whether a place, counted from 1 or backwards from -1, is the one at an index among so many.
fn is_place(place: i32, at: usize, of: usize) -> bool {
    match usize::try_from(place) {
        Ok(place) => place == at + 1,
        Err(_) => usize::try_from(-i64::from(place)).is_ok_and(|back| back + at == of),
    }
}

fn days_of_month(day: NaiveDate) -> u32 {
    day.num_days_in_month().into()
}

fn days_of_year(day: NaiveDate) -> u32 {
    if day.leap_year() { 366 } else { 365 }
}

impl PartialEq for Recurrence {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Recurrence {}

impl PartialOrd for Recurrence {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Recurrence {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl TryFrom<String> for Recurrence {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        Self::parse(&text)
    }
}

impl From<Recurrence> for String {
    fn from(it: Recurrence) -> String {
        it.text
    }
}

#[cfg(test)]
mod tests;
