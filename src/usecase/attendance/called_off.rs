//! What becomes of those whose session counts towards an order, when it is called off before it starts.

use super::write::write;
use crate::domain::attendance::{Detail, Draft};
use crate::domain::outcome::{NotHeld, Outcome};
use crate::domain::participant::Participant;
use crate::domain::personal::Personal;
use crate::domain::session::{CancelReason, Session};
use crate::store::attendance::{self, Texts};
use crate::usecase::error::Result;
use crate::usecase::treatment::is_too_late;
use crate::usecase::work::Work;

/// How a session is called off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It does not take place, or not for the client.
    Cancelled,
    /// Another takes its place.
    Moved,
}

/// Records for each of these participants what calling off a session is to an order: a client's own doing shortly before
/// is an absence, to be decided upon like any; what the provider, a venue or a court did is none. Whoever counts
/// towards no order is left alone. The clients and the session must be locked.
pub async fn called_off(
    work: &mut Work<'_>,
    session: &Session,
    participants: &[Participant],
    how: How,
    reason: CancelReason,
) -> Result<()> {
    for participant in participants.iter().filter(|it| it.attendee.order_id.is_some()) {
        let too_late = how == How::Cancelled && is_too_late(work, session, participant).await?;
        let known = attendance::history(&mut work.tx, participant, Texts::Closed).await?.current().is_some();
        let said = match reason {
            CancelReason::Provider | CancelReason::Logistics => Some((Outcome::ProviderCancelled, NotHeld::Other)),
            CancelReason::Court => Some((Outcome::ProviderCancelled, NotHeld::Court)),
            CancelReason::Client if too_late => None,
            // An absence that was announced is none any more.
            CancelReason::Client | CancelReason::Other if known => Some((Outcome::Rescheduled, NotHeld::Other)),
            CancelReason::Client | CancelReason::Other => continue,
        };
        let (outcome, detail) = match said {
            Some((outcome, why)) => (outcome, Detail::NotHeld(why)),
            None => (Outcome::LateCancelled, Detail::Nothing),
        };
        let reason = Personal::new("called off".into());
        write(work, session, participant, Draft { outcome, detail, reason, verdict: None }).await?;
    }
    Ok(())
}
