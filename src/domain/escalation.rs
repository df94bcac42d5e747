//! Calls upon a person of the clinical side: how soon, why, and who must act (follow-up, "Escalation").
//!
//! By when, what concerns raise and what closes which are data, in [`rule`]; when survivors who do not come are a
//! reason is in [`no_show`].

pub mod no_show;
pub mod rule;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::code::words;
use super::ids::{
    AssessmentId, AttendanceId, ClientId, ConcernId, CounsellorId, EscalationId, MandatoryReportId, OrganisationId,
};
use super::personal::Personal;
use super::reference::Reference;

words! {
    /// How soon a person must act.
    Level {
        /// Review within two working days.
        R1 = "R1",
        /// Review by a person on the same day.
        R2 = "R2",
        /// At once, in live contact.
        R3 = "R3",
    }

    /// What causes an escalation.
    Trigger {
        /// What was said to a risk item.
        RiskItem = "RISK_ITEM",
        /// A risk item has no answer: UNKNOWN, which is never "no".
        RiskItemUnknown = "RISK_ITEM_UNKNOWN",
        /// A total rose into the highest band.
        TotalRose = "TOTAL_ROSE",
        /// An assessment is worse than the one before or the baseline.
        Worsened = "WORSENED",
        /// A symptom that stands for risk was rated high.
        RiskSymptom = "RISK_SYMPTOM",
        /// A new disclosure.
        NewDisclosure = "NEW_DISCLOSURE",
        /// The accused sought contact.
        ContactWithAccused = "CONTACT_WITH_ACCUSED",
        /// A threat.
        Threat = "THREAT",
        /// A child is missing.
        MissingChild = "MISSING_CHILD",
        /// The survivor did not come while an R2 or R3 is open.
        NoShowWhileOpen = "NO_SHOW_WHILE_OPEN",
        /// The survivor did not come twice in a row.
        TwoNoShows = "TWO_NO_SHOWS",
    }

    /// Who must act now.
    Named {
        /// The counsellor.
        Counsellor = "COUNSELLOR",
        /// The clinical lead: the time ran out unacknowledged.
        ClinicalLead = "CLINICAL_LEAD",
    }

    /// What was done.
    Action {
        /// Somebody of the clinical side spoke with the person.
        LiveContact = "LIVE_CONTACT",
        /// The risk was assessed by a clinician.
        ClinicalReview = "CLINICAL_REVIEW",
        /// Somebody looked whether the person is well, by safe channels only.
        WelfareCheck = "WELFARE_CHECK",
        /// Emergency services were called.
        EmergencyServices = "EMERGENCY_SERVICES",
        /// The person was referred to other care.
        Referral = "REFERRAL",
        /// It was looked at, and nothing had to be done.
        NothingNeeded = "NOTHING_NEEDED",
    }

    /// What somebody has learned.
    ConcernKind {
        /// A new disclosure, by a survivor or by an offender.
        NewDisclosure = "NEW_DISCLOSURE",
        /// The accused sought contact.
        ContactWithAccused = "CONTACT_WITH_ACCUSED",
        /// A threat.
        Threat = "THREAT",
        /// A child is missing.
        MissingChild = "MISSING_CHILD",
    }

    /// To whom a report was made.
    Recipient {
        /// The special juvenile police unit.
        SpecialJuvenilePoliceUnit = "SPECIAL_JUVENILE_POLICE_UNIT",
        /// The local police.
        LocalPolice = "LOCAL_POLICE",
        /// It had been reported already, by somebody else.
        AlreadyReported = "ALREADY_REPORTED",
    }
}

/// The one thing that caused an escalation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An assessment.
    Assessment(AssessmentId),
    /// A record of attendance.
    Attendance(AttendanceId),
    /// A concern.
    Concern(ConcernId),
}

/// A concern, as somebody reported it. Never changed.
#[derive(Clone, Debug)]
pub struct Concern {
    /// Its id.
    pub id: ConcernId,
    /// The organisation that cares for the client.
    pub organisation_id: OrganisationId,
    /// The client through whom or about whom it became known.
    pub client_id: ClientId,
    /// What somebody has learned.
    pub kind: ConcernKind,
    /// When it became known.
    pub learned_at: DateTime<Utc>,
    /// What the clinical side must know.
    pub text: Personal,
    /// When it was reported to the service.
    pub reported_at: DateTime<Utc>,
}

/// The task of a report that the law demands (POCSO s.19; India, "Mandatory reporting").
#[derive(Clone, Debug)]
pub struct MandatoryReport {
    /// Its id.
    pub id: MandatoryReportId,
    /// How often it was written; its etag.
    pub version: i64,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The client through whom it became known.
    pub client_id: ClientId,
    /// The client's reference code.
    pub reference: Reference,
    /// The concern.
    pub concern_id: ConcernId,
    /// When it became known.
    pub learned_at: DateTime<Utc>,
    /// By when it is to be reported.
    pub due_at: DateTime<Utc>,
    /// That it was reported; none while the task is open.
    pub reported: Option<Reported>,
}

/// A report that was made, or was not needed because somebody else had made it.
#[derive(Clone, Debug)]
pub struct Reported {
    /// When it was reported.
    pub at: DateTime<Utc>,
    /// To whom.
    pub recipient: Recipient,
    /// Where it can be found again.
    pub reference: Personal,
    /// When that was recorded, and by whom.
    pub recorded: (DateTime<Utc>, String),
}

/// What calls for a person: found by the rules, or said by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alarm {
    /// How soon.
    pub level: Level,
    /// Why.
    pub trigger: Trigger,
}

/// An escalation.
#[derive(Clone, Debug)]
pub struct Escalation {
    /// Its id.
    pub id: EscalationId,
    /// How often it was written; its etag.
    pub version: i64,
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The client.
    pub client_id: ClientId,
    /// The client's reference code.
    pub reference: Reference,
    /// The counsellor it names.
    pub counsellor_id: CounsellorId,
    /// How soon, and why.
    pub alarm: Alarm,
    /// What caused it.
    pub cause: Cause,
    /// What caused it was corrected since.
    pub cause_superseded: bool,
    /// What was said about the concern that caused it; empty when another thing did.
    pub said: Personal,
    /// The zone of its working time.
    pub zone: Tz,
    /// When it was raised.
    pub raised_at: DateTime<Utc>,
    /// By when it must be acknowledged.
    pub due_at: DateTime<Utc>,
    /// When somebody took it on, and who.
    pub acknowledged: Option<(DateTime<Utc>, String)>,
    /// How it was closed.
    pub resolved: Option<Resolved>,
}

/// How an escalation was closed.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// What was done.
    pub action: Action,
    /// What to remember.
    pub note: Personal,
}

impl Escalation {
    /// Who must act at an instant; nobody when it was acknowledged.
    pub fn named(&self, now: DateTime<Utc>) -> Option<Named> {
        match &self.acknowledged {
            Some(_) => None,
            None if now < self.due_at => Some(Named::Counsellor),
            None => Some(Named::ClinicalLead),
        }
    }
}
