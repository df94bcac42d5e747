//! Declared conflicts of interest.

use uuid::Uuid;

use super::client::lock_own;
use super::error::{Error, Result};
use super::noun::{Managed, find, find_own};
use super::orphan;
use super::work::{Mutation, Work};
use crate::domain::conflict::Conflict;
use crate::domain::counsellor::Counsellor;
use crate::domain::ids::{ConflictId, Id};
use crate::domain::noun::{Noun, Record};
use crate::store::noun::Stored;
use crate::store::session::Of;
use crate::store::{Lock, conflict};

impl Managed for Conflict {
    /// Both are of one organisation; nobody places a session of the client meanwhile.
    async fn check(work: &mut Work<'_>, it: &Self, _before: Option<&Record<Self>>) -> Result<()> {
        let client = lock_own(work, it.client_id, Self::WORD).await?;
        work.touched(it.counsellor_id.uuid());
        match Counsellor::find(&mut work.tx, it.counsellor_id, Lock::None).await? {
            Some(counsellor) if counsellor.organisation_id == client.organisation_id => Ok(()),
            _ => Err(Error::NotFound(Counsellor::WORD)),
        }
    }

    fn concerns(after: &Record<Self>, _before: Option<&Record<Self>>) -> Vec<Of> {
        vec![Of::Client(after.client_id)]
    }
}

/// Withdraws a declaration.
pub struct WithdrawConflict {
    /// Which.
    pub id: ConflictId,
    /// The version last read.
    pub version: i64,
}

impl Mutation for WithdrawConflict {
    type Answer = ();

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        work.touched(self.id.uuid());
        let found = find::<Conflict>(work, self.id, Lock::None).await?;
        lock_own(work, found.client_id, Conflict::WORD).await?;
        find_own::<Conflict>(work, self.id, Some(self.version)).await?;
        conflict::delete(&mut work.tx, self.id).await?;
        orphan::reassess(work, &[Of::Client(found.client_id)]).await
    }

    fn result_id(&self, _answer: &()) -> Uuid {
        self.id.uuid()
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<()> {
        Ok(())
    }
}
