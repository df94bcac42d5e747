//! Bearer tokens: who calls.

mod builtin;

pub use builtin::{Builtin, Grant};

use chrono::{DateTime, Utc};

use crate::domain::access::Caller;

/// Turns a bearer token into a caller.
pub trait Authenticator: std::fmt::Debug + Send + Sync {
    /// The caller of a token that is good at an instant.
    fn caller(&self, token: &str, now: DateTime<Utc>) -> Result<Caller, Refused>;
}

/// Why a token was refused; for the log, never for the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a token of this issuer: its form, signature, algorithm, issuer or audience is wrong.
    #[error("not a token of this issuer: {0}")]
    Forged(String),
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// Its time has not come.
    #[error("not yet valid")]
    NotYetValid,
    /// It lacks what its role needs.
    #[error("claim {0} is missing or wrong")]
    Claim(&'static str),
}
