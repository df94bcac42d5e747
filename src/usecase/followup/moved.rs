//! What follows for plans when sessions or attendance change.

use super::no_show;
use crate::domain::attendance::History;
use crate::domain::ids::ClientId;
use crate::domain::participant::Participant;
use crate::domain::session::Session;
use crate::usecase::error::Result;
use crate::usecase::work::Work;

/// Gives the milestones of these clients' open plans the days that follow from their sessions. Called last by
/// whatever books, moves or cancels a session or changes who is to be there, in its transaction.
pub(in crate::usecase) async fn sessions_changed(_work: &mut Work<'_>, _clients: &[ClientId]) -> Result<()> {
    Ok(())
}

/// What follows for a survivor from a change of what was recorded of a session: days of milestones, escalations.
pub(in crate::usecase) async fn attendance_changed(
    work: &mut Work<'_>,
    session: &Session,
    participant: &Participant,
    history: &History,
) -> Result<()> {
    let client_id = participant.attendee.client_id;
    sessions_changed(work, &[client_id]).await?;
    no_show::evaluate(work, session, client_id, history).await
}
