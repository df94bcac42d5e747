//! Steps of procedure: what follows for them from the recorded events of a case. Reminders with a source, never a legal
//! conclusion (India, "Procedural milestones").

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::days::plus_months;
use super::milestone::{Days, Milestone, Standing};
use super::template::{Anchor, Lapse, Procedure, Step};
use crate::domain::case_event::CaseEventKind;

/// How far ahead of the present those that recur are laid out. That is done when something is recorded, so they run
/// out only where nothing at all was recorded of a case for three years \[P\].
const MONTHS_AHEAD: u32 = 36;

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

impl Happened {
    /// The clock that starts with it.
    fn start(&self) -> Start {
        (self.on, Some(self.at))
    }
}

/// The local day on which a clock starts, and the instant where it is known.
type Start = (NaiveDate, Option<DateTime<Utc>>);

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

/// A run of a step's clock: what it started with, and what was recorded for it until it starts anew.
struct Run<'a> {
    /// When it started; none while nothing has started it.
    started: Option<Start>,
    /// What was recorded for it.
    events: &'a [Happened],
    /// The day from which on nobody asks for what recurs.
    ended_on: Option<NaiveDate>,
}

impl Run<'_> {
    /// The days of a step, or of the `number`th of those that recur, by this run alone.
    fn days(&self, step: &Step, number: u32, zone: Tz) -> Days {
        self.started.map_or_else(Days::default, |(on, at)| step.window(on, at, number, zone))
    }

    /// How many of those that recur are due until a day.
    fn due_until(&self, step: &Step, until: NaiveDate, zone: Tz) -> u32 {
        let is_due = |number: &u32| self.days(step, *number, zone).due_on.is_some_and(|due_on| due_on <= until);
        (1..).take_while(is_due).last().unwrap_or(0)
    }

    /// Whether nobody asks any more for what would be due on these days.
    fn is_over(&self, it: Procedure, days: &Days) -> bool {
        let past = self.ended_on.zip(days.due_on).is_some_and(|(ended_on, due_on)| ended_on < due_on);
        past || it.waived_by.is_some_and(|kind| self.events.iter().any(|event| event.kind == kind))
    }
}

impl CaseFacts {
    /// The first event of a kind.
    fn first(&self, kind: CaseEventKind) -> Option<&Happened> {
        self.events.iter().find(|it| it.kind == kind)
    }

    /// What starts the clock of a step that has one run.
    fn anchor(&self, step: &Step, procedure: Procedure) -> Option<Start> {
        if procedure.only_after.is_some_and(|kind| self.first(kind).is_none()) {
            return None;
        }
        let intake = (self.intake_on, None);
        match (step.anchor, procedure.or_after) {
            (Anchor::Intake, _) => Some(intake),
            (Anchor::Event(kind), None) => self.first(kind).map(Happened::start),
            (Anchor::Event(kind), Some(other)) => {
                let first = self.events.iter().find(|it| it.kind == kind || it.kind == other);
                Some(first.map_or(intake, Happened::start))
            }
            (Anchor::Report | Anchor::HalfTime | Anchor::End, _) => None,
        }
    }

    /// The runs of a step's clock as they began; the last goes on.
    fn runs(&self, step: &Step, procedure: Procedure) -> Vec<Run<'_>> {
        match step.anchor {
            Anchor::Event(kind) if step.is_monthly() => self.monthly(kind, procedure),
            _ => vec![self.single(step, procedure)],
        }
    }

    /// The run of what is to be done once: from its anchor, or from the lapse of what was done.
    fn single(&self, step: &Step, procedure: Procedure) -> Run<'_> {
        match procedure.lapse.and_then(|lapse| self.since_lapse(lapse, procedure.done_by)) {
            Some((lapsed, events)) => Run { started: Some(lapsed.start()), events, ended_on: None },
            None => Run { started: self.anchor(step, procedure), events: &self.events, ended_on: None },
        }
    }

    /// The last lapse after which it was done again or is to be, and everything from then on.
    fn since_lapse(&self, lapse: Lapse, done_by: CaseEventKind) -> Option<(&Happened, &[Happened])> {
        let final_at = self.events.iter().position(|it| it.kind == lapse.unless_after);
        let asked_for = self.events.get(..final_at.unwrap_or(self.events.len()))?;
        let since = self.events.get(asked_for.iter().rposition(|it| it.kind == lapse.by)?..)?;
        let counts = final_at.is_none() || since.iter().any(|it| it.kind == done_by);
        since.first().filter(|_| counts).map(|lapsed| (lapsed, since))
    }

    /// The runs of what recurs: one from each event that starts it until the next, or until one that ends it. By the
    /// order of the events, so that who follows on the day of an end is not ended by it.
    fn monthly(&self, kind: CaseEventKind, procedure: Procedure) -> Vec<Run<'_>> {
        let not_begun = Run { started: None, events: &[], ended_on: None };
        let mut runs: Vec<Run<'_>> = Vec::new();
        let mut next_on = None;
        let starts = self.events.iter().enumerate().filter(|(_, it)| it.kind == kind);
        let mut to = self.events.len();
        for (from, start) in starts.rev() {
            let events = self.events.get(from..to).unwrap_or_default();
            let end = events.iter().find(|it| procedure.monthly_until.contains(&it.kind));
            let ended_on = end.map(|it| it.on).or(next_on);
            runs.push(Run { started: Some(start.start()), events, ended_on });
            (to, next_on) = (from, Some(start.on));
        }
        runs.reverse();
        if runs.is_empty() { vec![not_begun] } else { runs }
    }

    /// How many of a step there are: those that recur are laid out ahead of the present, unless they have ended.
    pub fn count(&self, step: &Step) -> u32 {
        let Some(procedure) = step.procedure().filter(|_| step.is_monthly()) else { return 1 };
        let ahead = plus_months(self.today, MONTHS_AHEAD).unwrap_or(self.today);
        let due = |run: &Run<'_>| run.due_until(step, run.ended_on.map_or(ahead, |on| on.min(ahead)), self.zone);
        self.runs(step, procedure).iter().map(due).sum::<u32>().max(1)
    }

    /// Every milestone of a step with the days and the standing that follow from the events. Whatever a person has
    /// excused stays so. Those that recur keep the months of earlier runs, and go on with those of the last.
    pub fn staged(&self, step: &Step, mut all: Vec<Milestone>) -> Vec<Milestone> {
        let Some(procedure) = step.procedure() else { return all };
        all.sort_by_key(|it| it.number);
        let mut rest = all.as_mut_slice();
        let mut runs = self.runs(step, procedure).into_iter().peekable();
        while let Some(run) = runs.next() {
            let ended_on = run.ended_on.filter(|_| runs.peek().is_some());
            let kept = ended_on.map_or(u32::MAX, |on| run.due_until(step, on, self.zone));
            let kept = usize::try_from(kept).unwrap_or(usize::MAX).min(rest.len());
            let (own, later) = rest.split_at_mut(kept);
            self.stage(step, procedure, &run, own);
            rest = later;
        }
        all
    }

    /// Gives milestones, in order, what follows from a run.
    fn stage(&self, step: &Step, procedure: Procedure, run: &Run<'_>, own: &mut [Milestone]) {
        let mut proofs = run.events.iter().filter(|it| it.kind == procedure.done_by);
        for (it, number) in own.iter_mut().zip(1..) {
            it.days = run.days(step, number, self.zone);
            if it.excused {
                continue;
            }
            // What recurs is done in order: a report is for the first month that has none, once that has begun. Only
            // what lasts may be older than its clock.
            let opens_on = it.days.opens_on.filter(|_| procedure.lapse.is_none());
            let proof = proofs.find(|proof| opens_on.is_none_or(|on| on <= proof.on));
            (it.done_on, it.done_at) = (proof.map(|it| it.on), proof.filter(|it| it.time_known).map(|it| it.at));
            it.standing = match proof {
                Some(_) => Standing::Done,
                None if run.is_over(procedure, &it.days) => Standing::NotApplicable,
                None => Standing::Awaited,
            };
        }
    }
}

#[cfg(test)]
mod tests;
