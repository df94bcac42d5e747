//! Transfers: proposed by one organisation, accepted by another. Whoever changes one locks the client first, as whoever
//! places a session does: so either the session is seen here, or the client is not the old organisation's any more.

mod accept;
mod decide;
mod propose;

pub use self::accept::AcceptTransfer;
pub use self::decide::{CosignTransfer, DeclineTransfer, WithdrawTransfer};
pub use self::propose::ProposeTransfer;

use uuid::Uuid;

use super::call::Call;
use super::consent::local_today;
use super::error::{Error, Result};
use super::page::Page;
use super::work::{Mutation, Work, mutate};
use super::world::World;
use crate::domain::break_glass::Act;
use crate::domain::consent::{ConsentPurpose, ConsentSubject};
use crate::domain::ids::{ClientId, ConsentId, Id, OrganisationId, TransferId};
use crate::domain::transfer::{Transfer, Unable};
use crate::store::client::{Outline, Subject};
use crate::store::transfer::{self, Listing};
use crate::store::{Lock, client, consent, guardian};

/// The word for it in sentences.
const WORD: &str = "transfer";

/// On which end of a transfer the caller must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Giving,
    Receiving,
}

/// A transfer of which the caller may know, and the client, locked.
async fn lock(work: &mut Work<'_>, id: TransferId, end: End) -> Result<(Transfer, Outline)> {
    let it = find(work, id, end).await?;
    let outline = client::outline(&mut work.tx, it.client_id, Lock::Update).await?.ok_or(Error::NotFound(WORD))?;
    // Read again: what somebody has done meanwhile is done.
    Ok((find(work, id, end).await?, outline))
}

async fn find(work: &mut Work<'_>, id: TransferId, end: End) -> Result<Transfer> {
    work.touched(id.uuid());
    let own = work.call.sees()?.ok_or(Error::Denied)?;
    let it = transfer::find(&mut work.tx, id, own).await?.ok_or(Error::NotFound(WORD))?;
    let known = match end {
        End::Giving => it.giving.id == own,
        End::Receiving => it.receiving.id == own && it.is_signed(),
    };
    if !known {
        return Err(Error::NotFound(WORD));
    }
    work.touched(it.client_id.uuid());
    Ok(it)
}

fn act(work: &Work<'_>) -> Act {
    Act { at: work.now, by: work.call.caller().principal.clone() }
}

fn refused(reason: &'static str, says: &'static str, subjects: Vec<Uuid>) -> Error {
    Error::Precondition { reason, says, subjects }
}

fn unable(why: Unable, id: TransferId) -> Error {
    let (reason, says) = match why {
        Unable::Over => ("TRANSFER_OVER", "the transfer waits for nobody any more"),
        Unable::NotToSign => ("NOT_TO_SIGN", "the transfer rests on a consent, or is signed"),
        Unable::SamePerson => ("SAME_PERSON", "whoever proposes a transfer without consent does not sign it"),
        Unable::NotSigned => ("NOT_SIGNED", "a clinical lead of the giving organisation has to sign it first"),
    };
    refused(reason, says, vec![id.uuid()])
}

/// The consents of a client to a transfer that cover today, where the client is, and that have moved nobody yet.
async fn consents(work: &mut Work<'_>, client: &Subject) -> Result<Vec<ConsentId>> {
    let tx = &mut work.tx;
    let today = local_today(tx, client.organisation_id, work.now).await?;
    let guardians = tx.tell(|tx| guardian::of_client(tx, client.id)).await?;
    let subject = ConsentSubject { born_on: client.born_on.clone(), guardians };
    let used = transfer::used(tx, client.id).await?;
    let all = consent::of_clients(tx, &[client.id]).await?.remove(&client.id).unwrap_or_default();
    let covers = all.into_iter().filter(|it| it.covers(&subject, ConsentPurpose::Transfer, today));
    Ok(covers.map(|it| it.id).filter(|id| !used.contains(id)).collect())
}

/// What is known of a client that is locked.
async fn subject(work: &mut Work<'_>, id: ClientId) -> Result<Subject> {
    client::subject(&mut work.tx, id, Lock::None).await?.ok_or(Error::NotFound(WORD))
}

/// A transfer, for a caller of one of its two organisations.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The transfer.
    pub transfer: Transfer,
    /// For whom.
    pub own: OrganisationId,
}

impl Shown {
    fn to(call: &Call, transfer: Transfer) -> Result<Self> {
        Ok(Self { transfer, own: call.sees()?.ok_or(Error::Denied)? })
    }
}

/// Lists the transfers of which the caller's organisation may know, the latest first; the read is audited.
pub async fn list_transfers(world: &World, call: Call, open: bool, page: Page) -> Result<(Vec<Shown>, String)> {
    mutate(world, call, ListTransfers { open, page }).await
}

struct ListTransfers {
    open: bool,
    page: Page,
}

impl Mutation for ListTransfers {
    type Answer = (Vec<Shown>, String);

    async fn run(&self, work: &mut Work<'_>) -> Result<Self::Answer> {
        let own = work.call.sees()?.ok_or(Error::Denied)?;
        let listing = Listing {
            organisation_id: own,
            open_at: self.open.then_some(work.now),
            before: self.page.after(work.world, work.call)?,
            most: i64::try_from(self.page.most()).unwrap_or(i64::MAX),
        };
        let rows = transfer::list(&mut work.tx, &listing).await?;
        let (rows, next) = self.page.cut(work.world, work.call, rows, |it| it.id);
        rows.iter().for_each(|it| work.touched(it.id.uuid()));
        Ok((rows.into_iter().map(|transfer| Shown { transfer, own }).collect(), next))
    }

    fn result_id(&self, _answer: &Self::Answer) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Self::Answer> {
        self.run(work).await
    }
}
