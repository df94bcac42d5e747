//! Reads the cells of a row, and remembers everything that is wrong with them. One form for each
//! kind of value: dates `YYYY-MM-DD`, civil times `YYYY-MM-DD HH:MM`, times of day `HH:MM`, lists
//! with ";" between the values, `yes` or `no`, whole minutes.

use std::ops::RangeInclusive;
use std::str::FromStr;

use chrono::{NaiveDateTime, TimeDelta};
use csv::StringRecord;

use super::known::{Known, Reference, Referred, Target};
use super::problem::Problem;
use super::sheet::{Line, Sheet};
use crate::domain::personal::Personal;
use crate::domain::text::{Code, Fault, bounded};
use crate::domain::time::{DayTime, parse_date};

/// The most values of a list.
const MOST_VALUES: usize = 100;

/// The cells of one row. A getter gives nothing for a wrong cell, and [`Cells::finish`] then gives
/// nothing for the row.
pub struct Cells<'r> {
    line: Line,
    record: &'r StringRecord,
    wrong: Vec<Problem>,
}

impl<'r> Cells<'r> {
    /// The cells of a row of a sheet.
    pub fn new(line: Line, record: &'r StringRecord) -> Self {
        Self { line, record, wrong: Vec::new() }
    }

    /// The row's line.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// The text of a cell.
    pub fn text(&self, column: &str) -> &'r str {
        Sheet::cell(&self.line, self.record, column)
    }

    /// The texts of some columns, as one key.
    pub fn key(&self, columns: &[&str]) -> String {
        columns.iter().map(|column| self.text(column)).collect::<Vec<_>>().join("/")
    }

    /// As what other rows refer to what this row is about.
    pub fn reference(&self, target: Target) -> Option<Reference> {
        let column = if target == Target::Client { "file_number" } else { "code" };
        let code = Code::parse(self.text(column)).ok()?;
        self.named(target, code.as_str()).ok().flatten()
    }

    /// What a text names in this row.
    fn named(&self, target: Target, raw: &str) -> Result<Option<Reference>, Fault> {
        let named = Reference::read(target, self.text("organisation"), raw)?;
        Ok(match target {
            Target::Guardian => named.zip(Code::parse(self.text("client")).ok()).map(|(it, client)| it.of(client)),
            _ => named,
        })
    }

    /// The counsellor whom a row about hours or leave names.
    pub fn counsellor(&self) -> Option<Reference> {
        self.references(&[("counsellor", Target::Counsellor)]).pop()
    }

    /// Notes a wrong cell.
    pub fn wrong<T>(&mut self, column: &str, says: impl Into<String>) -> Option<T> {
        self.wrong.push(self.line.problem(column, says));
        None
    }

    /// What is wrong so far, taken out.
    pub fn take_problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.wrong)
    }

    /// The value built from the cells, unless one of them is wrong.
    pub fn finish<T>(&self, build: impl FnOnce() -> Option<T>) -> Option<T> {
        build().filter(|_| self.wrong.is_empty())
    }

    /// A cell that some parser of the domain understands.
    pub fn parse<T>(&mut self, column: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<T> {
        parse(self.text(column)).map_err(|fault| self.wrong::<T>(column, fault.to_string())).ok()
    }

    /// As [`Cells::parse`], or none when empty.
    pub fn maybe<T>(&mut self, column: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<Option<T>> {
        if self.text(column).is_empty() { Some(None) } else { self.parse(column, parse).map(Some) }
    }

    /// A code.
    pub fn code(&mut self, column: &str) -> Option<Code> {
        self.parse(column, Code::parse)
    }

    /// A word of a closed list.
    pub fn word<W: FromStr<Err = Fault>>(&mut self, column: &str) -> Option<W> {
        self.parse(column, str::parse)
    }

    /// Text about a person, of so many characters.
    pub fn personal(&mut self, column: &str, length: RangeInclusive<usize>) -> Option<Personal> {
        self.parse(column, |raw| bounded(raw, length.clone())).map(Personal::new)
    }

    /// A list of at least one value, none of them twice.
    pub fn list<T: PartialEq>(&mut self, column: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<Vec<T>> {
        let read = |raw: &str| {
            let values = raw.split(';').take(MOST_VALUES + 1).map(|value| parse(value.trim()));
            let values = values.collect::<Result<Vec<T>, Fault>>()?;
            if values.len() > MOST_VALUES {
                Err(Fault::new(format!("must have at most {MOST_VALUES} values")))
            } else if values.iter().enumerate().any(|(at, value)| values[..at].contains(value)) {
                Err(Fault::new("must not repeat a value"))
            } else {
                Ok(values)
            }
        };
        self.parse(column, read)
    }

    /// `yes` or `no`; empty is no.
    pub fn flag(&mut self, column: &str) -> Option<bool> {
        match self.text(column) {
            "yes" => Some(true),
            "no" | "" => Some(false),
            _ => self.wrong(column, "must be yes or no"),
        }
    }

    /// Whole minutes within bounds, or a default when empty.
    pub fn minutes(&mut self, column: &str, bounds: RangeInclusive<TimeDelta>, absent: TimeDelta) -> Option<TimeDelta> {
        let (least, most) = (bounds.start().num_minutes(), bounds.end().num_minutes());
        let read = |raw: &str| {
            let minutes = raw.parse().ok().filter(|minutes| (least..=most).contains(minutes));
            let wrong = || Fault::new(format!("must be {least} to {most} whole minutes"));
            minutes.map(TimeDelta::minutes).ok_or_else(wrong)
        };
        self.maybe(column, read).map(|minutes| minutes.unwrap_or(absent))
    }

    /// A whole number within bounds, or none when empty.
    pub fn maybe_count(&mut self, column: &str, bounds: RangeInclusive<u32>) -> Option<Option<u32>> {
        self.maybe(column, |raw| {
            let wrong = || Fault::new(format!("must be {} to {}", bounds.start(), bounds.end()));
            raw.parse().ok().filter(|count| bounds.contains(count)).ok_or_else(wrong)
        })
    }

    /// Whole days within bounds, or a default when empty.
    pub fn days(&mut self, column: &str, bounds: RangeInclusive<i64>, absent: TimeDelta) -> Option<TimeDelta> {
        let read = |raw: &str| {
            let wrong = || Fault::new(format!("must be {} to {} whole days", bounds.start(), bounds.end()));
            raw.parse().ok().filter(|days| bounds.contains(days)).map(TimeDelta::days).ok_or_else(wrong)
        };
        self.maybe(column, read).map(|days| days.unwrap_or(absent))
    }

    /// Whole minutes within bounds.
    pub fn length(&mut self, column: &str, bounds: RangeInclusive<TimeDelta>) -> Option<TimeDelta> {
        if self.text(column).is_empty() {
            return self.wrong(column, "must not be empty");
        }
        self.minutes(column, bounds, TimeDelta::zero())
    }

    /// A civil time.
    pub fn civil(&mut self, column: &str) -> Option<NaiveDateTime> {
        self.parse(column, |raw| {
            let wrong = || Fault::new("must be a date and a time as YYYY-MM-DD HH:MM");
            let (date, time) = raw.split_once(' ').ok_or_else(wrong)?;
            let date = parse_date(date).map_err(|_| wrong())?;
            Ok(DayTime::parse(time).map_err(|_| wrong())?.on(date))
        })
    }

    /// The id of what a cell names by its code. Nothing, and no problem, when what it names stands
    /// in the import and is itself wrong.
    pub fn refer<I: Referred>(&mut self, column: &str, known: &Known) -> Option<I> {
        let raw = self.text(column);
        match self.named(I::TARGET, raw) {
            Ok(reference) => match known.id(&reference?, !raw.contains('/')) {
                Ok(id) => Some(id),
                Err(says) => self.wrong(column, says?),
            },
            Err(fault) => self.wrong(column, fault.to_string()),
        }
    }

    /// As [`Cells::refer`], or none when empty.
    pub fn maybe_refer<I: Referred>(&mut self, column: &str, known: &Known) -> Option<Option<I>> {
        if self.text(column).is_empty() { Some(None) } else { self.refer(column, known).map(Some) }
    }

    /// What the cells of some columns refer to, as far as they can be read.
    pub fn references(&self, columns: &[(&str, Target)]) -> Vec<Reference> {
        let read = |(column, target): &(&str, Target)| self.named(*target, self.text(column));
        columns.iter().filter_map(|column| read(column).ok().flatten()).collect()
    }
}

#[cfg(test)]
mod tests;
