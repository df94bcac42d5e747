//! A coordinator's answer to an offer: the session is booked by every rule as it is now, or the next is asked.

use uuid::Uuid;

use crate::domain::ids::{GuardianId, Id, WaitlistOfferId};
use crate::domain::session::{Override, Session};
use crate::domain::waitlist::{Entry, EntryEnded, Offer, OfferEnding, SlotEnding};
use crate::store::codec::Instant;
use crate::store::{self, Lock, offer, session, waitlist};
use crate::usecase::error::{Error, Result};
use crate::usecase::session::{HOLD, book_held, forget_expired};
use crate::usecase::waitlist::{ask_next, close, end, find, lock};
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// The word for it in sentences.
const WORD: &str = "offer";

/// What is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Book it.
    Accept {
        /// The safe adult who comes with a child, when not the one of the entry.
        guardian_id: Option<GuardianId>,
        /// Soft rules that may be broken.
        overrides: Vec<Override>,
    },
    /// The next may have it.
    Decline,
}

/// Answers an offer.
#[derive(Clone, Debug)]
pub struct AnswerOffer {
    /// Which.
    pub offer_id: WaitlistOfferId,
    /// How.
    pub answer: Answer,
}

/// What an answer led to.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The offer.
    pub offer: Offer,
    /// The entry it was for.
    pub entry: Entry,
    /// The session, when it was accepted.
    pub session: Option<Session>,
}

impl Mutation for AnswerOffer {
    type Answer = Answered;

    async fn before(&self, world: &World) -> Result<()> {
        forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Answered> {
        work.touched(self.offer_id.uuid());
        let seen = offer::find(&mut work.tx, self.offer_id).await?.ok_or(Error::NotFound(WORD))?;
        work.call.manages(Some(seen.organisation_id), WORD)?;
        let (slot, offer) = lock(work, &seen).await?;
        offer.check_open(work.now).map_err(ended)?;
        let entry = find(work, offer.entry_id, Lock::Update).await?;
        work.touched(entry.id.uuid());
        work.touched(entry.attendee.client_id.uuid());
        match &self.answer {
            Answer::Decline => end(work, &offer, OfferEnding::Declined).await?,
            Answer::Accept { guardian_id, overrides } => {
                let holder = Offer::holder(offer.id);
                let booked = book_held(work, &holder, offer.session_id, *guardian_id, overrides).await;
                let session = booked.map_err(|error| match error {
                    // A process whose clock is ahead has forgotten it.
                    Error::NotFound(HOLD) => ended(OfferEnding::Expired),
                    error => error,
                })?;
                work.touched(session.id.uuid());
                close(work, &offer, OfferEnding::Accepted).await?;
                offer::close_slot(&mut work.tx, slot.id, SlotEnding::Taken, Instant(work.now)).await?;
                let entry = entry.end(EntryEnded::Booked(work.now, session.id));
                waitlist::update(&mut work.tx, &entry).await?;
                ask_next(work, &offer).await?;
            }
        }
        answered(work, offer.id).await
    }

    fn result_id(&self, answer: &Answered) -> Uuid {
        answer.offer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Answered> {
        answered(work, WaitlistOfferId(result_id)).await
    }
}

/// An offer, the entry it is for and the session it became, as they now stand.
async fn answered(work: &mut Work<'_>, id: WaitlistOfferId) -> Result<Answered> {
    let offer = offer::find(&mut work.tx, id).await?.ok_or(Error::NotFound(WORD))?;
    let entry = find(work, offer.entry_id, Lock::None).await?;
    let accepted = offer.ended.as_ref().is_some_and(|it| it.how == OfferEnding::Accepted);
    let session = if accepted { session::find(&mut work.tx, offer.session_id, Lock::None).await? } else { None };
    Ok(Answered { offer, entry, session })
}

/// Why an offer cannot be answered, for the caller.
fn ended(how: OfferEnding) -> Error {
    let (reason, says) = match how {
        OfferEnding::Accepted => ("OFFER_ACCEPTED", "the offer was accepted before"),
        OfferEnding::Declined => ("OFFER_DECLINED", "the offer was declined before; the next is asked"),
        OfferEnding::Expired => ("OFFER_EXPIRED", "the offer has expired; the next is asked"),
        OfferEnding::Withdrawn => ("OFFER_WITHDRAWN", "the client has left the waitlist"),
    };
    Error::Precondition { reason, says, subjects: Vec::new() }
}

/// An offer that was made or ended in this very moment: the request is tried again.
pub(super) fn meanwhile() -> Error {
    Error::Unavailable(store::Error::Conflict)
}
