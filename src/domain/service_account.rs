//! Service accounts: subjects of the issuer that are programs. Their tokens name no role; it is kept here, one for
//! each and for good, and can be narrowed to some RPCs.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::access::{self, Authority, Role};
use super::ids::{OrganisationId, ServiceAccountId};
use super::noun::Noun;
use super::text::Code;

/// The most RPCs that an account can be narrowed to by name.
pub const MOST_METHODS: usize = 200;

/// A program's account.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ServiceAccount {
    /// The code people know it by.
    pub code: Code,
    /// The subject of its tokens.
    pub principal: String,
    /// What it may be.
    pub authority: Authority,
    /// The RPCs it is narrowed to, by full name; all that its role may call when empty.
    pub methods: Vec<String>,
    /// From when on it is let in no more.
    pub expires_at: Option<DateTime<Utc>>,
    /// Not let in, until this is taken back.
    pub disabled: bool,
}

impl ServiceAccount {
    /// Whether it is let in at an instant.
    pub fn stands(&self, now: DateTime<Utc>) -> bool {
        !self.disabled && self.expires_at.is_none_or(|end| now < end)
    }

    /// Whether it was not narrowed to other RPCs than this.
    pub fn allows(&self, rpc: &str) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|it| it == rpc)
    }
}

/// Whether an account of a role can be narrowed to an RPC: the role must allow it.
pub fn can_be_narrowed_to(role: Role, rpc: &str) -> bool {
    access::row(rpc).is_some_and(|(_, roles)| roles.contains(&role))
}

impl Noun for ServiceAccount {
    type Id = ServiceAccountId;
    const WORD: &'static str = "service account";
    /// Admins alone manage accounts, those of organisations too.
    const OWNER: Option<&'static str> = None;

    fn organisation_id(&self) -> Option<OrganisationId> {
        None
    }
}
