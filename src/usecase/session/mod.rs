//! Sessions: find a time, hold it, book it, move it, give it to another counsellor, cancel it, read it, watch it.

mod book;
mod cancel;
mod export;
mod hold;
mod hunt;
mod offer;
mod participant;
mod place;
mod read;
mod reassign;
mod record;
mod reschedule;
mod scene;
mod search;
mod series;
mod substitute;
mod watch;

pub use book::{BookHeld, BookSession};
pub(super) use book::{book, book_held};
pub use cancel::CancelSession;
pub use export::{ExportCalendar, export_calendar};
pub(super) use hold::WORD as HOLD;
pub use hold::{HoldSlot, ReleaseHold, forget_expired};
pub use offer::{place, place_series};
pub use participant::{AddParticipant, RemoveParticipant};
pub(super) use place::{LOOKS, crowded};
pub use read::{Filter, Listed, get_session, list_overrides, list_sessions};
pub use reassign::ReassignCounsellor;
pub use record::RecordPastSession;
pub use reschedule::RescheduleSession;
pub use search::{DEFAULT_WINDOW, FindSlots, FoundSlots, LONGEST_WINDOW, find_slots, find_slots_for};
pub(super) use search::{Sought, check_own, look, own_client};
pub use series::{
    BookSeries, CancelSeries, Days, Placed, RescheduleSeries, ScheduleProgramme, View, get_series, wrong,
};
pub use substitute::{Outcome, Proposals, ProposeSubstitutes, ReassignSessions, propose_substitutes};
pub use watch::{Change, Own, Seen, watch_sessions};

use super::error::{Error, Result};
use super::work::Work;
use crate::domain::ids::SessionId;
use crate::domain::session::{Refused, Session};
use crate::store::{Lock, session};

/// The word for it in sentences.
pub(super) const WORD: &str = "session";

async fn find(work: &mut Work<'_>, id: SessionId, lock: Lock) -> Result<Session> {
    session::find(&mut work.tx, id, lock).await?.ok_or(Error::NotFound(WORD))
}

/// A session of the caller, at the version last read, that can still be moved or given away.
async fn open(work: &mut Work<'_>, id: SessionId, version: i64, lock: Lock) -> Result<Session> {
    let session = find(work, id, lock).await?;
    work.call.manages(Some(session.organisation_id), WORD)?;
    if session.version != version {
        return Err(Error::EtagMismatch(WORD));
    }
    session.check_open(work.now).map_err(refused)?;
    Ok(session)
}

/// Why a session cannot be cancelled or changed, for the caller.
fn refused(why: Refused) -> Error {
    let (reason, says) = match why {
        Refused::OnlyHeld => return Error::NotFound(WORD),
        Refused::AlreadyCancelled => ("ALREADY_CANCELLED", "the session was cancelled before"),
        Refused::AlreadyRescheduled => ("ALREADY_RESCHEDULED", "another session took its place before"),
        Refused::AlreadyStarted => ("ALREADY_STARTED", "the session has started; record its attendance"),
    };
    Error::Precondition { reason, says, subjects: Vec::new() }
}
