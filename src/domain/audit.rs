//! What is kept of who did what: ids and codes, never personal data; and how it is sealed so that whoever changes it is
//! found out.

pub mod chain;
pub mod head;
pub mod verify;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::access::Role;
use super::code::words;
use super::ids::OrganisationId;

words! {
    /// How an audited act ended.
    Outcome {
        /// It was done.
        Done = "DONE",
        /// It was allowed to the caller and refused for what it asked.
        Refused = "REFUSED",
        /// It was not allowed to the caller.
        Denied = "DENIED",
    }
}

/// One audited act.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id, in order of time within one process.
    pub id: Uuid,
    /// When.
    pub occurred_at: DateTime<Utc>,
    /// Who: the token's subject.
    pub principal: String,
    /// In which role.
    pub role: Role,
    /// For which organisation.
    pub organisation_id: Option<OrganisationId>,
    /// What was called.
    pub action: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The reason of a refusal.
    pub reason: Option<String>,
    /// The rules that stood in the way, or what else belongs to it.
    pub details: Vec<String>,
    /// The ids of what it touched.
    pub subjects: Vec<Uuid>,
    /// The caller's request id.
    pub request_id: Option<Uuid>,
}

/// An event as the auditor is shown it, sealed or not, also where somebody has changed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// See [`Event`].
    pub id: Uuid,
    /// See [`Event`].
    pub occurred_at: DateTime<Utc>,
    /// See [`Event`].
    pub principal: String,
    /// See [`Event`].
    pub role: String,
    /// See [`Event`].
    pub organisation_id: Option<OrganisationId>,
    /// See [`Event`].
    pub action: String,
    /// See [`Event`]; none when it is no word.
    pub outcome: Option<Outcome>,
    /// See [`Event`].
    pub reason: Option<String>,
    /// See [`Event`].
    pub details: Vec<String>,
    /// See [`Event`].
    pub subjects: Vec<Uuid>,
    /// See [`Event`].
    pub request_id: Option<Uuid>,
    /// Its place in the chain, once it is sealed.
    pub position: Option<i64>,
    /// The hash there.
    pub hash: Option<Vec<u8>>,
}
