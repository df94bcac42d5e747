//! Gives a session to another counsellor; time and place stay.

use uuid::Uuid;

use super::{find, hold, open};
use crate::domain::ids::{CounsellorId, Id, SessionId};
use crate::domain::rules::Occasion;
use crate::domain::session::{Override, Session, Wanted};
use crate::store::{Lock, placement, session};
use crate::usecase::error::{Error, Result};
use crate::usecase::orphan;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// Gives a session to another counsellor.
#[derive(Clone, Debug)]
pub struct ReassignCounsellor {
    /// Which.
    pub session_id: SessionId,
    /// The version last read.
    pub version: i64,
    /// To whom.
    pub counsellor_id: CounsellorId,
    /// Soft rules that may be broken.
    pub overrides: Vec<Override>,
}

impl Mutation for ReassignCounsellor {
    type Answer = Session;

    async fn before(&self, world: &World) -> Result<()> {
        hold::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Session> {
        work.touched(self.session_id.uuid());
        let seen = open(work, self.session_id, self.version, Lock::None).await?;
        let wanted = Wanted {
            client_id: seen.client_id,
            counsellor_id: self.counsellor_id,
            service: seen.service,
            place: seen.place.into(),
            span: seen.span,
            guardian_id: seen.guardian_id,
            interpreter: seen.interpreter,
            overrides: self.overrides.clone(),
        };
        let scene = wanted.scene(work).await?;
        // What is somebody else's matter must be said before what only the rules say.
        if seen.counsellor_id == self.counsellor_id {
            return Err(Error::field("counsellor_id", "must be another counsellor"));
        }
        // Who has moved it meanwhile must not look like somebody else in the way.
        open(work, self.session_id, self.version, Lock::None).await?;
        let mut draft = wanted.judge(work, &scene, Some(seen.id), Occasion::Reassigning).await?;
        let old = open(work, self.session_id, self.version, Lock::Update).await?;
        draft.session = Session {
            id: old.id,
            version: old.version + 1,
            place: old.place,
            supersedes: old.supersedes,
            created_at: old.created_at,
            flags: old.flags,
            ..draft.session
        };
        // When a rival was faster, the next attempt sees what stands in the way.
        placement::reassign(&mut work.tx, &draft.session, old.counsellor_id, &scene.counsellor).await?;
        session::update(&mut work.tx, &draft.session).await?;
        draft.note(work).await?;
        work.touched(old.counsellor_id.uuid());
        work.touched(self.counsellor_id.uuid());
        orphan::reassess_these(work, vec![draft.session]).await?;
        find(work, self.session_id, Lock::None).await
    }

    fn result_id(&self, answer: &Session) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Session> {
        find(work, SessionId(result_id), Lock::None).await
    }
}
