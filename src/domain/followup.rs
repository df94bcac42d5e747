//! Follow-up plans: which template a survivor or a case follows, and the facts that its days hang on.
//!
//! Templates are in [`template`]; how milestones get their days in [`days`] for survivors and in [`procedure`] for
//! cases; where they stand in [`milestone`]; what is reported of them in [`report`].

pub mod days;
pub mod milestone;
pub mod procedure;
pub mod report;
pub mod template;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use super::code::words;
use super::ids::{CaseId, ClientId, CounsellorId, OrganisationId, PlanId};

/// The fewest sessions of a treatment \[P\].
pub const FEWEST_SESSIONS: u32 = 6;
/// The most sessions of a treatment \[P\].
pub const MOST_SESSIONS: u32 = 25;
/// How many sessions are planned unless said otherwise: weekly, within NICE NG116's 6 to 12 for children \[P\].
pub const USUAL_SESSIONS: u32 = 12;

words! {
    /// Why a plan was closed.
    Closing {
        /// Everything was done.
        Completed = "COMPLETED",
        /// The client withdrew, or could not be reached any more.
        DroppedOut = "DROPPED_OUT",
        /// Another organisation cares for the client now.
        Transferred = "TRANSFERRED",
        /// It should not have been opened.
        InError = "IN_ERROR",
    }
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// How often it was written; its etag.
    pub version: i64,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// Whom or what it follows.
    pub subject: Subject,
    /// Code of its template.
    pub template: String,
    /// The version of the template that it keeps.
    pub template_version: u32,
    /// The zone in which its days are meant.
    pub zone: Tz,
    /// The local day of intake.
    pub intake_on: NaiveDate,
    /// Why and when it was closed.
    pub closed: Option<(Closing, DateTime<Utc>)>,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
}

/// Whom or what a plan follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A survivor.
    Survivor(Course),
    /// A case; its recorded events are the anchors.
    Case(CaseId),
}

/// What the days of a survivor's plan hang on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// The survivor.
    pub client_id: ClientId,
    /// Who is responsible.
    pub counsellor_id: CounsellorId,
    /// The local day of the report or of the incident, whichever became known later.
    pub report_on: Option<NaiveDate>,
    /// How many sessions are planned.
    pub planned_sessions: u32,
    /// The local day of the recorded discharge.
    pub discharged_on: Option<NaiveDate>,
    /// The local day of the first session that was attended.
    pub first_attended_on: Option<NaiveDate>,
}

impl Plan {
    /// The survivor's course; none for a case.
    pub fn course(&self) -> Option<&Course> {
        match &self.subject {
            Subject::Survivor(course) => Some(course),
            Subject::Case(_) => None,
        }
    }

    /// The case; none for a survivor.
    pub fn case_id(&self) -> Option<CaseId> {
        match &self.subject {
            Subject::Survivor(_) => None,
            Subject::Case(case_id) => Some(*case_id),
        }
    }

    /// Whether anything in it can still fall due.
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }
}
