//! Declared conflicts of interest: a counsellor who must not see a client.

use serde::Serialize;

use super::ids::{ClientId, ConflictId, CounsellorId, OrganisationId};
use super::noun::Noun;

/// A counsellor who must not see a client, both of one organisation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Conflict {
    /// The client.
    pub client_id: ClientId,
    /// The counsellor.
    pub counsellor_id: CounsellorId,
}

impl Noun for Conflict {
    type Id = ConflictId;
    const WORD: &'static str = "conflict of interest";
    const OWNER: Option<&'static str> = Some("client");

    fn organisation_id(&self) -> Option<OrganisationId> {
        None
    }
}
