//! A signed statement of compliance: what police may know of one treatment order on one day, in a form
//! that anybody can check without asking us.
//!
//! A statement is a JWS in compact form (RFC 7515) signed with Ed25519 (RFC 8037). Equal histories give
//! equal bytes: the claims have no random id, the order of their fields is the order of the types here,
//! and Ed25519 needs no chance. It names no audience, because it is shown to whoever must decide on it.

mod jws;
mod key;
#[cfg(test)]
mod tests;

use chrono::{DateTime, NaiveDate, SubsecRound, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::code::words;
use super::reference::Reference;
use super::text::{Code, Fault};
use super::time::Span;

pub use jws::{Rejected, Verified, verify};
pub use key::{KeySet, Kid, PublicKey, SigningKey};

/// Who states it (`iss`). The same for every installation: which one it was, its key says.
pub const ISSUER: &str = "aftercare-compliance";

words! {
    /// What police are shown as the status of an order.
    Shown {
        /// Nothing was attended yet.
        NotStarted = "NOT_STARTED",
        /// On course.
        Compliant = "COMPLIANT",
        /// A failure stands.
        AtRisk = "AT_RISK",
        /// Computed to be a breach, and not yet confirmed by a person.
        UnderReview = "UNDER_REVIEW",
        /// In breach, confirmed.
        Breached = "BREACHED",
        /// Suspended for a while.
        Suspended = "SUSPENDED",
        /// Everything that was ordered is done.
        Completed = "COMPLETED",
        /// Ended before it was done.
        Terminated = "TERMINATED",
    }
}

/// What a statement claims; its fields are written in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// [`ISSUER`].
    pub iss: String,
    /// When it was made, in whole seconds.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub iat: DateTime<Utc>,
    /// Until when it may be taken for the present: the end of the day of which it speaks.
    #[serde(with = "chrono::serde::ts_seconds")]
    pub exp: DateTime<Utc>,
    /// The order's reference.
    pub sub: Reference,
    /// Which statement about this order it is, from 1 on.
    pub statement: u64,
    /// The answer.
    pub compliance: Compliance,
    /// By which rules the answer was found.
    pub policy: PolicyVersion,
    /// On which record the answer rests.
    pub chain: Chain,
    /// The local dates on which something recorded about the order was superseded, in order, each once.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_on: Option<NaiveDate>,
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

/// A version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// The policy.
    pub code: Code,
    /// Its version.
    pub version: u32,
}

/// The head of the chain of the order's own events. A later statement has a longer chain; that it grew
/// out of this one can be shown by who holds the events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// How many events it has.
    pub length: u64,
    /// The digest of its last event, which covers all before it.
    pub head: Digest,
}

/// A SHA-256, written as 64 hexadecimal digits in lower case.
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

/// When a statement was made, and until when it may be taken for the present.
///
/// That is to the end of its local day, because the answer is computed per day: on the next one it may
/// differ though nothing was recorded meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// When it was made, in whole seconds.
    pub issued_at: DateTime<Utc>,
    /// The first instant of the next day in the order's zone.
    pub ends_at: DateTime<Utc>,
}

impl Validity {
    /// The validity of what is stated now about a day in a zone; `None` at the end of the calendar.
    pub fn of(as_of: NaiveDate, zone: Tz, now: DateTime<Utc>) -> Option<Self> {
        Some(Self { issued_at: now.trunc_subsecs(0), ends_at: Span::of_day(as_of, zone)?.ends_at() })
    }
}
