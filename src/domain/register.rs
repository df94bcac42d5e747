//! What the gate knows beside a token: who is let in no more, and what programs may be.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::access::{Caller, Identity};
use super::revocation::Revoked;
use super::service_account::ServiceAccount;

/// Why the bearer of a good token is not let in; for the log, never for the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Shut {
    /// The token or its subject was revoked.
    #[error("revoked")]
    Revoked,
    /// The token names no role, and its subject is no service account.
    #[error("it names no role")]
    NoRole,
    /// The token names a role, and its subject is a service account, which has its own.
    #[error("it names a role for a service account")]
    TwoRoles,
    /// The service account is disabled or has expired.
    #[error("the service account has ended")]
    Ended,
}

/// Revocations and service accounts as one process knows them.
#[derive(Clone, Debug, Default)]
pub struct Register {
    revoked: Revoked,
    accounts: HashMap<String, Arc<ServiceAccount>>,
}

impl Register {
    /// Of what stands.
    pub fn new(revoked: Revoked, accounts: impl IntoIterator<Item = ServiceAccount>) -> Self {
        let accounts = accounts.into_iter().map(|it| (it.principal.clone(), Arc::new(it))).collect();
        Self { revoked, accounts }
    }

    /// Who calls, given what a good token says.
    pub fn caller(&self, mut identity: Identity, now: DateTime<Utc>) -> Result<Caller, Shut> {
        if self.revoked.contains(&identity.principal, identity.token_id.as_deref(), identity.issued_at) {
            return Err(Shut::Revoked);
        }
        match (identity.authority.take(), self.accounts.get(&identity.principal)) {
            (Some(authority), None) => Ok(Caller::of_token(identity, authority)),
            (None, Some(account)) if account.stands(now) => {
                let caller = Caller::of_token(identity, account.authority.clone());
                Ok(Caller { account: Some(account.clone()), ..caller })
            }
            (None, Some(_)) => Err(Shut::Ended),
            (None, None) => Err(Shut::NoRole),
            (Some(_), Some(_)) => Err(Shut::TwoRoles),
        }
    }

    /// Whether somebody who was let in still would be. An account that was changed since is let in anew.
    pub fn still(&self, caller: &Caller, now: DateTime<Utc>) -> bool {
        let revoked = |at| self.revoked.contains(&caller.principal, caller.token_id.as_deref(), at);
        let account = self.accounts.get(&caller.principal);
        !caller.issued_at.is_some_and(revoked)
            && account == caller.account.as_ref()
            && account.is_none_or(|account| account.stands(now))
    }
}
