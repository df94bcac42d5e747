//! What was asked and what was answered, in the order in which it was sent and came back.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use aftercare::grpc::pb;

use super::act::Act;
use super::read::Read;

/// A moment: a later one has a greater number, whoever lived through it.
pub type Moment = u64;

/// Something that has versions, which count up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    Session(String),
    Series(String),
    Order(String),
    /// What was recorded of a client at a session.
    Attendance(String, String),
    Assessment(String),
}

/// A version of something that was seen; 0 when it was not there.
#[derive(Clone, Debug)]
pub struct Fact {
    pub thing: Thing,
    pub version: i64,
    pub session: Option<pb::Session>,
}

impl Fact {
    pub fn session(session: pb::Session) -> Self {
        let version = session.etag.parse().unwrap();
        Self { thing: Thing::Session(session.id.clone()), version, session: Some(session) }
    }

    pub fn of(thing: Thing, version: i64) -> Self {
        Self { thing, version, session: None }
    }
}

/// What was asked.
#[derive(Clone, Debug)]
pub enum Asked {
    Act(Act),
    /// The same again, after it was done.
    Again(Act, BTreeSet<Thing>),
    Read(Read),
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum End {
    Done,
    /// It has no effect.
    Refused {
        reason: String,
        rules: Vec<String>,
    },
    /// Nobody was told, and nobody asked again.
    Unknown,
}

/// One question, asked until it was answered or somebody gave up.
#[derive(Clone, Debug)]
pub struct Call {
    pub asked: Asked,
    /// When it was first sent, and last.
    pub sent: Moment,
    pub sent_last: Moment,
    pub answered: Moment,
    pub attempts: u32,
    /// It had been made before, and this told of it again.
    pub replayed: bool,
    pub end: End,
    pub seen: Vec<Fact>,
    /// Sessions credited, as an order was read.
    pub credited: Option<i32>,
}

impl Call {
    /// Something that may have had an effect.
    pub fn act(&self) -> Option<&Act> {
        match &self.asked {
            Asked::Act(act) if !matches!(self.end, End::Refused { .. }) => Some(act),
            _ => None,
        }
    }

    pub fn is_done(&self) -> bool {
        matches!(self.end, End::Done)
    }

    /// What was asked to be changed.
    pub fn change(&self) -> Option<&Act> {
        match &self.asked {
            Asked::Act(act) => Some(act),
            Asked::Again(..) | Asked::Read(_) => None,
        }
    }

    /// Whether what it has seen is what itself has made: an answer to a second attempt tells how things stand by then.
    pub fn is_exact(&self) -> bool {
        self.change().is_some() && self.is_done() && self.attempts == 1 && !self.replayed
    }
}

/// Everything that happened.
#[derive(Default)]
pub struct Log {
    moments: AtomicU64,
    calls: Mutex<Vec<Call>>,
    /// What no caller should ever be told.
    odd: Mutex<Vec<String>>,
}

impl Log {
    pub fn now(&self) -> Moment {
        self.moments.fetch_add(1, Ordering::SeqCst)
    }

    pub fn add(&self, call: Call) {
        self.calls.lock().unwrap().push(call);
    }

    pub fn odd(&self, what: String) {
        self.odd.lock().unwrap().push(what);
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub fn oddities(&self) -> Vec<String> {
        self.odd.lock().unwrap().clone()
    }
}
