//! Trainings for police units: sessions without clients. Who attended and what came of them is documented (India,
//! "What the project's users told the press").

use chrono::{DateTime, Utc};

use super::attendance::{OPENS_BEFORE, Refused};
use super::code::CareService;
use super::ids::TrainingRecordId;
use super::personal::Personal;
use super::session::{Session, State};

/// The most people who can be invited; a parameter of ours.
pub const MOST_TRAINEES: usize = 200;

/// Somebody who was invited.
#[derive(Clone, Debug, PartialEq)]
pub struct Trainee {
    /// Name.
    pub name: Personal,
    /// Rank or post; may be empty.
    pub post: Personal,
    /// Whether he or she came.
    pub attended: bool,
}

/// What became of a training, as somebody says.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The police unit, as people call it.
    pub police_unit: String,
    /// What it was about.
    pub topic: String,
    /// Who was invited.
    pub trainees: Vec<Trainee>,
    /// What came of it.
    pub outcome: Personal,
    /// Why the record before was wrong; none for the first.
    pub reason: Option<Personal>,
}

/// What became of a training. Never changed.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its id.
    pub id: TrainingRecordId,
    /// Which of the session's records it is, from 1; its etag.
    pub number: u32,
    /// What was said; without names and texts in lists.
    pub draft: Draft,
    /// How many were invited.
    pub invited: u32,
    /// How many came.
    pub attended: u32,
    /// When it was recorded.
    pub recorded_at: DateTime<Utc>,
    /// By whom.
    pub recorded_by: String,
}

/// Why nothing can be recorded of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRecordable {
    /// It is for clients.
    NotATraining,
    /// As of attendance.
    Attendance(Refused),
}

/// Whether something can be recorded of a session now.
pub fn check_recordable(session: &Session, now: DateTime<Utc>) -> Result<(), NotRecordable> {
    match session.state {
        _ if session.service != CareService::Training => Err(NotRecordable::NotATraining),
        State::Booked if session.span.starts_at() - OPENS_BEFORE <= now => Ok(()),
        State::Booked => Err(NotRecordable::Attendance(Refused::NotOpen)),
        _ => Err(NotRecordable::Attendance(Refused::NotStanding)),
    }
}
