//! iCalendar files (RFC 5545) as holiday calendars: all-day events, repeated by rule or not, become
//! days. What this reader does not understand it refuses, so that no holiday is silently lost.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};
use icalendar::parser::Property;

use super::problem::{Problem, Problems};
use crate::domain::directory::HolidayCalendar;
use crate::domain::recurrence::follow;
use crate::domain::text;
use crate::domain::time::sensible;

/// The longest event.
const LONGEST: TimeDelta = TimeDelta::days(366);

/// The days of a calendar and their names. Rules are followed until they end, at most to `last`.
/// A day of several events has the name of the first, those without a rule before those with one.
/// Nothing when the file is wrong.
pub fn holidays(
    file: &str,
    text: &str,
    last: NaiveDate,
    problems: &mut Problems,
) -> Option<BTreeMap<NaiveDate, String>> {
    let mut reader = Reader { file, last, wrong: Vec::new() };
    let mut days = BTreeMap::new();
    for event in reader.events(text) {
        if !event.has("STATUS", "CANCELLED") {
            reader.add(&event, &mut days);
        }
        if days.len() > HolidayCalendar::MOST_DAYS {
            let says = format!("must have at most {} days", HolidayCalendar::MOST_DAYS);
            reader.wrong.push(Problem::of_line(file, event.line, says));
            break;
        }
    }
    let good = reader.wrong.is_empty();
    problems.extend(reader.wrong);
    good.then(|| days.into_iter().map(|(day, (_, name))| (day, name)).collect())
}

/// A day's name, and whether a rule gave it.
type Named = BTreeMap<NaiveDate, (bool, String)>;

struct Reader<'f> {
    file: &'f str,
    last: NaiveDate,
    wrong: Vec<Problem>,
}

/// One `VEVENT`.
struct Event {
    line: u64,
    properties: Vec<Entry>,
}

/// A property with the line on which it begins.
struct Entry {
    line: u64,
    name: String,
    value: String,
}

impl Event {
    fn all(&self, name: &str) -> impl Iterator<Item = &Entry> {
        self.properties.iter().filter(move |it| it.name == name)
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|it| it.value.trim().eq_ignore_ascii_case(value))
    }
}

/// Lines with what was folded joined again, each with the number of its first.
fn unfolded(text: &str) -> Vec<(u64, String)> {
    let mut all: Vec<(u64, String)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix([' ', '\t']), all.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            _ => all.push((number, line.to_owned())),
        }
    }
    all
}

impl Reader<'_> {
    fn wrong<T>(&mut self, line: u64, property: &str, says: &str) -> Option<T> {
        self.wrong.push(Problem::of_column(self.file, line, (1, property), says));
        None
    }

    /// The events of the text. Other components, and those inside events, are passed over.
    fn events(&mut self, text: &str) -> Vec<Event> {
        let mut events = Vec::new();
        let mut open: Vec<String> = Vec::new();
        for (line, text) in unfolded(text).into_iter().filter(|(_, text)| !text.trim().is_empty()) {
            let Some((name, value)) = text.split_once(':') else {
                self.wrong.push(Problem::of_line(self.file, line, "must be NAME:value, as in an iCalendar file"));
                continue;
            };
            let word = value.trim().to_ascii_uppercase();
            if name.eq_ignore_ascii_case("BEGIN") {
                if word == "VEVENT" {
                    events.push(Event { line, properties: Vec::new() });
                }
                open.push(word);
            } else if name.eq_ignore_ascii_case("END") {
                if open.pop() != Some(word) {
                    self.wrong::<()>(line, "END", "must end what was begun last");
                }
            } else if open.last().is_some_and(|it| it == "VEVENT") {
                self.property(line, &text, events.last_mut());
            }
        }
        if !open.is_empty() || events.is_empty() {
            let says = "must be a complete iCalendar file with events (BEGIN:VCALENDAR … END:VCALENDAR)";
            self.wrong.push(Problem::of_file(self.file, says));
        }
        events
    }

    fn property(&mut self, line: u64, text: &str, event: Option<&mut Event>) {
        match (Property::try_from(text), event) {
            (Ok(it), Some(event)) => {
                let name = it.name.as_str().to_ascii_uppercase();
                event.properties.push(Entry { line, name, value: it.val.as_str().to_owned() });
            }
            _ => self.wrong.push(Problem::of_line(self.file, line, "must be a property as RFC 5545 writes it")),
        }
    }

    /// Adds the days of an event.
    fn add(&mut self, event: &Event, days: &mut Named) -> Option<()> {
        for name in ["RECURRENCE-ID", "EXRULE", "DURATION"] {
            if let Some(it) = event.all(name).next() {
                self.wrong::<()>(it.line, name, "is not understood here: use DTEND, EXDATE and events of their own");
            }
        }
        let start = self.one(event, "DTSTART")?.or_else(|| self.wrong(event.line, "DTSTART", "is required"));
        let first = start.and_then(|it| self.date(it, &it.value));
        let length = first.and_then(|first| self.length(event, first));
        let name = self.name(event);
        let excluded = self.dates(event, "EXDATE");
        let added = self.dates(event, "RDATE");
        let rule = self.one(event, "RRULE")?;
        let mut starts = match rule {
            Some(rule) => self.follow(rule, first?)?,
            None => BTreeSet::from([first?]),
        };
        starts.extend(added?);
        let excluded = excluded?;
        let (name, length) = (name?, length?);
        for start in starts.difference(&excluded).take(HolidayCalendar::MOST_DAYS + 1) {
            for day in start.iter_days().take(length) {
                let named = days.entry(day).or_insert_with(|| (rule.is_some(), name.clone()));
                if named.0 && rule.is_none() {
                    *named = (false, name.clone());
                }
            }
        }
        Some(())
    }

    /// A property that may stand once.
    fn one<'e>(&mut self, event: &'e Event, name: &str) -> Option<Option<&'e Entry>> {
        let mut all = event.all(name);
        let first = all.next();
        match all.next() {
            Some(second) => self.wrong(second.line, name, "must stand once in an event"),
            None => Some(first),
        }
    }

    fn name(&mut self, event: &Event) -> Option<String> {
        let Some(it) = self.one(event, "SUMMARY")? else {
            return self.wrong(event.line, "SUMMARY", "is required: it names the holiday");
        };
        match text::name(&it.value) {
            Ok(name) => Some(name),
            Err(fault) => self.wrong(it.line, "SUMMARY", &fault.to_string()),
        }
    }

    /// How many days each occurrence lasts. The end is the first day after.
    fn length(&mut self, event: &Event, first: NaiveDate) -> Option<usize> {
        let Some(it) = self.one(event, "DTEND")? else { return Some(1) };
        let length = self.date(it, &it.value)? - first;
        if length < TimeDelta::days(1) || length > LONGEST {
            return self.wrong(it.line, "DTEND", "must be the day after the last, 1 to 366 days after DTSTART");
        }
        usize::try_from(length.num_days()).ok()
    }

    fn dates(&mut self, event: &Event, name: &str) -> Option<BTreeSet<NaiveDate>> {
        let mut dates = Some(BTreeSet::new());
        for it in event.all(name) {
            for raw in it.value.split(',') {
                match (self.date(it, raw), &mut dates) {
                    (Some(date), Some(dates)) => drop(dates.insert(date)),
                    _ => dates = None,
                }
            }
        }
        dates
    }

    fn date(&mut self, it: &Entry, raw: &str) -> Option<NaiveDate> {
        let raw = raw.trim();
        let plain = raw.len() == 8 && raw.bytes().all(|byte| byte.is_ascii_digit());
        let date = NaiveDate::parse_from_str(raw, "%Y%m%d").ok().and_then(sensible).filter(|_| plain);
        date.or_else(|| self.wrong(it.line, &it.name, "must be a whole day as YYYYMMDD (;VALUE=DATE), without a time"))
    }

    /// The days on which a rule lets an event begin.
    fn follow(&mut self, it: &Entry, first: NaiveDate) -> Option<BTreeSet<NaiveDate>> {
        let Some(days) = follow(&it.value, first) else {
            let says = "must be a rule of whole days such as FREQ=WEEKLY;BYDAY=SU or FREQ=MONTHLY;BYDAY=2SA; \
                        its UNTIL is a day (YYYYMMDD), not before DTSTART";
            return self.wrong(it.line, "RRULE", says);
        };
        let last = self.last.max(first);
        let days = days.take_while(|day| *day <= last);
        let days: BTreeSet<_> = days.take(HolidayCalendar::MOST_DAYS + 1).collect();
        // Calendars disagree on whether a start beside the rule counts, so it must not lie beside it.
        if days.first() == Some(&first) {
            Some(days)
        } else {
            self.wrong(it.line, "RRULE", "must include its DTSTART: begin with the first day that fits the rule")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a calendar of these lines says, to the end of 2027.
    fn read(lines: &[&str]) -> Result<Vec<String>, Vec<String>> {
        let text = [&["BEGIN:VCALENDAR", "VERSION:2.0"], lines, &["END:VCALENDAR", ""]].concat().join("\r\n");
        let mut problems = Problems::default();
        let last = NaiveDate::from_ymd_opt(2027, 12, 31).unwrap();
        match holidays("k.ics", &text, last, &mut problems) {
            Some(days) => Ok(days.iter().map(|(day, name)| format!("{day} {name}")).collect()),
            None => Err(problems.listed()),
        }
    }

    /// One event; its first property stands on line 4.
    fn event(lines: &[&str]) -> Result<Vec<String>, Vec<String>> {
        read(&[&["BEGIN:VEVENT"], lines, &["END:VEVENT"]].concat())
    }

    #[test]
    fn rules_become_days_until_they_end() {
        let days =
            event(&["DTSTART;VALUE=DATE:20261114", "RRULE:FREQ=MONTHLY;BYDAY=2SA;UNTIL=20270109", "SUMMARY:Off"]);
        assert_eq!(days.unwrap(), ["2026-11-14 Off", "2026-12-12 Off", "2027-01-09 Off"]);
        let sundays = event(&["DTSTART;VALUE=DATE:20260104", "RRULE:FREQ=WEEKLY;BYDAY=SU", "SUMMARY:Sunday"]).unwrap();
        assert_eq!((sundays.len(), sundays[103].as_str()), (104, "2027-12-26 Sunday"));
    }

    #[test]
    fn days_are_added_and_taken_out() {
        let days = event(&[
            "DTSTART;VALUE=DATE:20260104",
            "RRULE:FREQ=WEEKLY;COUNT=3",
            "EXDATE;VALUE=DATE:20260111,20260201",
            "RDATE;VALUE=DATE:20260131,2026",
            " 0201",
            "SUMMARY:Long,",
            "  folded",
        ]);
        let days = days.unwrap_or_else(|problems| problems);
        assert_eq!(days, ["2026-01-04 Long, folded", "2026-01-18 Long, folded", "2026-01-31 Long, folded"]);
    }

    #[test]
    fn an_event_of_many_days_ends_the_day_before_its_end() {
        let days = event(&["DTSTART;VALUE=DATE:20261230", "DTEND;VALUE=DATE:20270102", "SUMMARY:Closed"]);
        assert_eq!(days.unwrap(), ["2026-12-30 Closed", "2026-12-31 Closed", "2027-01-01 Closed"]);
    }

    #[test]
    fn a_day_has_the_name_of_the_event_without_a_rule() {
        let rule = ["BEGIN:VEVENT", "DTSTART:20260126", "RRULE:FREQ=WEEKLY;COUNT=1", "SUMMARY:Monday", "END:VEVENT"];
        let day = ["BEGIN:VEVENT", "DTSTART:20260126", "SUMMARY:Republic Day", "END:VEVENT"];
        for both in [[rule.as_slice(), &day].concat(), [day.as_slice(), &rule].concat()] {
            assert_eq!(read(&both).unwrap(), ["2026-01-26 Republic Day"]);
        }
        let cancelled = [day.as_slice(), &["BEGIN:VEVENT", "STATUS:CANCELLED", "DTSTART:20260127", "END:VEVENT"]];
        assert_eq!(read(&cancelled.concat()).unwrap().len(), 1);
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        let rule = "k.ics:5:1 (RRULE): must be a rule of whole days";
        let beside = "k.ics:5:1 (RRULE): must include its DTSTART";
        let timed = "must be a whole day as YYYYMMDD (;VALUE=DATE), without a time";
        let end = "k.ics:5:1 (DTEND): must be the day after the last, 1 to 366 days after DTSTART";
        for (lines, says) in [
            (["DTSTART;TZID=Asia/Kolkata:20260126T090000", "SUMMARY:x"], format!("k.ics:4:1 (DTSTART): {timed}")),
            (["DTSTART:20260230", "SUMMARY:x"], format!("k.ics:4:1 (DTSTART): {timed}")),
            (["SUMMARY:x", ""], "k.ics:3:1 (DTSTART): is required".into()),
            (["DTSTART:20260126", "DESCRIPTION:x"], "k.ics:3:1 (SUMMARY): is required: it names the holiday".into()),
            (["DTSTART:20260126", "DTSTART:20260127"], "k.ics:5:1 (DTSTART): must stand once in an event".into()),
            (["DTSTART:20260126", "DTEND:20260126"], end.into()),
            (["DTSTART:20260126", "DTEND:20280126"], end.into()),
            (["DTSTART:20260126", "RDATE:20260101/P1D"], format!("k.ics:5:1 (RDATE): {timed}")),
            (["DTSTART:20260126", "RRULE:FREQ=HOURLY"], rule.into()),
            (["DTSTART:20260126", "RRULE:FREQ=DAILY;UNTIL=20260130T000000Z"], rule.into()),
            (["DTSTART:20260126", "RRULE:FREQ=DAILY;UNTIL=20250130"], rule.into()),
            (["DTSTART:20260126", "RRULE:BYDAY=SU"], rule.into()),
            (["DTSTART:20260126", "RRULE:FREQ=WEEKLY;BYDAY=XMO"], rule.into()),
            (["DTSTART:20260126", "RRULE:FREQ=WEEKLY;BYDAY=\u{20ac}"], rule.into()),
            (["DTSTART:20260126", "RRULE:FREQ=WEEKLY;BYDAY=SU"], beside.into()),
            (["DTSTART:20260126", "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"], beside.into()),
            (["DTSTART:20260126", "DURATION:P1D"], "k.ics:5:1 (DURATION): is not understood here".into()),
            (["DTSTART:20260126", "SUMMARY"], "k.ics:5: must be NAME:value, as in an iCalendar file".into()),
        ] {
            let problems = event(&lines).unwrap_err();
            assert!(problems.iter().any(|it| it.starts_with(&says)), "{lines:?}: {problems:?}");
        }
    }

    #[test]
    fn a_file_must_be_complete() {
        assert!(read(&[]).unwrap_err()[0].starts_with("k.ics: must be a complete iCalendar file"));
        assert!(read(&["BEGIN:VEVENT"]).unwrap_err()[0].starts_with("k.ics:4:1 (END): must end what was begun last"));
    }

    #[test]
    fn a_calendar_is_bounded() {
        let problems = event(&["DTSTART:19000101", "RRULE:FREQ=DAILY", "SUMMARY:x"]).unwrap_err();
        assert_eq!(problems, ["k.ics:3: must have at most 5000 days"]);
    }
}
