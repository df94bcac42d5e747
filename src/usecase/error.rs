//! Every way in which a use case can end badly. The wire meets it once, in `grpc::status`.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use chrono_tz::Tz;
use uuid::Uuid;

use crate::domain::ids::{ClientId, SessionId};
use crate::domain::rules::RuleCode;
use crate::domain::session::Wanted;
use crate::domain::slots::Slot;
use crate::domain::text::{Code, Fault};
use crate::domain::time::Spans;
use crate::store;

/// A result of a use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// Its path in the request, `site.zone`.
    pub field: String,
    /// What would be right; never the value.
    pub says: String,
}

impl FieldViolation {
    /// A field and what is wrong with it.
    pub fn new(field: impl Into<String>, fault: &Fault) -> Self {
        Self { field: field.into(), says: fault.to_string() }
    }
}

/// A booking that was refused.
#[derive(Debug)]
pub struct Refusal {
    /// Every rule that stands in the way.
    pub broken: Vec<RuleCode>,
    /// Those of them that are about one of the clients of a group, and about whom.
    pub about: Vec<(ClientId, RuleCode)>,
    /// What was wanted, by which alternatives are looked for.
    pub wanted: Wanted,
    /// The session that was to be moved.
    pub except: Option<SessionId>,
    /// What is free instead, best first.
    pub alternatives: Vec<Slot>,
    /// When it is about several sessions: what stands in the way of each.
    pub by_session: Vec<(SessionId, Vec<RuleCode>)>,
}

impl Refusal {
    /// A refusal for which nobody has looked for alternatives yet.
    pub fn of(broken: Vec<RuleCode>, wanted: Wanted, except: Option<SessionId>) -> Self {
        let (about, by_session) = (Vec::new(), Vec::new());
        Self { broken, about, wanted, except, alternatives: Vec::new(), by_session }
    }
}

/// A session of a series that was refused, or could not be moved.
#[derive(Debug)]
pub struct Declined {
    /// Its number.
    pub number: u32,
    /// The zone in which its time is meant.
    pub zone: Tz,
    /// What stands in the way.
    pub refusal: Refusal,
}

/// A series of which too much was refused.
#[derive(Debug)]
pub struct SeriesRefusal {
    /// What was refused, by number; never empty.
    pub declined: Vec<Declined>,
    /// When its sessions, the others included, were to take place.
    pub planned: Spans,
}

impl SeriesRefusal {
    /// Every rule that stands in the way of any, once.
    pub fn broken(&self) -> BTreeSet<RuleCode> {
        self.declined.iter().flat_map(|it| it.refusal.broken.iter().copied()).collect()
    }
}

/// How a use case ends badly.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The token is missing or not good.
    #[error("a valid bearer token is required")]
    Unauthenticated,
    /// The role may never call this.
    #[error("this role may not call this method")]
    Denied,
    /// Fields of the request are wrong.
    #[error("the request has fields that are not valid")]
    Invalid(Vec<FieldViolation>),
    /// It does not exist, or the caller may not know that it does.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// Something with this code exists.
    #[error("a {0} with this code exists already")]
    Exists(&'static str),
    /// It was changed since it was read.
    #[error("the {0} has changed since it was read; read it again")]
    EtagMismatch(&'static str),
    /// A request id came back with another body.
    #[error("this request_id was used for another request")]
    RequestReused,
    /// Booking rules stand in the way.
    #[error("the session cannot be booked")]
    Refused(Box<Refusal>),
    /// Booking rules stand in the way of a series.
    #[error("the series cannot be booked")]
    SeriesRefused(Box<SeriesRefusal>),
    /// The state of a thing does not allow it.
    #[error("{says}")]
    Precondition {
        /// Stable reason.
        reason: &'static str,
        /// What it says to people.
        says: &'static str,
        /// What stands in the way, if the caller may know.
        subjects: Vec<Uuid>,
    },
    /// An instrument is not for the age of the client.
    #[error("the instrument is not for this age{}", suggestion(suggested))]
    OutsideAge {
        /// Codes of those that are; empty when there is none.
        suggested: Vec<Code>,
    },
    /// The caller has as much as one may have.
    #[error("{says}")]
    Exhausted {
        /// Stable reason.
        reason: &'static str,
        /// What it says to people.
        says: &'static str,
        /// When to come back.
        retry_for: TimeDelta,
    },
    /// The database is busy or away; the same request may succeed in a moment.
    #[error("the service is busy; try again")]
    Unavailable(#[source] store::Error),
    /// The keys of whoever issues the tokens are not known, or were not confirmed for too long.
    #[error("bearer tokens cannot be checked now; try again")]
    NoKeys,
    /// The caller's deadline, or the longest that any request may take, has passed.
    #[error("there was no answer within the time that the request may take")]
    Overdue,
    /// The process ends; another one, or the next, has the same answer.
    #[error("the service is stopping; go on with another connection")]
    Ending,
    /// More is asked at once than can be done in time.
    #[error("too much is asked of the service at once; come back later")]
    Overloaded,
    /// A fault of ours.
    #[error("internal")]
    Internal(#[source] store::Error),
}

impl Error {
    /// A request with one wrong field.
    pub fn field(field: impl Into<String>, says: impl Into<String>) -> Self {
        Error::Invalid(vec![FieldViolation { field: field.into(), says: says.into() }])
    }

    /// Nothing more is written about a client who was erased.
    pub fn erased() -> Self {
        let says = "the client was erased; nothing more can be written about them";
        Error::Precondition { reason: "CLIENT_ERASED", says, subjects: Vec::new() }
    }

    /// The stable reason (`ErrorInfo.reason`).
    pub fn reason(&self) -> &'static str {
        match self {
            Error::Unauthenticated => "UNAUTHENTICATED",
            Error::Denied => "ROLE_NOT_ALLOWED",
            Error::Invalid(_) => "INVALID_REQUEST",
            Error::NotFound(_) => "NOT_FOUND",
            Error::Exists(_) => "ALREADY_EXISTS",
            Error::EtagMismatch(_) => "ETAG_MISMATCH",
            Error::RequestReused => "REQUEST_ID_REUSED",
            Error::Refused(_) | Error::SeriesRefused(_) => "BOOKING_REFUSED",
            Error::Precondition { reason, .. } | Error::Exhausted { reason, .. } => reason,
            Error::OutsideAge { .. } => "OUTSIDE_AGE",
            Error::Unavailable(_) | Error::NoKeys | Error::Ending => "UNAVAILABLE",
            Error::Overdue => "DEADLINE_EXCEEDED",
            Error::Overloaded => "OVERLOADED",
            Error::Internal(_) => "INTERNAL",
        }
    }

    /// Whether it is an answer to what was asked, and so belongs in the audit trail, rather than
    /// a failure to answer.
    pub fn is_refusal(&self) -> bool {
        use Error::{Ending, Internal, NoKeys, Overdue, Overloaded, Unavailable};
        !matches!(self, Unavailable(_) | NoKeys | Overdue | Overloaded | Ending | Internal(_))
    }
}

/// What is suggested instead.
fn suggestion(codes: &[Code]) -> String {
    let codes: Vec<_> = codes.iter().map(Code::as_str).collect();
    if codes.is_empty() { String::new() } else { format!("; for it there are {}", codes.join(", ")) }
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Retry(_)
            | store::Error::Uncertain(_)
            | store::Error::Conflict
            | store::Error::Retired
            | store::Error::InUse => Error::Unavailable(error),
            store::Error::Erased => Error::erased(),
            store::Error::Taken
            | store::Error::Inconsistent { .. }
            | store::Error::Database(_)
            | store::Error::Newer(_)
            | store::Error::OtherSchema(_)
            | store::Error::Migration(_)
            | store::Error::File(_)
            | store::Error::Keys(_) => Error::Internal(error),
        }
    }
}
