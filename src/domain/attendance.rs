//! Attendance: what became of a planned session for each participant, and whether an absence was acceptable.
//!
//! Nothing is final and nothing is lost: a record supersedes the one before it, a decision replaces the one before
//! it, and all of them stay (booking rules, "Attendance"). Nothing here happens because time has passed.

use chrono::{DateTime, TimeDelta, Utc};

use super::access::Role;
use super::code::words;
use super::ids::{AttendanceId, DecisionId};
use super::outcome::{Concern, Extent, Ground, Need, NotHeld, Outcome};
use super::personal::Personal;
use super::session::{Session, State};
use super::text::Fault;

/// How long before the start recording opens (booking rules, "Attendance").
pub const OPENS_BEFORE: TimeDelta = TimeDelta::minutes(15);
/// From when on a correction is late, and another person's to make (booking rules, "Attendance").
pub const LATE_AFTER: TimeDelta = TimeDelta::days(7);

words! {
    /// Where an absence stands.
    Standing {
        /// Nobody has decided upon it.
        Pending = "PENDING",
        /// It was found acceptable.
        Acceptable = "ACCEPTABLE",
        /// It was found unacceptable.
        Unacceptable = "UNACCEPTABLE",
    }
}

/// What is said beside an outcome: what its row of the catalogue needs, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Nothing.
    Nothing,
    /// By how much somebody came late; whole minutes.
    LateBy(TimeDelta),
    /// For how long somebody was there; whole minutes.
    AttendedFor(TimeDelta),
    /// In what respect somebody did not comply.
    Concern(Concern),
    /// Why the session was not held.
    NotHeld(NotHeld),
}

/// Whatever may be said beside an outcome, as somebody said it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said {
    /// See [`Detail::LateBy`].
    pub late_by: Option<TimeDelta>,
    /// See [`Detail::AttendedFor`].
    pub attended_for: Option<TimeDelta>,
    /// See [`Detail::Concern`].
    pub concern: Option<Concern>,
    /// See [`Detail::NotHeld`].
    pub not_held: Option<NotHeld>,
}

/// A field that is wrong, and what would be right.
pub type Wrong = (&'static str, Fault);

impl Detail {
    /// The detail that an outcome needs, or every field that is missing or does not belong to it.
    pub fn of(outcome: Outcome, said: Said) -> Result<Self, Vec<Wrong>> {
        let needs = outcome.row().needs;
        let fields = [
            ("late_by", Need::LateBy, said.late_by.map(Detail::LateBy)),
            ("attended_for", Need::AttendedFor, said.attended_for.map(Detail::AttendedFor)),
            ("concern", Need::Concern, said.concern.map(Detail::Concern)),
            ("not_held_reason", Need::NotHeldReason, said.not_held.map(Detail::NotHeld)),
        ];
        let mut wrong = Vec::new();
        let mut detail = Detail::Nothing;
        for (field, need, given) in fields {
            match given {
                Some(given) if need == needs => detail = given,
                Some(_) => wrong.push((field, Fault::new(format!("must be absent with the outcome {outcome}")))),
                None if need == needs => wrong.push((field, Fault::new(format!("is required with {outcome}")))),
                None => {}
            }
        }
        if wrong.is_empty() { Ok(detail) } else { Err(wrong) }
    }

    /// What was said, apart.
    pub fn said(self) -> Said {
        match self {
            Detail::Nothing => Said::default(),
            Detail::LateBy(late_by) => Said { late_by: Some(late_by), ..Said::default() },
            Detail::AttendedFor(attended_for) => Said { attended_for: Some(attended_for), ..Said::default() },
            Detail::Concern(concern) => Said { concern: Some(concern), ..Said::default() },
            Detail::NotHeld(not_held) => Said { not_held: Some(not_held), ..Said::default() },
        }
    }
}

/// What is to be recorded.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What became of the session for the participant.
    pub outcome: Outcome,
    /// What is said beside it.
    pub detail: Detail,
    /// Why the record before is wrong; unused when there is none.
    pub reason: Personal,
    /// What is decided at once about the absence.
    pub verdict: Option<Verdict>,
}

impl Draft {
    /// Whether somebody in this role may say so of a participant of this session; every field that is wrong.
    pub fn check(&self, session: &Session, role: Role) -> Result<(), Vec<Wrong>> {
        let row = self.outcome.row();
        let mut wrong = Vec::new();
        if !row.sides.contains(&session.side) {
            wrong.push(("outcome", Fault::new("must be an outcome for the client's side")));
        } else if !row.chosen_by.contains(&role) {
            wrong.push(("outcome", Fault::new("must be an outcome that your role may choose")));
        }
        let length = session.span.length();
        match self.detail {
            Detail::LateBy(late_by) if late_by >= length => {
                wrong.push(("late_by", Fault::new("must be shorter than the session")));
            }
            Detail::AttendedFor(attended_for) if attended_for >= length => {
                wrong.push(("attended_for", Fault::new("must be shorter than the session")));
            }
            _ => {}
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}

/// What was seen of the reason for an absence, and who saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Where it can be found again.
    pub reference: Personal,
    /// Who has seen it and found it genuine.
    pub verifier: Personal,
}

/// Whether an absence was acceptable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was.
    Acceptable {
        /// For what.
        ground: Ground,
        /// By what.
        evidence: Evidence,
    },
    /// It was not.
    Unacceptable {
        /// Whether this one alone weighs as much as a failure after a warning.
        serious: bool,
        /// By what, if anything was shown.
        evidence: Option<Evidence>,
    },
}

impl Verdict {
    /// Where an absence stands by it.
    pub fn standing(&self) -> Standing {
        match self {
            Verdict::Acceptable { .. } => Standing::Acceptable,
            Verdict::Unacceptable { .. } => Standing::Unacceptable,
        }
    }

    /// By what it was decided.
    pub fn evidence(&self) -> Option<&Evidence> {
        match self {
            Verdict::Acceptable { evidence, .. } => Some(evidence),
            Verdict::Unacceptable { evidence, .. } => evidence.as_ref(),
        }
    }
}

/// Who records or decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The token's subject: a person, in whatever role.
    pub principal: String,
    /// In which role.
    pub role: Role,
}

/// A record of what became of a session for one participant. Never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendance {
    /// Its id.
    pub id: AttendanceId,
    /// Which of the participant's records, from 1; the etag.
    pub number: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// What is said beside it.
    pub detail: Detail,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: Author,
    /// The record that it corrects, and why.
    pub supersedes: Option<(AttendanceId, Personal)>,
    /// Whether it corrects what was first recorded more than [`LATE_AFTER`] before.
    pub late: bool,
}

/// A decision on an absence. Never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// Which of the participant's decisions, from 1.
    pub number: u32,
    /// The record that it is about.
    pub attendance_id: AttendanceId,
    /// What was decided.
    pub verdict: Verdict,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: Author,
}

/// Why something cannot be recorded or decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The session has not begun, and only an acceptable absence is known ahead.
    NotOpen,
    /// The client is not planned to be there.
    NotAParticipant,
    /// The session is only held, was cancelled, or was moved.
    NotStanding,
    /// Somebody has recorded it: this is the record.
    AlreadyRecorded(AttendanceId),
    /// Nobody has recorded anything.
    NotRecorded,
    /// The current record is no absence.
    NotAnAbsence,
    /// Late corrections are for somebody else than who recorded first.
    SamePerson,
}

/// Everything that was recorded and decided about one participant, oldest first. A correction makes a new fact, so
/// what was decided about the corrected one stands no more: the absence, if it is one, is pending again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The records.
    pub records: Vec<Attendance>,
    /// The decisions.
    pub decisions: Vec<Decision>,
}

impl History {
    /// The record that stands.
    pub fn current(&self) -> Option<&Attendance> {
        self.records.last()
    }

    /// The decision that stands: the last one about the record that stands.
    pub fn decision(&self) -> Option<&Decision> {
        let current = self.current()?;
        self.decisions.last().filter(|decision| decision.attendance_id == current.id)
    }

    /// Where the absence stands; none when there is none, or only a part that nobody has decided upon.
    pub fn standing(&self) -> Option<Standing> {
        let extent = self.current()?.outcome.row().absent;
        match (self.decision(), extent) {
            (Some(decision), _) => Some(decision.verdict.standing()),
            (None, Extent::Whole) => Some(Standing::Pending),
            (None, Extent::Part | Extent::Nothing) => None,
        }
    }

    /// The first record.
    pub fn first(&self, id: AttendanceId, draft: &Draft, at: DateTime<Utc>, by: Author) -> Result<Attendance, Refused> {
        match self.current() {
            Some(current) => Err(Refused::AlreadyRecorded(current.id)),
            None => Ok(self.next(id, draft, at, at, by)),
        }
    }

    /// A record that corrects the one that stands, of a session that ended at an instant.
    pub fn correction(
        &self,
        id: AttendanceId,
        draft: &Draft,
        ended_at: DateTime<Utc>,
        at: DateTime<Utc>,
        by: Author,
    ) -> Result<Attendance, Refused> {
        let first = self.records.first().ok_or(Refused::NotRecorded)?;
        if self.is_late(ended_at, at) && first.by.principal == by.principal {
            return Err(Refused::SamePerson);
        }
        Ok(self.next(id, draft, ended_at, at, by))
    }

    /// The next record, whoever makes it, of a session that ended at an instant.
    pub fn next(
        &self,
        id: AttendanceId,
        draft: &Draft,
        ended_at: DateTime<Utc>,
        at: DateTime<Utc>,
        by: Author,
    ) -> Attendance {
        Attendance {
            id,
            number: self.current().map_or(1, |current| current.number + 1),
            outcome: draft.outcome,
            detail: draft.detail,
            at,
            by,
            supersedes: self.current().map(|current| (current.id, draft.reason.clone())),
            late: self.is_late(ended_at, at),
        }
    }

    /// A decision on the record that stands.
    pub fn decide(&self, id: DecisionId, verdict: Verdict, at: DateTime<Utc>, by: Author) -> Result<Decision, Refused> {
        let current = self.current().ok_or(Refused::NotRecorded)?;
        if current.outcome.row().absent == Extent::Nothing {
            return Err(Refused::NotAnAbsence);
        }
        let number = self.decisions.last().map_or(1, |last| last.number + 1);
        Ok(Decision { id, number, attendance_id: current.id, verdict, at, by })
    }

    /// Whether what was first recorded is too old for a correction by who recorded it. What was announced ahead is
    /// as old as the session.
    fn is_late(&self, ended_at: DateTime<Utc>, at: DateTime<Utc>) -> bool {
        self.records.first().is_some_and(|first| at - first.at.max(ended_at) > LATE_AFTER)
    }
}

impl Session {
    /// Whether an outcome can be recorded of it.
    pub fn check_recordable(&self, outcome: Outcome, now: DateTime<Utc>) -> Result<(), Refused> {
        match self.state {
            State::Booked if outcome.row().ahead || self.span.starts_at() - OPENS_BEFORE <= now => Ok(()),
            State::Booked => Err(Refused::NotOpen),
            State::Held { .. } | State::Cancelled { .. } | State::Rescheduled { .. } => Err(Refused::NotStanding),
        }
    }

    /// Whether an outcome can take the place of what was recorded of it. Nobody attends what was called off.
    pub fn check_correctable(&self, outcome: Outcome, now: DateTime<Utc>) -> Result<(), Refused> {
        match self.state {
            State::Cancelled { .. } | State::Rescheduled { .. } if !outcome.row().attended => Ok(()),
            _ => self.check_recordable(outcome, now),
        }
    }
}
