//! Accepts a transfer: in one transaction the client is the other organisation's, and the old one knows of the client
//! no more than the sessions, counts and transfers that it has.

use uuid::Uuid;

use super::{End, Shown, act, consents, find, lock, refused, subject, unable};
use crate::domain::client::{Case, Client};
use crate::domain::directory::Venue;
use crate::domain::ids::{CaseId, ClientId, Id, OrganisationId, TransferId};
use crate::domain::noun::{Noun, Record};
use crate::domain::proceeding::Proceeding;
use crate::domain::transfer::{Basis, Transfer, TransferEnding};
use crate::store::codec::Instant;
use crate::store::noun::Stored;
use crate::store::transfer::{self, CaseOf};
use crate::store::{Lock, case};
use crate::usecase::consent::local_today;
use crate::usecase::error::{Error, Result};
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;
use crate::usecase::{followup, session};

/// Takes the client, for the receiving organisation.
#[derive(Clone, Copy, Debug)]
pub struct AcceptTransfer(pub TransferId);

impl Mutation for AcceptTransfer {
    type Answer = Shown;

    /// A hold that keeps nothing must not keep a client either.
    async fn before(&self, world: &World) -> Result<()> {
        session::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Shown> {
        let (before, client) = lock(work, self.0, End::Receiving).await?;
        let after = before.clone().answer(TransferEnding::Accepted, act(work), None);
        let after = after.map_err(|why| unable(why, self.0))?;
        if client.erased {
            return Err(Error::erased());
        }
        check(work, &before).await?;
        transfer::update(&mut work.tx, &after).await?;
        hand_over(work, &after).await?;
        // Read again: what it says is the new organisation's to read now.
        let it = find(work, self.0, End::Receiving).await?;
        Shown::to(work.call, it)
    }

    fn result_id(&self, _answer: &Shown) -> Uuid {
        self.0.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Shown> {
        let it = find(work, self.0, End::Receiving).await?;
        Shown::to(work.call, it)
    }
}

/// Refuses what does not stand as it was proposed. The receiving organisation is not told what is in the way.
async fn check(work: &mut Work<'_>, it: &Transfer) -> Result<()> {
    if let Basis::Consent(id) = it.basis {
        let client = subject(work, it.client_id).await?;
        if !consents(work, &client).await?.contains(&id) {
            let says = "the consent that the transfer rests on does not cover today";
            return Err(refused("CONSENT_MISSING", says, Vec::new()));
        }
    }
    let found = transfer::in_the_way(&mut work.tx, it.client_id, Instant(work.now)).await?;
    if found.orders.is_empty() && found.others.is_empty() {
        return Ok(());
    }
    let says =
        "the giving organisation has something left to do; it has to withdraw the transfer and to propose it anew";
    Err(refused("TRANSFER_NOT_READY", says, Vec::new()))
}

async fn hand_over(work: &mut Work<'_>, it: &Transfer) -> Result<()> {
    let now = Instant(work.now);
    followup::close_for_transfer(work, it.client_id).await?;
    transfer::end_emergencies(&mut work.tx, it.client_id, "transfer", now).await?;
    transfer::hand_on(&mut work.tx, it.client_id, it.receiving.id).await?;
    for of in transfer::cases_of(&mut work.tx, it.client_id, it.giving.id).await? {
        hand_over_case(work, it, &of).await?;
    }
    move_client(work, it.client_id, it.receiving.id).await
}

/// The client is the other organisation's. The number of the file was the old one's own, and so may be the venue.
async fn move_client(work: &mut Work<'_>, id: ClientId, to: OrganisationId) -> Result<()> {
    let before = Client::find(&mut work.tx, id, Lock::None).await?.ok_or(Error::NotFound(Client::WORD))?;
    let venue = match before.preferred_venue_id {
        Some(id) => Venue::find(&mut work.tx, id, Lock::None).await?,
        None => None,
    };
    let kept = match venue {
        Some(venue) if Venue::visible(&mut work.tx, &venue, to).await? => Some(venue.id),
        _ => None,
    };
    let content = Client { organisation_id: to, file_number: None, preferred_venue_id: kept, ..before.content.clone() };
    Ok(Client::update(&mut work.tx, &before.changed(work.now, content)).await?)
}

/// A case that is about nobody else goes along; of another one, the client becomes a party of the new organisation's
/// record. The link of both is the same, so nobody stops being kept apart.
async fn hand_over_case(work: &mut Work<'_>, it: &Transfer, of: &CaseOf) -> Result<()> {
    let now = Instant(work.now);
    work.touched(of.case_id.uuid());
    // The link is locked, so that nobody else makes the record meanwhile.
    case::link(&mut work.tx, of.case_id).await?;
    let known = transfer::case_by_link(&mut work.tx, of.link_id, it.receiving.id).await?;
    let to = match known {
        Some(id) => id,
        None if !of.shared => return Ok(transfer::move_case(&mut work.tx, of.case_id, it.receiving.id, now).await?),
        None => copy_case(work, it, of.case_id).await?,
    };
    work.touched(to.uuid());
    Ok(transfer::move_party(&mut work.tx, it.client_id, of, to, now).await?)
}

/// The new organisation's own record of a case, with the days that it takes.
async fn copy_case(work: &mut Work<'_>, it: &Transfer, id: CaseId) -> Result<CaseId> {
    let found = Case::find(&mut work.tx, id, Lock::None).await?.ok_or(Error::NotFound(Case::WORD))?;
    let content = Case { organisation_id: it.receiving.id, parties: Vec::new(), ..found.content.clone() };
    let copy = Record::new(work.world.id(), work.now, content);
    Case::insert(&mut work.tx, &copy).await?;
    let today = local_today(&mut work.tx, it.giving.id, work.now).await?;
    for (on_date, kind) in transfer::proceedings(&mut work.tx, id, today).await? {
        let day = Proceeding { case_id: copy.id, on_date, kind };
        Proceeding::insert(&mut work.tx, &Record::new(work.world.id(), work.now, day)).await?;
    }
    Ok(copy.id)
}
