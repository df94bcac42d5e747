//! From anchors to days: when the milestones of a plan open, are due and close.
//!
//! Days are inclusive local days in the plan's zone; months are calendar months, clamped to the month's end; hours are
//! elapsed time (follow-up, "Anchors").

use chrono::{DateTime, Days as CalendarDays, Months, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::Course;
use super::milestone::Days;
use super::template::{Anchor, Limit, Step, Template};
use crate::domain::code::CareService;
use crate::domain::outcome::Outcome;
use crate::domain::time::local_day;

/// A session of a survivor that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// When it starts.
    pub starts_at: DateTime<Utc>,
    /// What it is for.
    pub service: CareService,
    /// What became of it, as far as somebody has recorded that.
    pub outcome: Option<Outcome>,
    /// It was booked for a milestone.
    pub for_milestone: bool,
}

/// What the days of a survivor's plan hang on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The local day of intake.
    pub intake_on: NaiveDate,
    /// The local day of the report or of the incident.
    pub report_on: Option<NaiveDate>,
    /// How many sessions are planned.
    pub planned_sessions: u32,
    /// The local day of the recorded discharge.
    pub discharged_on: Option<NaiveDate>,
    /// The local days of the sessions that were attended since intake, in order.
    pub attended: Vec<NaiveDate>,
    /// The local day of the last session that is planned.
    pub last_planned_on: Option<NaiveDate>,
}

impl Facts {
    /// What follows from a survivor's course and the sessions that stand, by start. Sessions of treatment count, from
    /// the day of intake on: an assessment interview and company at a hearing are none \[P\]. One that was booked for a
    /// milestone does not put off the end of treatment, on which that milestone may hang.
    pub fn of(course: &Course, intake_on: NaiveDate, zone: Tz, visits: &[Visit]) -> Self {
        let treatment = |it: &&Visit| matches!(it.service, CareService::Counselling | CareService::TraumaTherapy);
        let since = |it: &&Visit| intake_on <= local_day(it.starts_at, zone);
        let day = |it: &Visit| local_day(it.starts_at, zone);
        let visits = || visits.iter().filter(treatment).filter(since);
        let attended = |it: &&Visit| it.outcome.is_some_and(|outcome| outcome.row().attended);
        Self {
            intake_on,
            report_on: course.report_on,
            planned_sessions: course.planned_sessions,
            discharged_on: course.discharged_on,
            attended: visits().filter(attended).map(day).collect(),
            last_planned_on: visits().rfind(|it| !it.for_milestone).map(day),
        }
    }

    /// The day of an anchor and whether it is only planned; none when nobody knows.
    fn anchor(&self, anchor: Anchor) -> Option<(NaiveDate, bool)> {
        let known = |day: NaiveDate| (day, false);
        match anchor {
            Anchor::Intake => Some(known(self.intake_on)),
            Anchor::Report => self.report_on.map(known),
            Anchor::HalfTime => {
                let half = usize::try_from(self.planned_sessions.div_ceil(2)).ok()?;
                self.attended.get(half.checked_sub(1)?).copied().map(known)
            }
            Anchor::End => {
                let planned = || self.last_planned_on.map(|day| (day, true));
                self.discharged_on.map(known).or_else(planned)
            }
            Anchor::Event(_) => None,
        }
    }
}

impl Template {
    /// Whether a milestone of it applies to somebody at all.
    pub fn applies(&self, step: &Step, facts: &Facts) -> bool {
        let monitored = |report_on: NaiveDate| {
            let until = plus_months(report_on, self.monitored_months);
            until.is_none_or(|until| facts.intake_on <= until)
        };
        step.anchor != Anchor::Report || facts.report_on.is_none_or(monitored)
    }
}

impl Step {
    /// Its days in a survivor's plan.
    pub fn days(&self, facts: &Facts) -> Days {
        let Some((on, provisional)) = facts.anchor(self.anchor) else { return Days::default() };
        Days { provisional, ..self.window(on, None, 1, chrono_tz::UTC) }
    }

    /// Its days when its clock starts on a day, and where a limit is in hours at an instant of that day; of those that
    /// recur, the days of the `number`th.
    pub(super) fn window(&self, anchor_on: NaiveDate, at: Option<DateTime<Utc>>, number: u32, zone: Tz) -> Days {
        let begun = Days { anchor_on: Some(anchor_on), ..Days::default() };
        let due_at = match self.limit {
            Limit::Hours(hours) => at.map(|at| at + TimeDelta::hours(i64::from(hours * number))),
            _ => None,
        };
        let due_on = match self.limit {
            Limit::Hours(_) => due_at.map(|at| local_day(at, zone)),
            Limit::Days(days) => plus_days(anchor_on, days * number),
            Limit::Months(months) => plus_months(anchor_on, months * number),
        };
        let opens_on = match self.procedure() {
            Some(_) => self.opens_with_clock(anchor_on, number),
            None => due_on.and_then(|due_on| due_on.checked_sub_days(CalendarDays::new(self.opens_before.into()))),
        };
        let closes_on = due_on.zip(self.closes_after).and_then(|(due_on, days)| plus_days(due_on, days));
        Days { opens_on, due_on, closes_on, due_at, ..begun }
    }

    /// One that recurs opens when the one before it is due.
    fn opens_with_clock(&self, anchor_on: NaiveDate, number: u32) -> Option<NaiveDate> {
        match self.limit {
            Limit::Days(days) => plus_days(anchor_on, days * (number - 1)),
            Limit::Months(months) => plus_months(anchor_on, months * (number - 1)),
            Limit::Hours(_) => Some(anchor_on),
        }
    }
}

/// A day so many calendar days later.
fn plus_days(day: NaiveDate, days: u32) -> Option<NaiveDate> {
    day.checked_add_days(CalendarDays::new(days.into()))
}

/// The same day of the month so many calendar months later, or that month's last.
pub(super) fn plus_months(day: NaiveDate, months: u32) -> Option<NaiveDate> {
    day.checked_add_months(Months::new(months))
}

#[cfg(test)]
mod tests;
