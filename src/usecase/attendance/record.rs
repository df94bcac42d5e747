//! Records what became of a session for a participant, and corrects it.

use uuid::Uuid;

use super::write::{append, check, standing};
use super::{ATTENDANCE, author, lock_place, own_session, refused};
use crate::domain::attendance::{Attendance, Decision, Draft, Refused};
use crate::domain::ids::{AttendanceId, ClientId, Id, SessionId};
use crate::domain::session::Session;
use crate::store::attendance::{self, Texts};
use crate::store::participant;
use crate::usecase::client::still_own;
use crate::usecase::error::{Error, Result};
use crate::usecase::work::{Mutation, Work};

/// A record, and the decision that was made with it.
pub type Recorded = (Attendance, Option<Decision>);

/// Records what became of a session for one participant.
#[derive(Clone, Debug)]
pub struct RecordAttendance {
    /// The session.
    pub session_id: SessionId,
    /// The participant.
    pub client_id: ClientId,
    /// What became of it.
    pub draft: Draft,
}

impl Mutation for RecordAttendance {
    type Answer = Recorded;

    async fn run(&self, work: &mut Work<'_>) -> Result<Recorded> {
        let (session, participant) = lock_place(work, self.session_id, self.client_id).await?;
        // Who was removed keeps what was recorded before, and gets no record after.
        if !session.participants.iter().any(|it| it.id == participant.id) {
            return Err(refused(Refused::NotAParticipant));
        }
        check_facts(work, &session, &self.draft)?;
        session.check_recordable(self.draft.outcome, work.now).map_err(refused)?;
        let history = attendance::history(&mut work.tx, &participant, Texts::Closed).await?;
        let first = history.first(work.world.id(), &self.draft, work.now, author(work)).map_err(refused)?;
        append(work, &session, &participant, history, first, self.draft.verdict.clone()).await
    }

    fn result_id(&self, answer: &Recorded) -> Uuid {
        answer.0.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Recorded> {
        recorded(work, self.session_id, self.client_id, AttendanceId(result_id)).await
    }
}

/// Puts a record in the place of the one that stands, which stays.
#[derive(Clone, Debug)]
pub struct AmendAttendance {
    /// The session.
    pub session_id: SessionId,
    /// The participant.
    pub client_id: ClientId,
    /// The number of the record last read.
    pub number: i64,
    /// What became of it, and why the record before is wrong.
    pub draft: Draft,
}

impl Mutation for AmendAttendance {
    type Answer = Recorded;

    async fn run(&self, work: &mut Work<'_>) -> Result<Recorded> {
        let (session, participant) = lock_place(work, self.session_id, self.client_id).await?;
        let history = attendance::history(&mut work.tx, &participant, Texts::Closed).await?;
        standing(&history, self.number)?;
        check_facts(work, &session, &self.draft)?;
        session.check_correctable(self.draft.outcome, work.now).map_err(refused)?;
        let (id, ended_at) = (work.world.id(), session.span.ends_at());
        let record = history.correction(id, &self.draft, ended_at, work.now, author(work)).map_err(refused)?;
        append(work, &session, &participant, history, record, self.draft.verdict.clone()).await
    }

    fn result_id(&self, answer: &Recorded) -> Uuid {
        answer.0.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Recorded> {
        recorded(work, self.session_id, self.client_id, AttendanceId(result_id)).await
    }
}

/// Refuses what the caller's role may not choose for a session.
fn check_facts(work: &Work<'_>, session: &Session, draft: &Draft) -> Result<()> {
    let wrong = check(work, session, draft, "facts");
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

/// A record that was made before, and the first decision about it if that was made with it.
async fn recorded(work: &mut Work<'_>, id: SessionId, client_id: ClientId, record: AttendanceId) -> Result<Recorded> {
    let session = own_session(&mut work.tx, work.call, id).await?;
    still_own(work, client_id).await?;
    let place = participant::place_of(&mut work.tx, session.id, client_id).await?;
    let place = place.ok_or(Error::NotFound(ATTENDANCE))?;
    let history = attendance::history(&mut work.tx, &place, Texts::Opened).await?;
    let found = history.records.into_iter().find(|it| it.id == record).ok_or(Error::NotFound(ATTENDANCE))?;
    let with = |it: &Decision| it.attendance_id == record && it.at == found.at && it.by == found.by;
    let decision = history.decisions.into_iter().find(with);
    Ok((found, decision))
}
