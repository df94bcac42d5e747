//! When counsellors work, on the wire.

use chrono::NaiveDate;

use crate::domain::counsellor::{MOST_WORKING_HOURS, When, WorkingHours};
use crate::domain::recurrence::Recurrence;
use crate::domain::time::DayTime;
use crate::grpc::fields::{Fields, date, day_time, id_text};
use crate::grpc::pb;
use crate::grpc::pb::google::r#type::TimeOfDay;
use crate::grpc::words::Word;

/// The rows of a counsellor.
pub fn working_hours(f: &mut Fields, all: &[pb::WorkingHours]) -> Option<Vec<WorkingHours>> {
    if all.len() > MOST_WORKING_HOURS {
        return f.wrong("working_hours", format!("must have at most {MOST_WORKING_HOURS} rows"));
    }
    // Collected first, so that every row is looked at.
    let read: Vec<_> = all.iter().enumerate().map(|(at, row)| Row { f, at, pb: row }.read()).collect();
    read.into_iter().collect()
}

/// The message of a row.
pub fn hours_pb(hours: &WorkingHours) -> pb::WorkingHours {
    let mut pb = pb::WorkingHours {
        starts: Some(day_time(hours.starts)),
        ends: Some(day_time(hours.ends)),
        venue_id: id_text(hours.venue_id),
        valid_from: hours.valid_from.map(date),
        valid_until: hours.valid_until.map(date),
        off: hours.off,
        ..Default::default()
    };
    match &hours.when {
        When::Weekly(day) => pb.day = day.to_wire(),
        When::Rule(rule) => pb.recurrence = rule.as_str().to_owned(),
        When::On(day) => pb.on_date = Some(date(*day)),
    }
    pb
}

/// A row about to be read.
struct Row<'r> {
    f: &'r mut Fields,
    at: usize,
    pb: &'r pb::WorkingHours,
}

impl Row<'_> {
    fn field(&self, name: &str) -> String {
        format!("working_hours[{}].{name}", self.at)
    }

    fn wrong<T>(&mut self, name: &str, says: &str) -> Option<T> {
        self.f.wrong(&self.field(name), says)
    }

    fn read(mut self) -> Option<WorkingHours> {
        let pb = self.pb;
        let (valid_from, valid_until) =
            (self.date("valid_from", pb.valid_from), self.date("valid_until", pb.valid_until));
        let when = self.when(valid_from);
        let starts = self.time("starts", pb.starts.as_ref(), DayTime::MIDNIGHT);
        let ends = self.time("ends", pb.ends.as_ref(), DayTime::END_OF_DAY);
        let venue_id = self.f.maybe_id(&self.field("venue_id"), &pb.venue_id);
        if starts.zip(ends).is_some_and(|(starts, ends)| ends <= starts) {
            return self.wrong("ends", "must be after starts");
        }
        if let (Some(Some(first)), Some(Some(last))) = (valid_from, valid_until)
            && last < first
        {
            return self.wrong("valid_until", "must not be before valid_from");
        }
        Some(WorkingHours {
            venue_id: venue_id?,
            when: when?,
            starts: starts?,
            ends: ends?,
            valid_from: valid_from?,
            valid_until: valid_until?,
            off: pb.off,
        })
    }

    fn date(&mut self, name: &str, raw: Option<pb::google::r#type::Date>) -> Option<Option<NaiveDate>> {
        self.f.maybe_date(&self.field(name), raw.as_ref())
    }

    /// What is off may be off for whole days.
    fn time(&mut self, name: &str, raw: Option<&TimeOfDay>, whole_day: DayTime) -> Option<DayTime> {
        match raw {
            None if self.pb.off => Some(whole_day),
            raw => self.f.day_time(&self.field(name), raw),
        }
    }

    /// Exactly one of three fields says on which days.
    fn when(&mut self, valid_from: Option<Option<NaiveDate>>) -> Option<When> {
        let pb = self.pb;
        match (pb.day, pb.recurrence.as_str(), pb.on_date) {
            (0, "", None) => self.wrong("day", "is required, or else recurrence or on_date"),
            (day, "", None) => self.f.word(&self.field("day"), day).map(When::Weekly),
            (0, rule, None) => self.rule(rule, valid_from?),
            (0, "", Some(_)) => self.once(),
            (_, _, Some(_)) => self.wrong("on_date", "must stand without day and recurrence"),
            (_, _, None) => self.wrong("recurrence", "must stand without day"),
        }
    }

    fn rule(&mut self, raw: &str, valid_from: Option<NaiveDate>) -> Option<When> {
        let rule = self.f.parse(&self.field("recurrence"), raw, Recurrence::parse);
        let Some(anchor) = valid_from else {
            return self.wrong("valid_from", "is required with recurrence, whose interval counts from it");
        };
        match rule {
            Some(rule) if !rule.falls(anchor) => self.wrong("recurrence", "must fall on a day"),
            rule => rule.map(When::Rule),
        }
    }

    fn once(&mut self) -> Option<When> {
        let pb = self.pb;
        let day = self.date("on_date", pb.on_date);
        for (name, set) in [("valid_from", pb.valid_from.is_some()), ("valid_until", pb.valid_until.is_some())] {
            if set {
                self.wrong::<()>(name, "must be absent with on_date");
            }
        }
        day.flatten().map(When::On)
    }
}
