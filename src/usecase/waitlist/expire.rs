//! Ends an offer that nobody answered in time, so that the next is asked.

use serde::{Deserialize, Serialize};

use crate::domain::ids::WaitlistOfferId;
use crate::domain::waitlist::OfferEnding;
use crate::store::offer;
use crate::usecase::error::Result;
use crate::usecase::job::Job;
use crate::usecase::waitlist::{end, lock};
use crate::usecase::work::Work;

/// Ends an offer whose time is over. The hold may be gone by then: it keeps nothing any more.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ExpireOffer {
    /// Which.
    pub offer_id: WaitlistOfferId,
}

impl Job for ExpireOffer {
    const KIND: &'static str = "expire_offer";

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        let Some(seen) = offer::find(&mut work.tx, self.offer_id).await? else { return Ok(()) };
        let (_, offer) = lock(work, &seen).await?;
        if offer.ended.is_some() {
            return Ok(());
        }
        // Another process, whose clock is ahead, may have thought that it was time.
        if offer.check_open(work.now).is_ok() {
            return work.enqueue(self, offer.expires_at).await;
        }
        end(work, &offer, OfferEnding::Expired).await
    }
}
