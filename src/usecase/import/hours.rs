//! What the rows about working hours say.

use chrono::NaiveDate;

use super::cells::Cells;
use super::known::{Known, Target};
use super::sheet::Shape;
use crate::domain::counsellor::{When, WorkingHours};
use crate::domain::ids::OrganisationId;
use crate::domain::recurrence::Recurrence;
use crate::domain::text::{Code, Fault};
use crate::domain::time::{DayTime, parse_date};

/// What the file of hours looks like.
pub const HOURS: &Shape = &Shape {
    file: "hours.csv",
    columns: &["organisation", "counsellor", "days", "starts", "ends", "venue", "valid_from", "valid_until", "off"],
};
/// The columns of a row of hours that refer to other things. The counsellor may come later.
pub const HOURS_REFERENCES: &[(&str, Target)] = &[("organisation", Target::Organisation), ("venue", Target::Venue)];

/// Whose hours a row gives, and the hours: one for each of its days.
pub fn read_hours(cells: &mut Cells<'_>, known: &Known) -> (Option<(OrganisationId, Code)>, Option<Vec<WorkingHours>>) {
    let organisation_id = cells.refer("organisation", known);
    let counsellor = cells.code("counsellor");
    let valid_from = cells.maybe("valid_from", parse_date);
    let valid_until = cells.maybe("valid_until", parse_date);
    let days = days(cells, valid_from);
    let off = cells.flag("off");
    let starts = time(cells, "starts", off, DayTime::MIDNIGHT);
    let ends = time(cells, "ends", off, DayTime::END_OF_DAY);
    let venue_id = cells.maybe_refer("venue", known);
    if starts.zip(ends).is_some_and(|(starts, ends)| ends <= starts) {
        cells.wrong::<()>("ends", "must be after starts");
    }
    if matches!((valid_from, valid_until), (Some(Some(first)), Some(Some(last))) if last < first) {
        cells.wrong::<()>("valid_until", "must not be before valid_from");
    }
    let hours = cells.finish(|| {
        let (venue_id, starts, ends) = (venue_id?, starts?, ends?);
        let (valid_from, valid_until, off) = (valid_from?, valid_until?, off?);
        let row = |when| WorkingHours { venue_id, when, starts, ends, valid_from, valid_until, off };
        Some(days?.into_iter().map(row).collect())
    });
    (organisation_id.zip(counsellor), hours)
}

/// What is off may be off for whole days.
fn time(cells: &mut Cells<'_>, column: &str, off: Option<bool>, whole_day: DayTime) -> Option<DayTime> {
    match off {
        // Nobody knows whether it may be empty.
        None if cells.text(column).is_empty() => None,
        Some(true) if cells.text(column).is_empty() => Some(whole_day),
        _ => cells.parse(column, DayTime::parse),
    }
}

/// Days of the week, dates, or one rule, whose parts have ";" between them too.
fn days(cells: &mut Cells<'_>, valid_from: Option<Option<NaiveDate>>) -> Option<Vec<When>> {
    if cells.text("days").to_ascii_uppercase().starts_with("RRULE:") {
        return rule(cells, valid_from?).map(|rule| vec![rule]);
    }
    let days = cells.list("days", day)?;
    if days.iter().any(|day| matches!(day, When::On(_))) {
        for column in ["valid_from", "valid_until"] {
            if !cells.text(column).is_empty() {
                cells.wrong::<()>(column, "must be empty with dates");
            }
        }
    }
    Some(days)
}

fn day(raw: &str) -> Result<When, Fault> {
    let wrong = |_| Fault::new("must be days of the week (MON to SUN), dates (YYYY-MM-DD), or a rule (RRULE:FREQ=…)");
    raw.parse().map(When::Weekly).or_else(|_: Fault| parse_date(raw).map(When::On)).map_err(wrong)
}

fn rule(cells: &mut Cells<'_>, valid_from: Option<NaiveDate>) -> Option<When> {
    let rule = cells.parse("days", Recurrence::parse);
    let Some(anchor) = valid_from else {
        return cells.wrong("valid_from", "is required with a rule, whose interval counts from it");
    };
    match rule {
        Some(rule) if !rule.falls(anchor) => cells.wrong("days", "must fall on a day"),
        rule => rule.map(When::Rule),
    }
}
