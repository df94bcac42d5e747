//! Times that sessions give back.
//!
//! A session that is cancelled or moved frees the time of whoever led it; a group, of each. What the provider
//! could not keep (the counsellor is ill, the venue is closed) is free for nobody, and for that reason a session
//! that goes to another counsellor frees nothing either. Nor does a hold that ends, because its time was promised
//! to nobody, and a client who leaves a group frees a seat, which is no time of a counsellor.

use crate::domain::ids::{CounsellorId, Id};
use crate::domain::session::{CancelReason, Session, State};
use crate::domain::waitlist::{FreedSlot, Freeing, LEAST_TO_ANSWER};
use crate::store::{offer, waitlist};
use crate::usecase::error::Result;
use crate::usecase::waitlist::OfferSlot;
use crate::usecase::work::Work;

/// Sees to it that the time which a session gives back is offered to whoever waits. Part of the transaction in
/// which it is given back.
pub async fn freed(work: &mut Work<'_>, session: &Session, how: Freeing) -> Result<()> {
    if let State::Cancelled { reason, .. } | State::Rescheduled { reason, .. } = session.state
        && matches!(reason, CancelReason::Provider | CancelReason::Logistics)
    {
        return Ok(());
    }
    for counsellor_id in session.party().counsellors(session.counsellor_id) {
        freed_of(work, session, counsellor_id, how).await?;
    }
    Ok(())
}

/// As [`freed`], for the time of one counsellor.
async fn freed_of(work: &mut Work<'_>, session: &Session, counsellor_id: CounsellorId, how: Freeing) -> Result<()> {
    let (organisation_id, side) = (session.organisation_id, session.side);
    // Whoever joins from now on looks for free times first.
    if session.span.starts_at() < work.now + LEAST_TO_ANSWER
        || !waitlist::anybody(&mut work.tx, organisation_id, side).await?
    {
        return Ok(());
    }
    let slot = FreedSlot {
        id: work.world.id(),
        organisation_id,
        side,
        counsellor_id,
        venue_id: session.place.venue_id(),
        span: session.span,
        session_id: session.id,
        freed_how: how,
        freed_at: work.now,
        closed: None,
    };
    offer::insert_slot(&mut work.tx, &slot).await?;
    work.touched(slot.id.uuid());
    work.enqueue(&OfferSlot { freed_slot_id: slot.id, passed_over: Vec::new() }, work.now).await
}
