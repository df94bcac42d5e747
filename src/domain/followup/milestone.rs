//! Milestones: their days, and where they stand on a day. Statuses are computed from facts and the present, never
//! stored (follow-up, "Status at date t").

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::domain::code::words;
use crate::domain::ids::{AssessmentId, CounsellorId, MilestoneId, OrganisationId, PlanId, SessionId};
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
    /// The closed assessment that has answered it.
    pub assessment_id: Option<AssessmentId>,
    /// The client declined it.
    pub excused: bool,
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
    /// Where it stands at an instant, in the zone of its plan.
    pub fn status(&self, now: DateTime<Utc>, zone: Tz, provisional: Provisional) -> Status {
        let days = &self.days;
        match self.standing {
            Standing::Declined => return Status::Declined,
            Standing::NotApplicable => return Status::NotApplicable,
            Standing::OnHold => return Status::OnHold,
            Standing::Done => return if self.is_late() { Status::DoneLate } else { Status::Done },
            Standing::Awaited => {}
        }
        if days.provisional && provisional == Provisional::Waits {
            return Status::NotDue;
        }
        let today = local_day(now, zone);
        let Some(opens_on) = days.opens_on else { return Status::NotDue };
        let due = days.due_at.map_or_else(|| days.due_on.is_some_and(|on| on < today), |at| at < now);
        match () {
            () if today < opens_on => Status::NotDue,
            () if days.closes_on.is_some_and(|on| on < today) => Status::Missed,
            () if due => Status::Due,
            () => Status::Open,
        }
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
}
