//! Attendance: record it, correct it, decide upon absences, and see what nobody has recorded.
//!
//! Whoever changes it locks the client's row, because an order may open or close by it, and then the session's.

mod called_off;
mod decide;
mod effect;
mod history;
mod record;
mod unrecorded;
mod write;

pub use crate::store::attendance::Of;
pub(super) use called_off::{How, called_off};
pub use decide::DecideAbsence;
pub(super) use effect::changed;
pub use history::{ListAttendance, ParticipantHistory, list_attendance};
pub use record::{AmendAttendance, RecordAttendance, Recorded};
pub use unrecorded::{Filter, Unrecorded, list_unrecorded};
pub(super) use write::{check, write};

use super::call::Call;
use super::client::still_own;
use super::error::{Error, Result};
use super::link;
use super::session::WORD;
use super::work::Work;
use crate::domain::attendance::{Author, Refused};
use crate::domain::ids::{ClientId, Id, SessionId};
use crate::domain::participant::Participant;
use crate::domain::session::Session;
use crate::store::{Lock, Tx, participant, session};

/// The word for it in sentences.
const ATTENDANCE: &str = "attendance";

/// A session of which the caller may know what became of it: a counsellor of those that he leads.
pub(super) async fn own_session(tx: &mut Tx, call: &Call, id: SessionId) -> Result<Session> {
    let session = session::find(tx, id, Lock::None).await?.ok_or(Error::NotFound(WORD))?;
    allow(call, &session)?;
    Ok(session)
}

fn allow(call: &Call, session: &Session) -> Result<()> {
    call.manages(Some(session.organisation_id), WORD)?;
    match call.caller().authority.counsellor_id() {
        Some(own) if !session.is_led_by(own) => Err(Error::NotFound(WORD)),
        _ => Ok(()),
    }
}

/// A session of the caller and the place of a client in it, both locked.
async fn lock_place(work: &mut Work<'_>, id: SessionId, client_id: ClientId) -> Result<(Session, Participant)> {
    work.touched(id.uuid());
    let seen = own_session(&mut work.tx, work.call, id).await?;
    // Not every client there is can be locked by naming one.
    participant::place_of(&mut work.tx, seen.id, client_id).await?.ok_or(refused(Refused::NotAParticipant))?;
    work.touched(client_id.uuid());
    link::lock_clients(work, vec![client_id]).await?;
    still_own(work, client_id).await?;
    let session = session::find(&mut work.tx, id, Lock::Update).await?.ok_or(Error::NotFound(WORD))?;
    allow(work.call, &session)?;
    let place = participant::place_of(&mut work.tx, id, client_id).await?;
    Ok((session, place.ok_or(refused(Refused::NotAParticipant))?))
}

/// Who calls, as it is written down.
fn author(work: &Work<'_>) -> Author {
    let caller = work.call.caller();
    Author { principal: caller.principal.clone(), role: caller.authority.role() }
}

/// Why something cannot be recorded or decided, for the caller.
pub(super) fn refused(why: Refused) -> Error {
    let (reason, says) = match why {
        Refused::NotOpen => {
            ("ATTENDANCE_NOT_OPEN", "until 15 minutes before the start only an acceptable absence can be recorded")
        }
        Refused::NotAParticipant => ("NOT_A_PARTICIPANT", "the client is not planned to be at the session"),
        Refused::NotStanding => ("SESSION_NOT_STANDING", "the session is only held, was cancelled, or was moved"),
        Refused::AlreadyRecorded(_) => ("ALREADY_RECORDED", "the attendance is recorded; amend it"),
        Refused::NotRecorded => ("NOT_RECORDED", "nobody has recorded the attendance"),
        Refused::NotAnAbsence => ("NOT_AN_ABSENCE", "what is recorded is no absence"),
        Refused::SamePerson => ("SAME_PERSON", "after 7 days it is for somebody else than who recorded it first"),
    };
    let subjects = match why {
        Refused::AlreadyRecorded(id) => vec![id.uuid()],
        _ => Vec::new(),
    };
    Error::Precondition { reason, says, subjects }
}
