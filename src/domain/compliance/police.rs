//! What police learn of a treatment order: how it stands, and nothing of sessions, places or people.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Assessment, Policy, Status};
use crate::domain::code::words;

words! {
    /// How a treatment order stands, as police see it.
    Shown {
        /// Nothing was attended yet.
        NotStarted = "NOT_STARTED",
        /// As it should be.
        Compliant = "COMPLIANT",
        /// At risk for a reason that police are shown.
        AtRisk = "AT_RISK",
        /// A breach was computed, and no person confirmed it yet.
        UnderReview = "UNDER_REVIEW",
        /// Breached.
        Breached = "BREACHED",
        /// Suspended.
        Suspended = "SUSPENDED",
        /// Completed.
        Completed = "COMPLETED",
        /// Terminated.
        Terminated = "TERMINATED",
    }
}

/// The police view of an assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoliceStatus {
    /// How the order stands.
    pub status: Shown,
    /// Credits.
    pub credits: u32,
    /// Credits that the order asks for.
    pub required: u32,
    /// Since when it is breached; of a breach that is shown alone.
    pub breach_on: Option<NaiveDate>,
    /// Until when enforcement is due; of a breach that is shown alone.
    pub enforcement_due_on: Option<NaiveDate>,
}

/// What police are shown of an assessment. A reason for being at risk that is not theirs leaves no trace, and a
/// breach that awaits its confirmation has no dates.
pub fn shown(assessment: &Assessment, policy: &Policy) -> PoliceStatus {
    let reviewed = |confirmed: bool| confirmed || !policy.breach_needs_confirmation;
    let breach = assessment.breach.filter(|it| assessment.status == Status::Breached && reviewed(it.confirmed));
    let theirs = assessment.at_risk.iter().any(|reason| policy.police_at_risk_reasons.contains(reason));
    let status = match assessment.status {
        Status::Terminated => Shown::Terminated,
        Status::Breached if breach.is_some() => Shown::Breached,
        Status::Breached => Shown::UnderReview,
        Status::Completed => Shown::Completed,
        Status::Suspended => Shown::Suspended,
        Status::AtRisk if theirs => Shown::AtRisk,
        Status::AtRisk | Status::Compliant | Status::NotStarted if assessment.credits > 0 => Shown::Compliant,
        Status::AtRisk | Status::Compliant | Status::NotStarted => Shown::NotStarted,
    };
    PoliceStatus {
        status,
        credits: assessment.credits,
        required: assessment.required,
        breach_on: breach.map(|it| it.breach_on),
        enforcement_due_on: breach.map(|it| it.enforcement_due_on),
    }
}
