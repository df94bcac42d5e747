//! Erasure by destroying keys: what was sealed about a client opens for nobody any more, in backups neither. What is
//! counted stays, and so does the audit trail.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::call::Call;
use super::client::lock_own;
use super::error::{Error, Result};
use super::job::Job;
use super::noun::{find, find_own};
use super::work::{Mutation, Work, mutate};
use super::world::World;
use crate::chain::chain;
use crate::domain::client::Client;
use crate::domain::erasure::ErasureReason;
use crate::domain::ids::{ClientId, Id};
use crate::domain::noun::{Noun, Record};
use crate::store::codec::Instant;
use crate::store::{Lock, client_index, erasure, legal_hold, retention};

/// Erases a client of the own organisation.
#[derive(Clone, Debug)]
pub struct EraseClient {
    /// Which.
    pub id: ClientId,
    /// The version last read.
    pub version: i64,
    /// Why.
    pub because: ErasureReason,
}

/// Erases a client: in one transaction for the data, and then by destroying the keys, which a job does if this process
/// does not come to it.
pub async fn erase_client(world: &World, call: Call, erase: EraseClient) -> Result<Record<Client>> {
    let (record, owners) = mutate(world, call, erase).await?;
    if let Err(error) = world.vault().destroy(&owners).await {
        tracing::warn!(error = %chain(&error), "keys are destroyed later");
    }
    Ok(record)
}

impl Mutation for EraseClient {
    /// The client, and whose keys are to be destroyed.
    type Answer = (Record<Client>, Vec<Uuid>);

    async fn run(&self, work: &mut Work<'_>) -> Result<Self::Answer> {
        erase(work, self.id, Some(self.version), self.because).await
    }

    fn result_id(&self, _answer: &Self::Answer) -> Uuid {
        self.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Self::Answer> {
        Ok((find::<Client>(work, self.id, Lock::None).await?, Vec::new()))
    }
}

/// Erases a client inside a request that may do more: the client as it is then, and whose keys are to be destroyed.
pub(super) async fn erase(
    work: &mut Work<'_>,
    id: ClientId,
    version: Option<i64>,
    because: ErasureReason,
) -> Result<(Record<Client>, Vec<Uuid>)> {
    lock_own(work, id, Client::WORD).await?;
    let before = find_own::<Client>(work, id, version).await?;
    if before.erased_at.is_some() {
        return Err(Error::erased());
    }
    refuse_held(work, id).await?;
    refuse_active(work, id).await?;
    erasure::mark(&mut work.tx, id, before.version + 1, because, Instant(work.now)).await?;
    client_index::delete(&mut work.tx, id).await?;
    retention::delete(&mut work.tx, id).await?;
    work.note(because.as_str());
    let cases = erasure::cases_left(&mut work.tx, id).await?;
    let owners: Vec<_> = std::iter::once(id.uuid()).chain(cases.into_iter().map(Id::uuid)).collect();
    let record = find::<Client>(work, id, Lock::None).await?;
    work.enqueue(&DestroyKeys { owners: owners.clone() }, work.now).await?;
    Ok((record, owners))
}

async fn refuse_held(work: &mut Work<'_>, id: ClientId) -> Result<()> {
    let holds = legal_hold::of_client(&mut work.tx, id).await?;
    let standing: Vec<_> = holds.iter().filter(|it| it.stands(work.now)).map(|it| it.id.uuid()).collect();
    if standing.is_empty() {
        return Ok(());
    }
    let says = "a legal hold forbids it; it has to be released first";
    Err(Error::Precondition { reason: "LEGAL_HOLD", says, subjects: standing })
}

async fn refuse_active(work: &mut Work<'_>, id: ClientId) -> Result<()> {
    let active = erasure::active(&mut work.tx, id, work.now).await?;
    if active.is_empty() {
        return Ok(());
    }
    let says = "the client has sessions to come, or an open order, follow-up plan or entry of the waitlist";
    Err(Error::Precondition { reason: "CLIENT_ACTIVE", says, subjects: active })
}

/// Destroys the keys of who was erased, should the process have ended before it did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DestroyKeys {
    /// Whose.
    pub owners: Vec<Uuid>,
}

impl Job for DestroyKeys {
    const KIND: &'static str = "destroy_keys";

    /// In the key store, which has transactions of its own; to destroy twice is to destroy once.
    async fn before(&self, world: &World) -> Result<()> {
        Ok(world.vault().destroy(&self.owners).await?)
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        self.owners.iter().for_each(|owner| work.touched(*owner));
        Ok(())
    }
}
