//! What a treatment order asks for, and what happened under it: what an assessment is made of.

use chrono::NaiveDate;

/// What an order asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Its first day.
    pub starts_on: NaiveDate,
    /// Its last day, if it has one.
    pub ends_on: Option<NaiveDate>,
    /// How many sessions have to be credited.
    pub required: u32,
}

/// Something that happened under an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its day: of a session, of what a person did, or of the absence that a decision is about.
    pub on: NaiveDate,
    /// What happened.
    pub fact: Fact,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A session was attended: a credit.
    Attended,
    /// A session was attended, from later on than its grace: a credit.
    Late,
    /// A session was made up: a credit.
    MadeUp,
    /// Somebody attended and did not comply: no credit, and a failure.
    DidNotComply,
    /// Did not come, left too early, or cancelled too late. Several of one day are one.
    Absent,
    /// The provider cancelled a session. Never an absence.
    ProviderCancelled,
    /// It was decided about the absence of that day. The latest decision rules; of one day the one that
    /// excuses, then the one that is not serious.
    Decided {
        /// Whether the absence had an acceptable reason.
        acceptable: bool,
        /// Whether it is a breach by itself; of an unacceptable absence alone.
        serious: bool,
        /// When it was decided; before that day the decision has no effect.
        decided_on: NaiveDate,
    },
    /// A warning was given.
    Warned,
    /// The order was suspended from that day on.
    Suspended {
        /// The last day of it.
        until: NaiveDate,
    },
    /// Whatever is dated on or before that day is settled, also what is established later: failures, warnings
    /// and late arrivals. The order continues.
    Resolved,
    /// The order was terminated.
    Terminated,
    /// On that day a named person confirmed that a failure is a breach.
    Confirmed {
        /// The day of the failure.
        failure_on: NaiveDate,
    },
}

impl Event {
    /// The first day on which it has an effect.
    pub(super) fn effective_on(&self) -> NaiveDate {
        match self.fact {
            Fact::Decided { decided_on, .. } => decided_on.max(self.on),
            _ => self.on,
        }
    }
}

impl Fact {
    /// Whether it counts towards what the order asks for.
    pub const fn is_credit(self) -> bool {
        matches!(self, Fact::Attended | Fact::Late | Fact::MadeUp)
    }
}
