//! Milestones: their days, and where they stand on a day. Statuses are computed from facts and the present, never
//! stored (follow-up, "Status at date t").

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::days::Facts;
use super::template::{Step, TEMPLATES, Template};
use crate::domain::code::words;
use crate::domain::ids::{
    AssessmentId, CaseId, ClientId, CounsellorId, MilestoneId, OrganisationId, PlanId, SessionId,
};
use crate::domain::reference::Reference;
use crate::domain::time::local_day;

words! {
    /// What was recorded of a milestone.
    Standing {
        /// Nothing yet.
        Awaited = "AWAITED",
        /// It was done.
        Done = "DONE",
        /// It was declined.
        Declined = "DECLINED",
        /// It does not apply.
        NotApplicable = "NOT_APPLICABLE",
        /// It waits until a person takes it up again.
        OnHold = "ON_HOLD",
    }

    /// Where a milestone stands at an instant.
    Status {
        /// Its window has not opened, or its clock has not started.
        NotDue = "NOT_DUE",
        /// The window is open, and the due day is not over.
        Open = "OPEN",
        /// The due day is over, and the window is not.
        Due = "DUE",
        /// The window is over, and nothing was recorded.
        Missed = "MISSED",
        /// Done before the window was over.
        Done = "DONE",
        /// Done after it.
        DoneLate = "DONE_LATE",
        /// Declined.
        Declined = "DECLINED",
        /// It does not apply.
        NotApplicable = "NOT_APPLICABLE",
        /// It waits until a person takes it up again.
        OnHold = "ON_HOLD",
    }

    /// What the clock of a milestone hangs on.
    AnchorWord {
        /// The intake.
        Intake = "INTAKE",
        /// The report or the incident.
        Report = "REPORT",
        /// An attended session, by its number.
        Session = "SESSION",
        /// The end of treatment.
        End = "END",
        /// A recorded event of the case.
        CaseEvent = "CASE_EVENT",
    }

    /// How a milestone is excused.
    Excuse {
        /// Declined.
        Declined = "DECLINED",
        /// It does not apply.
        NotApplicable = "NOT_APPLICABLE",
        /// It waits.
        OnHold = "ON_HOLD",
        /// It is taken up again.
        Resumed = "RESUMED",
    }
}

/// The days of a milestone as its anchor stands: inclusive local days in the plan's zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// The day on which its clock started; none when that is not known.
    pub anchor_on: Option<NaiveDate>,
    /// The anchor is only planned, and may move.
    pub provisional: bool,
    /// First day of the window.
    pub opens_on: Option<NaiveDate>,
    /// The day it is due; none without a limit.
    pub due_on: Option<NaiveDate>,
    /// Last day of the window; none when it stays open.
    pub closes_on: Option<NaiveDate>,
    /// The instant it is due, where the limit is in hours.
    pub due_at: Option<DateTime<Utc>>,
}

/// An instrument that a milestone asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Its code.
    pub instrument: String,
    /// The closed assessment that has answered it, and its local day.
    pub answered: Option<(AssessmentId, NaiveDate)>,
    /// The client declined it.
    pub excused: bool,
}

impl Asked {
    /// An instrument of which nothing is known yet.
    pub fn new(instrument: String) -> Self {
        Self { instrument, answered: None, excused: false }
    }

    /// Whether it still waits for an answer.
    pub fn is_open(&self) -> bool {
        self.answered.is_none() && !self.excused
    }
}

/// What a milestone has of its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The survivor; none for a case.
    pub client: Option<(ClientId, Reference)>,
    /// The case; none for a survivor.
    pub case_id: Option<CaseId>,
    /// The zone in which its days are meant.
    pub zone: Tz,
    /// Code of the template.
    pub template: String,
    /// The version of the template that the plan keeps.
    pub template_version: u32,
    /// When the plan was closed: nothing falls due from then on.
    pub closed_at: Option<DateTime<Utc>>,
    /// Something about the client waits for a person.
    pub needs_attention: bool,
}

/// A milestone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Milestone {
    /// Its id.
    pub id: MilestoneId,
    /// How often it was written; its etag.
    pub version: i64,
    /// Its plan.
    pub plan_id: PlanId,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// Who is responsible; none for a case.
    pub counsellor_id: Option<CounsellorId>,
    /// Its code in the template.
    pub code: String,
    /// Which of those that recur, from 1.
    pub number: u32,
    /// What was recorded.
    pub standing: Standing,
    /// A person has excused it, or put it on hold.
    pub excused: bool,
    /// Its days.
    pub days: Days,
    /// The local day on which it was done.
    pub done_on: Option<NaiveDate>,
    /// The instant, where its limit is in hours and the time of day is known.
    pub done_at: Option<DateTime<Utc>>,
    /// What is to be answered; empty for a case.
    pub asked: Vec<Asked>,
    /// The session booked for it that stands.
    pub session_id: Option<SessionId>,
    /// What it has of its plan.
    pub setting: Setting,
}

/// Whether a milestone whose anchor is only planned can fall due: the one at the end of treatment can, those that
/// follow it wait for the discharge (follow-up, "Anchors").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provisional {
    /// It can.
    Counts,
    /// It waits.
    Waits,
}

impl Milestone {
    /// What its plan's template says of it.
    pub fn step(&self) -> Option<&'static Step> {
        TEMPLATES.find(&self.setting.template, self.setting.template_version)?.step(&self.code)
    }

    /// Where it stands at an instant, or stood when its plan was closed.
    pub fn status(&self, now: DateTime<Utc>) -> Status {
        let at = self.setting.closed_at.map_or(now, |closed_at| closed_at.min(now));
        match self.standing {
            Standing::Declined => Status::Declined,
            Standing::NotApplicable => Status::NotApplicable,
            Standing::OnHold => Status::OnHold,
            Standing::Done if self.is_late() => Status::DoneLate,
            Standing::Done => Status::Done,
            Standing::Awaited if self.waits() => Status::NotDue,
            Standing::Awaited => self.days.status(local_day(at, self.setting.zone), at),
        }
    }

    /// Whether it waits for a final date before it can fall due.
    fn waits(&self) -> bool {
        self.days.provisional && self.step().is_none_or(|step| step.provisional == Provisional::Waits)
    }

    /// Whether its window has opened by a day.
    pub fn has_opened(&self, by: NaiveDate) -> bool {
        !self.waits() && self.days.opens_on.is_some_and(|opens_on| opens_on <= by)
    }

    /// Whether it waits to be done by a known day, so that a list by due days has it.
    pub fn is_listed(&self) -> bool {
        let open = self.setting.closed_at.is_none() && self.standing == Standing::Awaited;
        open && self.days.due_on.is_some() && !self.waits()
    }

    /// Whether it was done after its window. Where the window stays open, after the limit.
    fn is_late(&self) -> bool {
        let after = |limit: Option<NaiveDate>| limit.zip(self.done_on).is_some_and(|(limit, on)| limit < on);
        match (self.days.closes_on, self.days.due_at.zip(self.done_at)) {
            (Some(closes_on), _) => after(Some(closes_on)),
            (None, Some((due_at, done_at))) => due_at < done_at,
            (None, None) => after(self.days.due_on),
        }
    }

    /// A survivor's milestone with the days that follow from what is known; one that is done keeps its own. `choose`
    /// gives the instruments for a day, none while the age is unknown: they are chosen anew as long as nothing
    /// is answered, because days move and ages are corrected.
    pub fn staged(
        &self,
        template: &Template,
        facts: &Facts,
        choose: impl Fn(&Step, NaiveDate) -> Option<Vec<String>>,
    ) -> Self {
        let Some(step) = template.step(&self.code) else { return self.clone() };
        if self.standing == Standing::Done && self.asked.iter().all(|asked| !asked.is_open()) {
            return self.clone().settled(true);
        }
        let mut it = Self { days: step.days(facts), ..self.clone() };
        let mut nothing_to_ask = false;
        let untouched = it.asked.iter().all(|asked| asked.answered.is_none());
        let choose = || choose(step, it.days.due_on.unwrap_or(facts.intake_on));
        if let Some(chosen) = untouched.then(choose).flatten() {
            nothing_to_ask = chosen.is_empty();
            let of = |instrument: String| {
                let before = self.asked.iter().find(|asked| asked.instrument == instrument);
                before.cloned().unwrap_or_else(|| Asked::new(instrument))
            };
            it.asked = chosen.into_iter().map(of).collect();
        }
        if it.excused {
            return it;
        }
        it.settled(!nothing_to_ask && template.applies(step, facts))
    }

    /// With the standing that follows from what was answered and excused of it.
    pub fn settled(mut self, applies: bool) -> Self {
        let last = self.asked.iter().filter_map(|it| it.answered).map(|(_, on)| on).max();
        let complete = !self.asked.is_empty() && self.asked.iter().all(|it| !it.is_open());
        (self.standing, self.done_on) = match last {
            Some(on) if complete => (Standing::Done, Some(on)),
            None if complete => (Standing::Declined, None),
            _ if applies => (Standing::Awaited, None),
            _ => (Standing::NotApplicable, None),
        };
        self
    }
}

impl Days {
    /// Where something that nobody has done stands on a day, and at an instant of it.
    fn status(&self, today: NaiveDate, at: DateTime<Utc>) -> Status {
        let Some(opens_on) = self.opens_on else { return Status::NotDue };
        let due = self.due_at.map_or_else(|| self.due_on.is_some_and(|on| on < today), |due_at| due_at < at);
        match () {
            () if today < opens_on => Status::NotDue,
            () if self.closes_on.is_some_and(|on| on < today) => Status::Missed,
            () if due => Status::Due,
            () => Status::Open,
        }
    }
}

#[cfg(test)]
mod tests;
