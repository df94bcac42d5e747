//! Agreements: no session is booked without one in force.

use chrono::NaiveDate;
use serde::Serialize;

use super::code::{CareService, words};
use super::ids::{AgreementId, OrganisationId};
use super::noun::Noun;
use super::text::Code;

words! {
    /// Where an agreement stands.
    AgreementStatus {
        /// Being negotiated.
        Draft = "DRAFT",
        /// In force between its dates.
        Active = "ACTIVE",
        /// Paused.
        Suspended = "SUSPENDED",
        /// Ended.
        Ended = "ENDED",
    }
}

/// A memorandum between the police or a State and an organisation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The organisation's code for it.
    pub code: Code,
    /// The other party.
    pub counterparty: String,
    /// The services it covers.
    pub services: Vec<CareService>,
    /// The districts it covers.
    pub districts: Vec<Code>,
    /// First day in force.
    pub valid_from: NaiveDate,
    /// Last day in force.
    pub valid_until: Option<NaiveDate>,
    /// Where it stands.
    pub status: AgreementStatus,
}

impl Agreement {
    /// Whether it is in force on a day and covers a service and, where there is a place, its
    /// district. A remote session has no place.
    pub fn covers(&self, day: NaiveDate, service: CareService, district: Option<&Code>) -> bool {
        self.status == AgreementStatus::Active
            && self.valid_from <= day
            && self.valid_until.is_none_or(|last| day <= last)
            && self.services.contains(&service)
            && district.is_none_or(|district| self.districts.contains(district))
    }
}

impl Noun for Agreement {
    type Id = AgreementId;
    const WORD: &'static str = "agreement";

    fn organisation_id(&self) -> Option<OrganisationId> {
        Some(self.organisation_id)
    }
}
