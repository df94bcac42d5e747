//! Guardians of clients.

use super::call::Call;
use super::client::{lock_own, reveal_of};
use super::error::Result;
use super::noun::{Managed, frozen};
use super::page::Page;
use super::work::Work;
use super::world::World;
use crate::domain::guardian::Guardian;
use crate::domain::ids::ClientId;
use crate::domain::noun::{Noun, Record};
use crate::store::session::Of;

impl Managed for Guardian {
    /// Nobody places a session of the client while the standing of a guardian changes.
    async fn check(work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        frozen(before.is_none_or(|before| before.client_id == it.client_id), "guardian.client_id")?;
        lock_own(work, it.client_id, Self::WORD).await.map(drop)
    }

    fn concerns(after: &Record<Self>, _before: Option<&Record<Self>>) -> Vec<Of> {
        vec![Of::Client(after.client_id)]
    }
}

/// Lists the guardians of a client, personal data included; the read is audited before it is answered.
pub async fn list_guardians(
    world: &World,
    call: Call,
    client_id: ClientId,
    page: Page,
) -> Result<(Vec<Record<Guardian>>, String)> {
    reveal_of(world, call, client_id, page).await
}
