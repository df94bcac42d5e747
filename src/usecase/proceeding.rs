//! Proceedings of cases.

use uuid::Uuid;

use super::call::{Call, traced};
use super::error::{Error, Result};
use super::link::lock_clients;
use super::noun::{Managed, find, find_own};
use super::orphan;
use super::page::Page;
use super::work::{Mutation, Work};
use super::world::World;
use crate::domain::client::Case;
use crate::domain::ids::{CaseId, ClientId, Id, ProceedingId};
use crate::domain::noun::{Noun, Record};
use crate::domain::proceeding::Proceeding;
use crate::store::noun::Stored;
use crate::store::session::Of;
use crate::store::{Lock, proceeding};

/// Locks a case, so that its parties stay the same, and then the parties, so that nobody places a session for
/// them meanwhile: in the order of those who add parties.
async fn hold_parties(work: &mut Work<'_>, case_id: CaseId) -> Result<Vec<Of>> {
    let case = find::<Case>(work, case_id, Lock::Update).await?;
    work.touched(case_id.uuid());
    let parties: Vec<ClientId> = case.parties.iter().map(|(client_id, _)| *client_id).collect();
    lock_clients(work, parties.clone()).await?;
    Ok(parties.into_iter().map(Of::Client).collect())
}

impl Managed for Proceeding {
    async fn check(work: &mut Work<'_>, it: &Self, _before: Option<&Record<Self>>) -> Result<()> {
        hold_parties(work, it.case_id).await.map(drop)
    }

    async fn follow(work: &mut Work<'_>, after: &Record<Self>, _before: Option<&Record<Self>>) -> Result<()> {
        let parties = hold_parties(work, after.case_id).await?;
        orphan::reassess(work, &parties).await
    }
}

/// Deletes a proceeding that will not take place.
pub struct DeleteProceeding {
    /// Which.
    pub id: ProceedingId,
    /// The version last read.
    pub version: i64,
}

impl Mutation for DeleteProceeding {
    type Answer = ();

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        work.touched(self.id.uuid());
        let found = find::<Proceeding>(work, self.id, Lock::None).await?;
        let owner = Proceeding::owner(&mut work.tx, &found).await?;
        work.call.manages(owner, Proceeding::WORD)?;
        let parties = hold_parties(work, found.case_id).await?;
        find_own::<Proceeding>(work, self.id, Some(self.version)).await?;
        proceeding::delete(&mut work.tx, self.id).await?;
        orphan::reassess(work, &parties).await
    }

    fn result_id(&self, _answer: &()) -> Uuid {
        self.id.uuid()
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<()> {
        Ok(())
    }
}

/// Lists the proceedings of one case of the own organisation.
pub async fn list_proceedings(
    world: &World,
    call: &Call,
    case_id: CaseId,
    page: &Page,
) -> Result<(Vec<Record<Proceeding>>, String)> {
    let mut tx = world.db().begin_read().await?;
    let own = match Case::find(&mut tx, case_id, Lock::None).await? {
        Some(case) => call.manages(Some(case.organisation_id), Case::WORD),
        None => Err(Error::NotFound(Case::WORD)),
    };
    drop(tx);
    traced(world, call, case_id.uuid(), own).await?;
    super::noun::list(world, call, Some(case_id.uuid()), None, page).await
}
