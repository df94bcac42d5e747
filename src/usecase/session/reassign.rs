//! Gives a session to another counsellor; time and place stay.

use uuid::Uuid;

use super::{find, hold, open};
use crate::domain::ids::{CounsellorId, Id, SessionId};
use crate::domain::rules::Occasion;
use crate::domain::session::{Override, Session, Wanted};
use crate::domain::waitlist::Freeing;
use crate::store::{Lock, placement, session};
use crate::usecase::error::{Error, Result};
use crate::usecase::orphan;
use crate::usecase::waitlist;
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
        let wanted = Wanted { counsellor_id: self.counsellor_id, ..seen.wanted(self.overrides.clone()) };
        let scene = wanted.scene(work).await?;
        // What is somebody else's matter must be said before what only the rules say.
        if seen.is_led_by(self.counsellor_id) {
            return Err(Error::field("counsellor_id", "must be a counsellor who does not lead the session already"));
        }
        // Who has moved it meanwhile must not look like somebody else in the way.
        open(work, self.session_id, self.version, Lock::None).await?;
        let mut draft = wanted.judge(work, &scene, Some(seen.id), Occasion::Reassigning).await?;
        let old = open(work, self.session_id, self.version, Lock::Update).await?;
        let from = old.counsellor_id;
        draft.session = Session { created_at: old.created_at, ..old.renewed(draft.session) };
        // When a rival was faster, the next attempt sees what stands in the way.
        placement::reassign(&mut work.tx, &draft.session, from, &scene.counsellors[0]).await?;
        session::update(&mut work.tx, &draft.session).await?;
        draft.note(work).await?;
        work.touched(from.uuid());
        work.touched(self.counsellor_id.uuid());
        orphan::reassess_these(work, vec![draft.session.clone()]).await?;
        waitlist::freed_of(work, &draft.session, from, Freeing::Reassigned).await?;
        find(work, self.session_id, Lock::None).await
    }

    fn result_id(&self, answer: &Session) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Session> {
        find(work, SessionId(result_id), Lock::None).await
    }
}
