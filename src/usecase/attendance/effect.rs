//! What follows from a change of attendance.

use crate::domain::attendance::History;
use crate::domain::participant::Participant;
use crate::domain::session::Session;
use crate::usecase::error::Result;
use crate::usecase::work::Work;

/// Called once after every change of what was recorded or decided about a participant, in its transaction and with
/// the client and the session locked. The history has everything, the change included, without what people wrote.
/// Nothing follows yet.
#[expect(clippy::unused_async, reason = "what will follow asks the store")]
pub(super) async fn changed(
    _work: &mut Work<'_>,
    _session: &Session,
    _participant: &Participant,
    _history: &History,
) -> Result<()> {
    Ok(())
}
