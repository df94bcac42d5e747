//! The days of a series: a rule that ends by itself, a first local start, and days left out.
//!
//! As RFC 5545 has it (3.3.10, 3.8.5.1): COUNT counts days before exceptions are taken out, and an
//! interval counts from the first start. What it leaves undefined, a first start that is no day of
//! its own rule, is refused. Which days a rule has, `recurrence` knows.

use std::collections::BTreeSet;

use chrono::{DateTime, Months, NaiveDate, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use super::recurrence::{PARTS, Recurrence, parts};
use super::text::Fault;
use super::time::{resolve, sensible};

/// The most days of a series, those left out included \[P\].
pub const MOST_OCCURRENCES: u32 = 60;
/// The most days left out \[P\].
pub const MOST_EXCEPTIONS: usize = 60;
/// A series ends within ten years of its first start \[P\].
const LONGEST: Months = Months::new(10 * 12);
/// How far beyond its end a rule is followed: five years \[P\].
const BEYOND: Months = Months::new(5 * 12);
/// The most characters of a rule with its end.
const LONGEST_TEXT: usize = 240;

/// A pattern of 1 to 60 local starts at one time of day, in order. Local time is kept through clock
/// changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    rule: Rule,
    first: NaiveDateTime,
    except: BTreeSet<NaiveDate>,
    zone: Tz,
    /// The days of the rule up to its end, the exceptions among them; never empty.
    days: Vec<NaiveDate>,
}

/// One session of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Occurrence {
    /// Its place in the series: from 1 on, without gaps.
    pub number: u32,
    /// When it starts, in the zone of the pattern.
    pub local: NaiveDateTime,
}

/// What a pattern is made of, to say which part of it is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The rule and its end.
    Rule,
    /// The first local start.
    First,
    /// The days left out.
    Exceptions,
}

impl Pattern {
    /// The pattern of a rule with COUNT or UNTIL, such as `FREQ=WEEKLY;BYDAY=TU;COUNT=12`, of a first
    /// start in whole minutes on a day of that rule, and of days to leave out, whether or not the
    /// rule has them.
    ///
    /// UNTIL is a local day that still counts, whole. Written as a date it is that day; as a local
    /// time, the day of it; as a time in UTC, the day in the zone on which that instant falls.
    ///
    /// # Errors
    /// Every part that is wrong, with what would be right.
    pub fn new(rule: &str, first: NaiveDateTime, except: &[NaiveDate], zone: Tz) -> Result<Self, Vec<(Part, Fault)>> {
        let parsed = Rule::parse(rule, zone).map_err(|fault| (Part::Rule, fault));
        let start = whole_minute(first).map_err(|fault| (Part::First, fault));
        let days = match (&parsed, &start) {
            (Ok(rule), Ok(())) => rule.days_from(first.date()),
            _ => Ok(Vec::new()),
        };
        let except = match &days {
            _ if except.len() > MOST_EXCEPTIONS => Err(format!("must be at most {MOST_EXCEPTIONS} days")),
            Ok(days) if !days.is_empty() && days.iter().all(|day| except.contains(day)) => {
                Err("must leave at least one day of the rule".to_owned())
            }
            _ => Ok(except.iter().copied().collect()),
        };
        let except = except.map_err(|says| (Part::Exceptions, Fault::new(says)));
        match (parsed, start, days, except) {
            (Ok(rule), Ok(()), Ok(days), Ok(except)) => Ok(Self { rule, first, except, zone, days }),
            (rule, start, days, except) => {
                Err([rule.err(), start.err(), days.err(), except.err()].into_iter().flatten().collect())
            }
        }
    }

    /// Its sessions, in order: at least one.
    pub fn occurrences(&self) -> Vec<Occurrence> {
        let kept = self.days.iter().filter(|day| !self.except.contains(day));
        (1..).zip(kept).map(|(number, day)| Occurrence { number, local: day.and_time(self.first.time()) }).collect()
    }

    /// The local starts that the same rule would have after its own end and after a day, so that one
    /// that is skipped can be made up at the end: neither one of [`Pattern::occurrences`] nor on a day
    /// left out. They end five years after the later of the two.
    pub fn further(&self, after: NaiveDate) -> impl Iterator<Item = NaiveDateTime> {
        let end = self.days.last().copied().unwrap_or(self.first.date());
        let after = end.max(after);
        let days = after.succ_opt().zip(after.checked_add_months(BEYOND)).into_iter();
        days.flat_map(|(from, until)| self.rule.recurrence.days(self.first.date(), from, until))
            .filter(|day| !self.except.contains(day))
            .map(|day| day.and_time(self.first.time()))
    }

    /// The instant of a local start: a time that a clock change skips moves to the first valid
    /// instant, one that occurs twice takes the earlier offset.
    pub fn starts_at(&self, local: NaiveDateTime) -> DateTime<Utc> {
        resolve(local, self.zone)
    }

    /// The rule in capitals, its parts in one order, with its end as a count or a day. It reads back
    /// as the same pattern, but is no iCalendar: there, UNTIL of a timed event is an instant.
    pub fn rule(&self) -> String {
        match self.rule.end {
            End::Count(count) => format!("{};COUNT={count}", self.rule.recurrence.as_str()),
            End::Until(day) => format!("{};UNTIL={}", self.rule.recurrence.as_str(), day.format("%Y%m%d")),
        }
    }

    /// The first local start of the rule, which may be one that is left out.
    pub fn first(&self) -> NaiveDateTime {
        self.first
    }

    /// The days left out, whether or not the rule has them.
    pub fn exceptions(&self) -> &BTreeSet<NaiveDate> {
        &self.except
    }

    /// The zone of its local times.
    pub fn zone(&self) -> Tz {
        self.zone
    }
}

fn whole_minute(first: NaiveDateTime) -> Result<(), Fault> {
    if first.second() != 0 || first.nanosecond() != 0 {
        return Err(Fault::new("must be in whole minutes"));
    }
    sensible(first.date()).map(drop).ok_or_else(|| Fault::new("must be from 1900 to 2200"))
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    recurrence: Recurrence,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// After so many days, at most [`MOST_OCCURRENCES`].
    Count(u32),
    /// After a local day.
    Until(NaiveDate),
}

impl Rule {
    fn parse(raw: &str, zone: Tz) -> Result<Self, Fault> {
        let wrong = || {
            Fault::new(
                "must be a rule of whole days such as FREQ=WEEKLY;BYDAY=TU;COUNT=12 or \
                 FREQ=MONTHLY;BYDAY=2SA;UNTIL=20271231, of FREQ, INTERVAL (1 to 400), WKST, BYMONTH, BYMONTHDAY, \
                 BYYEARDAY, BYDAY and BYSETPOS, and of COUNT or UNTIL",
            )
        };
        if raw.len() > LONGEST_TEXT {
            return Err(wrong());
        }
        let capitals = raw.trim().to_ascii_uppercase();
        let all = parts(capitals.strip_prefix("RRULE:").unwrap_or(&capitals)).ok_or_else(wrong)?;
        let (ends, mut days): (Vec<_>, Vec<_>) = all.into_iter().partition(|(name, _)| END.contains(name));
        // What goes without saying is not said, so that one rule has one text.
        days.retain(|part| !matches!(part, ("INTERVAL", "1") | ("WKST", "MO")));
        days.sort_by_key(|(name, _)| PARTS.iter().position(|part| part == name));
        let days: Vec<_> = days.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        let recurrence = Recurrence::parse(&days.join(";")).map_err(|_| wrong())?;
        let end = match ends[..] {
            [(COUNT, count)] => End::count(count)?,
            [(_, until)] => End::until(until, zone)?,
            _ => return Err(Fault::new("must have exactly one end, COUNT or UNTIL")),
        };
        Ok(Self { recurrence, end })
    }

    /// Its days from the first on, which must be one of them.
    fn days_from(&self, first: NaiveDate) -> Result<Vec<NaiveDate>, (Part, Fault)> {
        let wrong = |says: &str| Err((Part::Rule, Fault::new(says)));
        let most = first.checked_add_months(LONGEST).unwrap_or(first);
        let (count, last) = match self.end {
            End::Until(day) if day < first => return wrong("must not have an UNTIL before the first start"),
            End::Until(day) if day > most => return wrong(TOO_LONG),
            End::Until(day) => (MOST_OCCURRENCES + 1, day),
            End::Count(count) => (count, most),
        };
        let days: Vec<_> = self.recurrence.days(first, first, last).take(count as usize).collect();
        match self.end {
            _ if days.first() != Some(&first) => {
                Err((Part::First, Fault::new("must be on a day of the rule, of which it is the first")))
            }
            End::Until(_) if days.len() > MOST_OCCURRENCES as usize => wrong(TOO_MANY),
            End::Count(count) if days.len() < count as usize => wrong(TOO_LONG),
            _ => Ok(days),
        }
    }
}

const COUNT: &str = "COUNT";
const END: [&str; 2] = [COUNT, "UNTIL"];
const TOO_MANY: &str = "must have 1 to 60 days, those left out included";
const TOO_LONG: &str = "must end within ten years of the first start";

impl End {
    fn count(text: &str) -> Result<Self, Fault> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let count = text.parse().ok().filter(|count| digits && (1..=MOST_OCCURRENCES).contains(count));
        count.map(End::Count).ok_or_else(|| Fault::new(TOO_MANY))
    }

    fn until(text: &str, zone: Tz) -> Result<Self, Fault> {
        let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        let time = |text| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok();
        let day = match shape.as_str() {
            "00000000" => NaiveDate::parse_from_str(text, "%Y%m%d").ok(),
            "00000000T000000" => time(text).map(|local| local.date()),
            "00000000T000000Z" => time(text.trim_end_matches('Z')).map(|at| zone.from_utc_datetime(&at).date_naive()),
            _ => None,
        };
        day.map(End::Until).ok_or_else(|| {
            Fault::new("must have an UNTIL that is a day or a time, such as 20271231 or 20271231T235959Z")
        })
    }
}

#[cfg(test)]
mod tests;
