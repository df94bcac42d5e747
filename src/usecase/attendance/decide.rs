//! Decides whether an absence was acceptable.

use uuid::Uuid;

use super::write::{decide, standing};
use super::{ATTENDANCE, lock_place, own_session};
use crate::domain::attendance::{Decision, Verdict};
use crate::domain::ids::{ClientId, Id, SessionId};
use crate::store::attendance::{self, Texts};
use crate::store::participant;
use crate::usecase::client::still_own;
use crate::usecase::error::{Error, Result};
use crate::usecase::work::{Mutation, Work};

/// Decides whether an absence was acceptable. It takes the place of a decision before, which stays.
#[derive(Clone, Debug)]
pub struct DecideAbsence {
    /// The session.
    pub session_id: SessionId,
    /// The participant.
    pub client_id: ClientId,
    /// The number of the record last read: nobody decides about an absence that was corrected meanwhile.
    pub number: i64,
    /// What is decided.
    pub verdict: Verdict,
}

impl Mutation for DecideAbsence {
    type Answer = Decision;

    async fn run(&self, work: &mut Work<'_>) -> Result<Decision> {
        let (session, participant) = lock_place(work, self.session_id, self.client_id).await?;
        let history = attendance::history(&mut work.tx, &participant, Texts::Closed).await?;
        standing(&history, self.number)?;
        decide(work, &session, &participant, history, self.verdict.clone()).await
    }

    fn result_id(&self, answer: &Decision) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Decision> {
        let session = own_session(&mut work.tx, work.call, self.session_id).await?;
        still_own(work, self.client_id).await?;
        let place = participant::place_of(&mut work.tx, session.id, self.client_id).await?;
        let place = place.ok_or(Error::NotFound(ATTENDANCE))?;
        let history = attendance::history(&mut work.tx, &place, Texts::Opened).await?;
        history.decisions.into_iter().find(|it| it.id.uuid() == result_id).ok_or(Error::NotFound(ATTENDANCE))
    }
}
