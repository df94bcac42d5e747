//! The waitlist: who waits for a session, and to whom a time that became free is offered.
//!
//! Whoever changes an offer locks its freed slot first, then the entry, and only then what placing a session
//! locks. An offer is a hold in a name of its own, with an end; it becomes a session when a person accepts it,
//! and every rule is asked again.

mod answer;
mod expire;
mod explain;
mod free;
mod join;
mod offer;
mod read;

pub use answer::{Answer, AnswerOffer, Answered};
pub use expire::ExpireOffer;
pub use explain::Outlook;
pub(super) use free::freed;
pub use join::{JoinWaitlist, LeaveWaitlist};
pub use offer::OfferSlot;
pub use read::{Filter, Place, Waiting, list_offers, list_waitlist};

use super::error::{Error, Result};
use super::work::Work;
use crate::domain::ids::{Id, WaitlistEntryId};
use crate::domain::waitlist::{Entry, FreedSlot, Offer, OfferEnded, OfferEnding};
use crate::store::codec::Instant;
use crate::store::{self, Lock, hold, waitlist};

/// The word for it in sentences.
pub(super) const WORD: &str = "waitlist entry";

async fn find(work: &mut Work<'_>, id: WaitlistEntryId, lock: Lock) -> Result<Entry> {
    waitlist::find(&mut work.tx, id, lock).await?.ok_or(Error::NotFound(WORD))
}

/// Locks the freed slot of an offer, and reads both as they now are.
async fn lock(work: &mut Work<'_>, offer: &Offer) -> Result<(FreedSlot, Offer)> {
    let slot = store::offer::find_slot(&mut work.tx, offer.freed_slot_id, Lock::Update).await?;
    let offer = store::offer::find(&mut work.tx, offer.id).await?;
    slot.zip(offer).ok_or(Error::NotFound("offer"))
}

/// Ends an open offer that is not accepted, gives its time back and sees to it that the next is asked.
async fn end(work: &mut Work<'_>, offer: &Offer, how: OfferEnding) -> Result<()> {
    close(work, offer, how).await?;
    hold::delete(&mut work.tx, offer.session_id).await?;
    ask_next(work, offer).await
}

/// Sees to it that the next are asked when an offer has ended: for its own time, and for those that nobody was
/// offered because whoever could have them had an offer already.
async fn ask_next(work: &mut Work<'_>, offer: &Offer) -> Result<()> {
    let (organisation_id, side) = (offer.organisation_id, offer.side);
    for freed_slot_id in store::offer::idle_slots(&mut work.tx, organisation_id, side, Instant(work.now)).await? {
        work.enqueue(&OfferSlot { freed_slot_id, passed_over: Vec::new() }, work.now).await?;
    }
    Ok(())
}

async fn close(work: &mut Work<'_>, offer: &Offer, how: OfferEnding) -> Result<()> {
    work.touched(offer.id.uuid());
    work.note(format!("OFFER_{how}"));
    let by = work.call.caller().principal.clone();
    Ok(store::offer::end(&mut work.tx, offer.id, &OfferEnded { how, at: work.now, by }).await?)
}
