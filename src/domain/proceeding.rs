//! Days on which a case takes its parties away: hearings, statements, examinations.

use chrono::NaiveDate;
use serde::Serialize;

use super::code::words;
use super::ids::{CaseId, OrganisationId, ProceedingId};
use super::noun::Noun;

words! {
    /// What takes place.
    ProceedingKind {
        /// A hearing in court.
        Hearing = "HEARING",
        /// A statement to the police or a magistrate.
        Statement = "STATEMENT",
        /// A medical or other examination.
        Examination = "EXAMINATION",
    }
}

/// A day of a case that its parties keep free (India, "Hearings and statements").
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Proceeding {
    /// The case.
    pub case_id: CaseId,
    /// The day, in the zone of whoever keeps it.
    pub on_date: NaiveDate,
    /// What takes place.
    pub kind: ProceedingKind,
}

impl Noun for Proceeding {
    type Id = ProceedingId;
    const WORD: &'static str = "proceeding";
    const OWNER: Option<&'static str> = Some("case");

    fn organisation_id(&self) -> Option<OrganisationId> {
        None
    }
}
