//! Guardians: who answers for a child, and whether they may.

use serde::Serialize;

use super::code::words;
use super::ids::{ClientId, GuardianId, OrganisationId};
use super::noun::Noun;
use super::personal::Personal;
use super::text::Code;

words! {
    /// Whether a guardian may answer for the child.
    GuardianStanding {
        /// Nothing is known against it.
        Safe = "SAFE",
        /// The child is not safe with this guardian.
        Unsafe = "UNSAFE",
        /// This guardian is accused in a case of the child.
        Accused = "ACCUSED",
    }
}

/// Somebody who answers for a client. Never deleted: whose word counted once is part of the history.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Guardian {
    /// The client.
    pub client_id: ClientId,
    /// The organisation's code for the guardian, unique among those of the client.
    pub code: Option<Code>,
    /// Name.
    pub name: Personal,
    /// Telephone; may be empty.
    pub phone: Personal,
    /// What the guardian is to the client; may be empty.
    pub relation: Personal,
    /// Whether the guardian may answer for the client today.
    pub standing: GuardianStanding,
}

impl Noun for Guardian {
    type Id = GuardianId;
    const WORD: &'static str = "guardian";
    const OWNER: Option<&'static str> = Some("client");

    fn organisation_id(&self) -> Option<OrganisationId> {
        None
    }
}
