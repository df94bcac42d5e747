//! Tokens and subjects that are let in no more. Each ruling and its end are kept for good, with who and why.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::code::words;
use super::ids::RevocationId;

words! {
    /// Why a token or a subject is let in no more: a code, so that nothing about a person is written down.
    RevocationReason {
        /// Somebody else has the token, or may have it.
        Exposed = "EXPOSED",
        /// The device with the token is lost.
        DeviceLost = "DEVICE_LOST",
        /// The person works here no more.
        Left = "LEFT",
        /// The person has other duties now.
        RoleChanged = "ROLE_CHANGED",
        /// The access was used for what it is not for.
        Misuse = "MISUSE",
        /// Anything else.
        Other = "OTHER",
    }

    /// Why a revocation was lifted.
    LiftReason {
        /// It was a mistake.
        Mistake = "MISTAKE",
        /// Its cause is over.
        Cleared = "CLEARED",
    }
}

/// What is let in no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// One token.
    Token {
        /// Its own id.
        token_id: String,
        /// From when on it is no good anyway; for good when that is not known.
        until: Option<DateTime<Utc>>,
    },
    /// Every token that a subject was issued by the revocation.
    Principal {
        /// The subject.
        principal: String,
        /// Any later token as well, until the revocation is lifted.
        blocks: bool,
    },
}

/// The end of a revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lift {
    /// Why.
    pub reason: LiftReason,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
}

/// A ruling that a token or a subject is let in no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// Its id.
    pub id: RevocationId,
    /// Of what.
    pub target: Target,
    /// Why.
    pub reason: RevocationReason,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// Its end, if it was lifted.
    pub lifted: Option<Lift>,
}

/// What is revoked of one subject.
#[derive(Clone, Copy, Debug)]
struct Ruling {
    issued_by: DateTime<Utc>,
    blocks: bool,
}

/// The rulings that stand, for look-ups.
#[derive(Clone, Debug, Default)]
pub struct Revoked {
    tokens: HashSet<String>,
    principals: HashMap<String, Ruling>,
}

impl Revoked {
    /// Of several rulings on one subject, each goes on to hold.
    pub fn new(rulings: impl IntoIterator<Item = Revocation>) -> Self {
        let mut all = Self::default();
        for it in rulings.into_iter().filter(|it| it.lifted.is_none()) {
            match it.target {
                Target::Token { token_id, .. } => drop(all.tokens.insert(token_id)),
                Target::Principal { principal, blocks } => {
                    let ruling = Ruling { issued_by: it.at, blocks };
                    let of = all.principals.entry(principal).or_insert(ruling);
                    *of = Ruling { issued_by: of.issued_by.max(it.at), blocks: of.blocks || blocks };
                }
            }
        }
        all
    }

    /// Whether a token of a subject is let in no more. Tokens tell whole seconds: one that was issued in the second
    /// of the revocation, even after it, is revoked.
    pub fn contains(&self, principal: &str, token_id: Option<&str>, issued_at: DateTime<Utc>) -> bool {
        token_id.is_some_and(|id| self.tokens.contains(id))
            || self.principals.get(principal).is_some_and(|it| it.blocks || issued_at <= it.issued_by)
    }
}
