//! What can be recorded about an order. Nothing is ever taken back: a later act takes the place of an earlier one.

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{TerminationReason, Terms};
use crate::domain::attendance::{Attendance, Detail};
use crate::domain::compliance::{Fact, Policy};
use crate::domain::ids::ParticipantId;
use crate::domain::outcome::{Extent, Outcome};
use crate::domain::session::Session;

/// What became of a session that counts towards an order, in figures that no policy has judged yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Effect {
    /// Was there, and took part.
    Attended,
    /// Came late.
    Late {
        /// By so many minutes.
        minutes: u32,
    },
    /// Left before the end.
    LeftEarly {
        /// After so many per cent of the session.
        percent: u32,
    },
    /// Was at a session that makes up for a missed one.
    MadeUp,
    /// Was there, and did not take part.
    DidNotComply,
    /// Was not there, or called it off too late.
    Absent,
    /// It did not take place, for no reason of the person's.
    ProviderCancelled,
    /// Nothing that counts.
    Nothing,
}

impl Effect {
    /// What is to be judged of a record of attendance.
    pub fn of(record: &Attendance, session: &Session) -> Self {
        let minutes = |length: TimeDelta| u32::try_from(length.num_minutes()).unwrap_or(u32::MAX);
        let row = record.outcome.row();
        match (record.outcome, record.detail) {
            (Outcome::Late, Detail::LateBy(late_by)) => Effect::Late { minutes: minutes(late_by) },
            (Outcome::LeftEarly, Detail::AttendedFor(stayed)) => {
                let whole = minutes(session.span.length()).max(1);
                Effect::LeftEarly { percent: minutes(stayed).saturating_mul(100) / whole }
            }
            (Outcome::AttendedDidNotComply, _) => Effect::DidNotComply,
            (Outcome::MadeUp, _) => Effect::MadeUp,
            (Outcome::Rescheduled, _) => Effect::Nothing,
            _ if row.absent == Extent::Whole => Effect::Absent,
            _ if row.attended => Effect::Attended,
            // Whoever could not hold it: never the person's absence.
            _ => Effect::ProviderCancelled,
        }
    }

    /// What it is to a policy.
    pub fn fact(self, policy: &Policy) -> Option<Fact> {
        match self {
            Effect::Late { minutes } if minutes > policy.late_grace_minutes => Some(Fact::Late),
            Effect::LeftEarly { percent } if percent < policy.partial_min_percent => Some(Fact::Absent),
            Effect::Attended | Effect::Late { .. } | Effect::LeftEarly { .. } => Some(Fact::Attended),
            Effect::MadeUp => Some(Fact::MadeUp),
            Effect::DidNotComply => Some(Fact::DidNotComply),
            Effect::Absent => Some(Fact::Absent),
            Effect::Nothing => None,
            Effect::ProviderCancelled => Some(Fact::ProviderCancelled),
        }
    }
}

/// Something recorded about an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Act {
    /// It was recorded.
    Created {
        /// What was ordered.
        terms: Terms,
    },
    /// Other terms take the place of those before.
    Amended {
        /// What is ordered from now on.
        terms: Terms,
    },
    /// What became of a session. Said again about the same session, it was wrong before.
    Attendance {
        /// The number of the first event about that session: its own, if it is the first.
        about: u32,
        /// What became of it.
        #[serde(flatten)]
        effect: Effect,
    },
    /// Whether the absence from a session was acceptable.
    Decision {
        /// The number of the first event about that session.
        about: u32,
        /// Whether it was.
        acceptable: bool,
        /// Whether it is a breach by itself.
        serious: bool,
    },
    /// A warning was issued on that day.
    Warned,
    /// Nothing is asked of the person from that day on.
    Suspended {
        /// Last day, included.
        until: NaiveDate,
    },
    /// A named person has confirmed a breach.
    Confirmed {
        /// By the failure of that day.
        failure_on: NaiveDate,
    },
    /// The open breach was dealt with, and the order goes on.
    Resolved,
    /// The order has ended.
    Terminated {
        /// Why.
        reason: TerminationReason,
    },
    /// An earlier act was recorded by mistake, and counts as if it never was.
    Withdrawn {
        /// Its number.
        number: u32,
    },
}

/// The word of an act, without what it says.
pub use words::ActWord;

mod words {
    crate::domain::code::words! {
        /// The word of an act, without what it says.
        ActWord {
            /// See [`super::Act::Created`].
            Created = "CREATED",
            /// See [`super::Act::Amended`].
            Amended = "AMENDED",
            /// See [`super::Act::Attendance`].
            Attendance = "ATTENDANCE",
            /// See [`super::Act::Decision`].
            Decision = "DECISION",
            /// See [`super::Act::Warned`].
            Warned = "WARNED",
            /// See [`super::Act::Suspended`].
            Suspended = "SUSPENDED",
            /// See [`super::Act::Confirmed`].
            Confirmed = "CONFIRMED",
            /// See [`super::Act::Resolved`].
            Resolved = "RESOLVED",
            /// See [`super::Act::Terminated`].
            Terminated = "TERMINATED",
            /// See [`super::Act::Withdrawn`].
            Withdrawn = "WITHDRAWN",
        }
    }
}

impl Act {
    /// Its word.
    pub fn word(&self) -> ActWord {
        match self {
            Act::Created { .. } => ActWord::Created,
            Act::Amended { .. } => ActWord::Amended,
            Act::Attendance { .. } => ActWord::Attendance,
            Act::Decision { .. } => ActWord::Decision,
            Act::Warned => ActWord::Warned,
            Act::Suspended { .. } => ActWord::Suspended,
            Act::Confirmed { .. } => ActWord::Confirmed,
            Act::Resolved => ActWord::Resolved,
            Act::Terminated { .. } => ActWord::Terminated,
            Act::Withdrawn { .. } => ActWord::Withdrawn,
        }
    }

    /// Whether it can be withdrawn; the others are amended or decided anew.
    pub fn can_be_withdrawn(&self) -> bool {
        matches!(
            self,
            Act::Warned | Act::Suspended { .. } | Act::Confirmed { .. } | Act::Resolved | Act::Terminated { .. }
        )
    }
}

/// An act, as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its place in the history of the order, from 1.
    pub number: u32,
    /// The day it is about, in the order's zone.
    pub on: NaiveDate,
    /// What.
    pub act: Act,
    /// The client's place in the session it is about.
    pub participant_id: Option<ParticipantId>,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// By whom.
    pub recorded_by: String,
}

impl Event {
    /// What of it goes into the chain, after the head before it. No ids: they are chance, and a chain
    /// says what happened.
    pub fn bytes(&self, head: &[u8]) -> Vec<u8> {
        let mut act = serde_json::to_value(&self.act).unwrap_or_default();
        if let Some(terms) = act.get_mut("terms").and_then(|terms| terms.as_object_mut()) {
            terms.remove("holiday_calendar_id");
        }
        let at = self.recorded_at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let said = format!("{}|{}|{at}|{}|{act}", self.number, self.on, self.recorded_by);
        [head, said.as_bytes()].concat()
    }
}
