//! Sessions: one meeting of one counsellor with one client.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::code::{CareService, Side, words};
use super::ids::{ClientId, CounsellorId, GuardianId, OrganisationId, SessionId};
use super::personal::Personal;
use super::place::{Place, WantedPlace};
use super::reference::Reference;
use super::rules::{Candidate, RuleCode};
use super::time::Span;

/// The shortest session.
pub const SHORTEST: TimeDelta = TimeDelta::minutes(10);
/// The longest session.
pub const LONGEST: TimeDelta = TimeDelta::hours(8);
/// How long a time is held unless said otherwise (architecture, "A hold"); a parameter of ours.
pub const DEFAULT_HOLD: TimeDelta = TimeDelta::minutes(5);
/// The longest a time is held; a parameter of ours.
pub const LONGEST_HOLD: TimeDelta = TimeDelta::minutes(15);
/// The most times one principal holds at once, so that holds can neither block a calendar nor probe
/// it; the schema has no number for an eleventh.
pub const MOST_HOLDS: i64 = 10;

words! {
    /// Why a session was cancelled.
    CancelReason {
        /// The client asked.
        Client = "CLIENT",
        /// The counsellor or the organisation could not.
        Provider = "PROVIDER",
        /// Venue, transport or the like.
        Logistics = "LOGISTICS",
        /// A court or authority called the client away.
        Court = "COURT",
        /// Anything else.
        Other = "OTHER",
    }

    /// The word of a state, without its evidence.
    StateWord {
        /// See [`State::Held`].
        Held = "HELD",
        /// See [`State::Booked`].
        Booked = "BOOKED",
        /// See [`State::Cancelled`].
        Cancelled = "CANCELLED",
        /// See [`State::Rescheduled`].
        Rescheduled = "RESCHEDULED",
    }
}

/// Where a session stands, with the evidence of how it got there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Its time is kept for somebody who is about to book it; no session yet.
    Held {
        /// Until when; from then on it keeps nothing.
        until: DateTime<Utc>,
        /// For whom: a caller's identity.
        by: String,
        /// Which of the holds of that caller, 1 to [`MOST_HOLDS`].
        number: i64,
    },
    /// It is to take place, or did.
    Booked,
    /// It was cancelled before it started.
    Cancelled {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        reason: CancelReason,
    },
    /// Another session takes its place.
    Rescheduled {
        /// When that was decided.
        at: DateTime<Utc>,
        /// Why.
        reason: CancelReason,
        /// The session that takes its place.
        successor: SessionId,
    },
}

impl State {
    /// The word of this state.
    pub fn word(&self) -> StateWord {
        match self {
            State::Held { .. } => StateWord::Held,
            State::Booked => StateWord::Booked,
            State::Cancelled { .. } => StateWord::Cancelled,
            State::Rescheduled { .. } => StateWord::Rescheduled,
        }
    }
}

/// One meeting of one counsellor with one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// How often it was written; its etag.
    pub version: i64,
    /// The organisation of both.
    pub organisation_id: OrganisationId,
    /// The client.
    pub client_id: ClientId,
    /// The client's reference code.
    pub client_reference: Reference,
    /// The client's side.
    pub side: Side,
    /// The counsellor.
    pub counsellor_id: CounsellorId,
    /// What it is for.
    pub service: CareService,
    /// Where.
    pub place: Place,
    /// When.
    pub span: Span,
    /// The zone of the site, or of the counsellor when remote.
    pub zone: Tz,
    /// Where it stands.
    pub state: State,
    /// The safe adult who comes with a child.
    pub guardian_id: Option<GuardianId>,
    /// An interpreter is booked.
    pub interpreter: bool,
    /// The rules that were broken with a written reason; the reasons are kept apart.
    pub overridden: Vec<RuleCode>,
    /// The rules that it breaks by facts recorded after it was placed; a person must resolve them.
    pub flags: Vec<RuleCode>,
    /// The session whose place it took.
    pub supersedes: Option<SessionId>,
    /// When it was booked.
    pub created_at: DateTime<Utc>,
}

impl Session {
    /// The local calendar day on which it starts.
    pub fn on_date(&self) -> NaiveDate {
        super::time::local_day(self.span.starts_at(), self.zone)
    }

    /// As the rules see it.
    pub fn candidate(&self) -> Candidate {
        Candidate {
            counsellor_id: self.counsellor_id,
            service: self.service,
            place: self.place,
            span: self.span,
            guardian_id: self.guardian_id,
            interpreter: self.interpreter,
        }
    }

    /// Cancels it, unless it has started or does not stand any more.
    pub fn cancel(self, now: DateTime<Utc>, reason: CancelReason) -> Result<Self, Refused> {
        self.check_open(now)?;
        Ok(self.closed(State::Cancelled { at: now, reason }))
    }

    /// Gives its place to another session, unless it has started or does not stand any more.
    pub fn reschedule(self, now: DateTime<Utc>, reason: CancelReason, successor: SessionId) -> Result<Self, Refused> {
        self.check_open(now)?;
        Ok(self.closed(State::Rescheduled { at: now, reason, successor }))
    }

    /// Whether it can still be cancelled, moved, or given to another counsellor.
    pub fn check_open(&self, now: DateTime<Utc>) -> Result<(), Refused> {
        match self.state {
            State::Held { .. } => Err(Refused::OnlyHeld),
            State::Cancelled { .. } => Err(Refused::AlreadyCancelled),
            State::Rescheduled { .. } => Err(Refused::AlreadyRescheduled),
            State::Booked if self.span.starts_at() <= now => Err(Refused::AlreadyStarted),
            State::Booked => Ok(()),
        }
    }

    fn closed(self, state: State) -> Self {
        Self { version: self.version + 1, state, flags: Vec::new(), ..self }
    }
}

/// Why a session cannot be cancelled or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is no session yet.
    OnlyHeld,
    /// It was cancelled before.
    AlreadyCancelled,
    /// Another session took its place before.
    AlreadyRescheduled,
    /// It has started; what became of it is a matter of attendance.
    AlreadyStarted,
}

/// A rule that somebody decided to break.
#[derive(Clone, Debug)]
pub struct Overriding {
    /// Which.
    pub rule: RuleCode,
    /// Why.
    pub reason: Personal,
    /// Who decided.
    pub principal: String,
    /// When.
    pub decided_at: DateTime<Utc>,
}

/// A session somebody wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// For whom.
    pub client_id: ClientId,
    /// By whom.
    pub counsellor_id: CounsellorId,
    /// What for.
    pub service: CareService,
    /// Where.
    pub place: WantedPlace,
    /// When.
    pub span: Span,
    /// The safe adult who comes with a child.
    pub guardian_id: Option<GuardianId>,
    /// An interpreter is booked.
    pub interpreter: bool,
    /// Soft rules that may be broken.
    pub overrides: Vec<Override>,
}

/// A soft rule that may be broken, and why.
#[derive(Clone, Debug)]
pub struct Override {
    /// Which.
    pub rule: RuleCode,
    /// Why; written down with the session.
    pub reason: Personal,
}
