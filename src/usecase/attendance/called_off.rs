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
    /// It does not take place.
    Cancelled,
    /// It takes place, without the client.
    Left,
    /// Another takes its place.
    Moved,
}

/// Records for each of these participants what calling off a session is to an order: a client's own doing shortly before
/// is an absence, to be decided upon like any; what the provider, a venue or a court did is none. An absence that was
/// announced stays what it was. Whoever counts towards no order is left alone. The clients and the session must be
/// locked.
pub async fn called_off(
    work: &mut Work<'_>,
    session: &Session,
    participants: &[Participant],
    how: How,
    reason: CancelReason,
) -> Result<()> {
    let mut counted: Vec<&Participant> = participants.iter().filter(|it| it.attendee.order_id.is_some()).collect();
    // The order in which everybody locks them.
    counted.sort_unstable_by_key(|it| it.attendee.order_id);
    for participant in counted {
        // Of a group that is cancelled nobody can say which client called it off.
        let own =
            reason == CancelReason::Client && (how == How::Left || (how == How::Cancelled && !session.is_group()));
        let too_late = own && is_too_late(work, session, participant).await?;
        let announced = attendance::history(&mut work.tx, participant, Texts::Closed).await?.current().is_some();
        let (outcome, detail) = match reason {
            CancelReason::Provider | CancelReason::Logistics => {
                (Outcome::ProviderCancelled, Detail::NotHeld(NotHeld::Other))
            }
            CancelReason::Court => (Outcome::ProviderCancelled, Detail::NotHeld(NotHeld::Court)),
            _ if too_late && !announced => (Outcome::LateCancelled, Detail::Nothing),
            // In time: what was announced is no absence any more.
            _ if announced && !too_late => (Outcome::Rescheduled, Detail::NotHeld(NotHeld::Other)),
            _ => continue,
        };
        let reason = Personal::new("called off".into());
        write(work, session, participant, Draft { outcome, detail, reason, verdict: None }).await?;
    }
    Ok(())
}
