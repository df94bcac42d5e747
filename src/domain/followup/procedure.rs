//! Steps of procedure: what follows for them from the recorded events of a case. Reminders with a source, never a legal
//! conclusion (India, "Procedural milestones").

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::days::plus_months;
use super::milestone::{Days, Milestone, Standing};
use super::template::{Anchor, Procedure, Step};
use crate::domain::case_event::CaseEventKind;

/// How far ahead of the present those that recur are laid out.
const MONTHS_AHEAD: u32 = 12;

/// An event of a case that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happened {
    /// What happened.
    pub kind: CaseEventKind,
    /// When; the start of the local day when only that is known.
    pub at: DateTime<Utc>,
    /// The local day.
    pub on: NaiveDate,
    /// The time of day is known.
    pub time_known: bool,
}

/// What the days of a case's plan hang on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFacts {
    /// The zone in which its days are meant.
    pub zone: Tz,
    /// The local day on which the plan begins.
    pub intake_on: NaiveDate,
    /// The present local day.
    pub today: NaiveDate,
    /// The events that stand, as they happened.
    pub events: Vec<Happened>,
}

impl CaseFacts {
    /// The first event of a kind.
    fn first(&self, kind: CaseEventKind) -> Option<&Happened> {
        self.events.iter().find(|it| it.kind == kind)
    }

    fn has(&self, kind: CaseEventKind) -> bool {
        self.first(kind).is_some()
    }

    /// When the clock of a step starts.
    fn anchor(&self, step: &Step) -> Option<(NaiveDate, Option<DateTime<Utc>>)> {
        let asked_for = step.procedure().and_then(|it| it.only_after).is_none_or(|kind| self.has(kind));
        match step.anchor {
            _ if !asked_for => None,
            Anchor::Intake => Some((self.intake_on, None)),
            Anchor::Event(kind) => self.first(kind).map(|it| (it.on, Some(it.at))),
            Anchor::Report | Anchor::HalfTime | Anchor::End => None,
        }
    }

    /// The days of a step, or of the `number`th of those that recur.
    pub fn days(&self, step: &Step, number: u32) -> Days {
        self.anchor(step).map_or_else(Days::default, |(on, at)| step.window(on, at, number, self.zone))
    }

    /// How many of a step there are: those that recur are laid out for a year ahead of the present.
    pub fn count(&self, step: &Step) -> u32 {
        let Some((on, _)) = self.anchor(step).filter(|_| step.is_monthly()) else { return 1 };
        let until = plus_months(self.today, MONTHS_AHEAD);
        let is_near = |number: &u32| self.days_from(step, on, *number).zip(until).is_some_and(|(due, to)| due <= to);
        (1..).take_while(is_near).last().unwrap_or(1)
    }

    fn days_from(&self, step: &Step, on: NaiveDate, number: u32) -> Option<NaiveDate> {
        step.window(on, None, number, self.zone).due_on
    }

    /// Every milestone of a step with the days and the standing that follow from the events. Whatever a person has
    /// excused stays so.
    pub fn staged(&self, step: &Step, mut all: Vec<Milestone>) -> Vec<Milestone> {
        let Some(procedure) = step.procedure() else { return all };
        let mut proofs = self.events.iter().filter(|it| it.kind == procedure.done_by);
        all.sort_by_key(|it| it.number);
        for it in &mut all {
            it.days = self.days(step, it.number);
            if it.excused {
                continue;
            }
            // What recurs is done in order: a report is for the first month that has none, once that has begun.
            let opens_on = it.days.opens_on;
            let proof = proofs.find(|proof| !step.is_monthly() || opens_on.is_some_and(|on| on <= proof.on));
            (it.done_on, it.done_at) = (proof.map(|it| it.on), proof.filter(|it| it.time_known).map(|it| it.at));
            it.standing = match proof {
                Some(_) => Standing::Done,
                None if self.is_over(procedure, &it.days) => Standing::NotApplicable,
                None => Standing::Awaited,
            };
        }
        all
    }

    /// Whether nobody asks for it any more.
    fn is_over(&self, it: Procedure, days: &Days) -> bool {
        let ended_on = self.events.iter().find(|event| it.monthly_until.contains(&event.kind)).map(|event| event.on);
        let past = ended_on.zip(days.due_on).is_some_and(|(ended_on, due_on)| ended_on < due_on);
        past || it.waived_by.is_some_and(|kind| self.has(kind))
    }
}

#[cfg(test)]
mod tests;
