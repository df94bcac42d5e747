//! Escalations: raised in the transaction of their cause, acknowledged and resolved by people.

use chrono_tz::Tz;

use crate::domain::escalation::{Alarm, Cause, Escalation};
use crate::domain::ids::{ClientId, CounsellorId, OrganisationId};
use crate::usecase::error::{Error, Result};
use crate::usecase::work::Work;

/// The word for it in sentences.
pub const WORD: &str = "escalation";

/// What an escalation is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct About {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The client.
    pub client_id: ClientId,
    /// The counsellor it names.
    pub counsellor_id: CounsellorId,
    /// The zone of its working time.
    pub zone: Tz,
}

/// Raises an escalation, unless this cause has raised it already. A person is called upon once its time has passed
/// unacknowledged, by a job of the same transaction.
pub(super) async fn raise(
    _work: &mut Work<'_>,
    _about: About,
    _alarm: Alarm,
    _cause: Cause,
) -> Result<Option<Escalation>> {
    Err(Error::NotFound(WORD))
}
