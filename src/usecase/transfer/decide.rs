//! Signs, declines and takes back transfers.

use uuid::Uuid;

use super::{End, Shown, act, find, lock, unable};
use crate::domain::ids::{Id, TransferId};
use crate::domain::transfer::{DeclineReason, TransferEnding};
use crate::store::transfer;
use crate::usecase::error::Result;
use crate::usecase::work::{Mutation, Work};

/// Signs the reason of a transfer without consent, for the giving organisation.
#[derive(Clone, Copy, Debug)]
pub struct CosignTransfer(pub TransferId);

impl Mutation for CosignTransfer {
    type Answer = Shown;

    async fn run(&self, work: &mut Work<'_>) -> Result<Shown> {
        let (before, _) = lock(work, self.0, End::Giving).await?;
        let after = before.cosign(act(work)).map_err(|why| unable(why, self.0))?;
        transfer::update(&mut work.tx, &after).await?;
        Shown::to(work.call, after)
    }

    fn result_id(&self, _answer: &Shown) -> Uuid {
        self.0.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Shown> {
        let it = find(work, self.0, End::Giving).await?;
        Shown::to(work.call, it)
    }
}

/// Does not take the client, for the receiving organisation.
#[derive(Clone, Copy, Debug)]
pub struct DeclineTransfer {
    /// Which.
    pub id: TransferId,
    /// Why.
    pub because: DeclineReason,
}

impl Mutation for DeclineTransfer {
    type Answer = Shown;

    async fn run(&self, work: &mut Work<'_>) -> Result<Shown> {
        let (before, _) = lock(work, self.id, End::Receiving).await?;
        let after = before.answer(TransferEnding::Declined, act(work), Some(self.because));
        let after = after.map_err(|why| unable(why, self.id))?;
        transfer::update(&mut work.tx, &after).await?;
        work.note(self.because.as_str());
        Shown::to(work.call, after)
    }

    fn result_id(&self, _answer: &Shown) -> Uuid {
        self.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Shown> {
        let it = find(work, self.id, End::Receiving).await?;
        Shown::to(work.call, it)
    }
}

/// Takes a transfer back, for the giving organisation.
#[derive(Clone, Copy, Debug)]
pub struct WithdrawTransfer(pub TransferId);

impl Mutation for WithdrawTransfer {
    type Answer = Shown;

    async fn run(&self, work: &mut Work<'_>) -> Result<Shown> {
        let (before, _) = lock(work, self.0, End::Giving).await?;
        let after = before.withdraw(act(work)).map_err(|why| unable(why, self.0))?;
        transfer::update(&mut work.tx, &after).await?;
        Shown::to(work.call, after)
    }

    fn result_id(&self, _answer: &Shown) -> Uuid {
        self.0.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Shown> {
        let it = find(work, self.0, End::Giving).await?;
        Shown::to(work.call, it)
    }
}
