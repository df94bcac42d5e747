//! Notes of sessions: what a counsellor wrote for those who treat the client, and for nobody else (privacy,
//! "Who sees what").

use chrono::{DateTime, Utc};

use super::ids::{ClientId, CounsellorId, NoteId, SessionId};
use super::personal::Personal;

/// A note about one client at one session. Never changed: another one takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// The session.
    pub session_id: SessionId,
    /// Whom it is about, under whose key it is sealed: it is lost with the client's other data when that is erased.
    pub client_id: ClientId,
    /// Who wrote it.
    pub counsellor_id: CounsellorId,
    /// The note.
    pub text: Personal,
    /// When it was written.
    pub written_at: DateTime<Utc>,
    /// The note whose place it takes.
    pub supersedes: Option<NoteId>,
    /// The note that took its place.
    pub superseded_by: Option<NoteId>,
}
