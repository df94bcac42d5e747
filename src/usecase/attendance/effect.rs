//! What follows from a change of attendance: the treatment order towards which the session counts is told, or the
//! survivor's follow-up.

use crate::domain::attendance::{History, Verdict};
use crate::domain::participant::Participant;
use crate::domain::session::Session;
use crate::domain::treatment::act::Effect;
use crate::usecase::error::Result;
use crate::usecase::followup::attendance_changed;
use crate::usecase::treatment::{Counted, count};
use crate::usecase::work::Work;

/// Called once after every change of what was recorded or decided about a participant, in its transaction and with
/// the client and the session locked. The history has everything, the change included, without what people wrote.
pub(in crate::usecase) async fn changed(
    work: &mut Work<'_>,
    session: &Session,
    participant: &Participant,
    history: &History,
) -> Result<()> {
    let Some(current) = history.current() else { return Ok(()) };
    let decision = history.decision().map(|it| match it.verdict {
        Verdict::Acceptable { .. } => (true, false),
        Verdict::Unacceptable { serious, .. } => (false, serious),
    });
    count(work, session, participant, Counted { effect: Effect::of(current, session), decision }).await?;
    attendance_changed(work, session, participant, history).await
}
