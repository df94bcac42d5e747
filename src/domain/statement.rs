//! A signed statement of compliance: what police may know of one treatment order on one day, in a form
//! that anybody can check without asking us.
//!
//! A statement is a JWS in compact form (RFC 7515) signed with Ed25519 (RFC 8037). Equal claims under one key
//! are equal bytes: there is no random id among them, the order of their fields is that of the types here, and
//! Ed25519 needs no chance. It names no audience, because it is shown to whoever must decide on it.

mod jws;
mod key;
#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::compliance::Shown;
use super::ids::{OrderId, StatementId};
use super::reference::Reference;
use super::text::Fault;
use super::treatment::PolicyVersion;

pub use jws::{Rejected, Verified, verify};
pub use key::{KeySet, Kid, PublicKey, SigningKey};

/// Who states it (`iss`). The same for every installation: which one it was, its key says.
pub const ISSUER: &str = "aftercare-compliance";

/// What a statement claims; its fields are written in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// [`ISSUER`].
    pub iss: String,
    /// When it was made, in whole seconds.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub iat: DateTime<Utc>,
    /// Until when it may be taken for the present: the end of the day of which it speaks, in the order's zone. The
    /// answer is computed per day, so on the next one it may differ though nothing was recorded meanwhile.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub exp: DateTime<Utc>,
    /// The order's reference.
    pub sub: Reference,
    /// Which statement about this order it is, from 1 on.
    pub statement: u32,
    /// The answer.
    pub compliance: Compliance,
    /// By which rules the answer was found.
    pub policy: PolicyVersion,
    /// On which record the answer rests.
    pub chain: Chain,
    /// The days, in the order's zone, on which a correction changed what police had been told; in order, each once.
    pub corrections: Vec<NaiveDate>,
}

/// The police view of an order. All dates are days in the order's zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compliance {
    /// The status.
    pub status: Shown,
    /// The day of which this speaks.
    pub as_of: NaiveDate,
    /// Sessions credited.
    pub credits: u32,
    /// Sessions ordered.
    pub required: u32,
    /// Since when the answer is what it is.
    pub changed_on: NaiveDate,
    /// Since when the order is in breach, once a person has confirmed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub breach_on: Option<NaiveDate>,
    /// By when the breach is to be acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enforcement_due_on: Option<NaiveDate>,
    /// Sessions that have ended and of which nothing is recorded yet: neither credits nor failures.
    pub unrecorded_sessions: u32,
    /// Whether a correction changed an earlier answer.
    pub corrected: bool,
}

/// The head of the chain of the order's own events, and of no one else's: it tells nothing of what happens
/// elsewhere. Nor does it tell how many events there are, or what they say: it is keyed. The installation that made it
/// can show which record a statement rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The digest of its last event, which covers all before it; keyed, so that nobody can guess at events.
    pub head: Digest,
}

/// An HMAC-SHA-256, written as 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Digest(pub [u8; 32]);

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = Fault;

    fn try_from(text: String) -> Result<Self, Fault> {
        let wrong = || Fault::new("must be 64 hexadecimal digits in lower case");
        let digit = |it: u8| b"0123456789abcdef".iter().position(|known| *known == it);
        let digits: Option<Vec<usize>> = text.bytes().map(digit).collect();
        let digits = digits.filter(|digits| digits.len() == 64).ok_or_else(wrong)?;
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = u8::try_from(pair[0] * 16 + pair[1]).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A statement that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// Its id; it stands in no statement.
    pub id: StatementId,
    /// About which order.
    pub order_id: OrderId,
    /// Which statement about that order it is, from 1 on.
    pub number: u32,
    /// The key that signed it.
    pub kid: Kid,
    /// When.
    pub issued_at: DateTime<Utc>,
    /// The statement: a JWS in compact form.
    pub token: String,
}

/// A public key and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// The key.
    pub public: PublicKey,
    /// Since when it is known.
    pub created_at: DateTime<Utc>,
    /// Since when it signs no more; what it has signed stays good.
    pub retired_at: Option<DateTime<Utc>>,
    /// Since when nothing that it has signed is good.
    pub revoked_at: Option<DateTime<Utc>>,
}
