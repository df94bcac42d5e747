//! Legal holds: placed and released by coordinators; a client on hold is not erased.

use chrono::TimeDelta;
use uuid::Uuid;

use super::call::Call;
use super::client::{lock_own, reveal_of};
use super::error::{Error, Result};
use super::noun::{Managed, Written, find, find_own, update};
use super::page::Page;
use super::work::{Mutation, Work};
use super::world::World;
use crate::domain::ids::{ClientId, Id, LegalHoldId};
use crate::domain::legal_hold::{LegalHold, Released};
use crate::domain::noun::{Noun, Record};
use crate::domain::personal::Personal;
use crate::store::Lock;

impl Managed for LegalHold {
    /// Nobody erases the client meanwhile.
    async fn check(work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        lock_own(work, it.client_id, Self::WORD).await?;
        // Wherever it is, its last day has not ended.
        let first = (work.now - TimeDelta::hours(12)).date_naive();
        if before.is_none() && it.until.is_some_and(|last| last < first) {
            return Err(Error::field("hold.until", "must not be in the past"));
        }
        Ok(())
    }
}

/// Releases a hold.
pub struct ReleaseHold {
    /// Which.
    pub id: LegalHoldId,
    /// The version last read.
    pub version: i64,
    /// Why.
    pub reason: Personal,
}

impl Mutation for ReleaseHold {
    type Answer = Written<LegalHold>;

    async fn run(&self, work: &mut Work<'_>) -> Result<Written<LegalHold>> {
        work.touched(self.id.uuid());
        let found = find::<LegalHold>(work, self.id, Lock::None).await?;
        lock_own(work, found.client_id, LegalHold::WORD).await?;
        let before = find_own::<LegalHold>(work, self.id, Some(self.version)).await?;
        if before.released.is_some() {
            return Err(Error::Precondition {
                reason: "HOLD_RELEASED",
                says: "the hold was released before",
                subjects: vec![self.id.uuid()],
            });
        }
        let by = work.call.caller().principal.clone();
        let released = Released { at: work.now, by, reason: self.reason.clone() };
        let record = update(work, &before, LegalHold { released: Some(released), ..before.content.clone() }).await?;
        Written::of(work, record)
    }

    fn result_id(&self, answer: &Written<LegalHold>) -> Uuid {
        answer.record.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Written<LegalHold>> {
        Written::again(work, result_id).await
    }
}

/// Lists the holds on a client, those that ended included; the read is audited before it is answered.
pub async fn list_holds(
    world: &World,
    call: Call,
    client_id: ClientId,
    page: Page,
) -> Result<(Vec<Record<LegalHold>>, String)> {
    reveal_of(world, call, client_id, page).await
}
