//! What follows for plans when sessions, attendance or events of a case change.

use std::collections::BTreeSet;

use super::no_show;
use super::stage::restage;
use crate::domain::attendance::History;
use crate::domain::code::Side;
use crate::domain::followup::Plan;
use crate::domain::followup::milestone::Milestone;
use crate::domain::ids::{CaseId, ClientId};
use crate::domain::participant::Participant;
use crate::domain::session::Session;
use crate::store::{followup, milestone};
use crate::usecase::error::Result;
use crate::usecase::work::Work;

/// Gives the milestones of these clients' open plans the days that follow from their sessions. Called last by
/// whatever books, moves or cancels a session, gives it to another counsellor, or changes who is to be there, in its
/// transaction: plans are locked after everything else.
pub(in crate::usecase) async fn sessions_changed(work: &mut Work<'_>, clients: &[ClientId]) -> Result<()> {
    if clients.is_empty() {
        return Ok(());
    }
    for mut plan in followup::lock_open(&mut work.tx, clients).await? {
        restage(work, &mut plan, &[]).await?;
    }
    Ok(())
}

/// As [`sessions_changed`], for the clients of a session.
pub(in crate::usecase) async fn session_changed(work: &mut Work<'_>, session: &Session) -> Result<()> {
    clients_of_changed(work, std::slice::from_ref(session)).await
}

/// As [`sessions_changed`], for the clients of sessions; offenders have no plans.
pub(in crate::usecase) async fn clients_of_changed(work: &mut Work<'_>, sessions: &[Session]) -> Result<()> {
    let survivors = sessions.iter().filter(|it| it.side == Side::Survivor);
    let clients: BTreeSet<ClientId> = survivors.flat_map(Session::clients).collect();
    sessions_changed(work, &clients.into_iter().collect::<Vec<_>>()).await
}

/// What follows for a survivor from a change of what was recorded of a session: days of milestones, escalations.
pub(in crate::usecase) async fn attendance_changed(
    work: &mut Work<'_>,
    session: &Session,
    participant: &Participant,
    history: &History,
) -> Result<()> {
    if session.side == Side::Offender {
        return Ok(());
    }
    let client_id = participant.attendee.client_id;
    sessions_changed(work, &[client_id]).await?;
    no_show::evaluate(work, session, client_id, history).await
}

/// Gives the milestones of a case's open plan the days that follow from its recorded events. Called last by whatever
/// records one, in its transaction and with the case locked.
pub(super) async fn case_changed(work: &mut Work<'_>, case_id: CaseId) -> Result<()> {
    match followup::lock_open_of_case(&mut work.tx, case_id).await? {
        Some(mut plan) => restage(work, &mut plan, &[]).await,
        None => Ok(()),
    }
}

/// The milestones of a case's open plan, as they stand; none when it has none.
pub(super) async fn case_milestones(work: &mut Work<'_>, case_id: CaseId) -> Result<Vec<Milestone>> {
    match followup::last_of_case(&mut work.tx, case_id).await?.filter(Plan::is_open) {
        Some(plan) => Ok(milestone::of_plan(&mut work.tx, plan.id).await?),
        None => Ok(Vec::new()),
    }
}
