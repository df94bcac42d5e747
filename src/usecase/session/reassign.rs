//! Gives a session to another counsellor; time and place stay.

use uuid::Uuid;

use super::{find, hold, open};
use crate::domain::counsellor::Counsellor;
use crate::domain::ids::{CounsellorId, Id, SessionId};
use crate::domain::noun::Noun;
use crate::domain::rules::Occasion;
use crate::domain::session::{Override, Session, Wanted};
use crate::store::codec::Instant;
use crate::store::{Lock, placement, session};
use crate::usecase::error::{Error, Result};
use crate::usecase::followup;
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
    /// Whose part that is in a group; of the one who leads when none.
    pub replaces: Option<CounsellorId>,
    /// Soft rules that may be broken.
    pub overrides: Vec<Override>,
}

impl Mutation for ReassignCounsellor {
    type Answer = Session;

    async fn before(&self, world: &World) -> Result<()> {
        hold::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Session> {
        self.reassign(work).await
    }

    fn result_id(&self, answer: &Session) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Session> {
        find(work, SessionId(result_id), Lock::None).await
    }
}

impl ReassignCounsellor {
    /// Gives one session to another counsellor inside a request that may do more.
    pub(super) async fn reassign(&self, work: &mut Work<'_>) -> Result<Session> {
        work.touched(self.session_id.uuid());
        let seen = open(work, self.session_id, self.version, Lock::None).await?;
        let from = self.replaces.unwrap_or(seen.counsellor_id);
        let wanted = self.wanted(&seen, from);
        let scene = wanted.scene(work).await?;
        // What is somebody else's matter must be said before what only the rules say.
        if seen.is_led_by(self.counsellor_id) {
            return Err(Error::field("counsellor_id", "must be a counsellor who does not lead the session already"));
        }
        if !seen.is_led_by(from) {
            return Err(Error::field("replaces_counsellor_id", "must be a counsellor who leads the session"));
        }
        // Who has moved it meanwhile must not look like somebody else in the way.
        open(work, self.session_id, self.version, Lock::None).await?;
        let mut draft = wanted.judge(work, &scene, Some(seen.id), Occasion::Reassigning).await?;
        let old = open(work, self.session_id, self.version, Lock::Update).await?;
        draft.session = Session { created_at: old.created_at, ..old.renewed(draft.session) };
        let to = scene.counsellors.iter().find(|it| it.id == self.counsellor_id);
        let to = to.ok_or(Error::NotFound(Counsellor::WORD))?;
        // When a rival was faster, the next attempt sees what stands in the way.
        placement::reassign(&mut work.tx, &draft.session, from, to).await?;
        session::update(&mut work.tx, &draft.session, Instant(work.now)).await?;
        draft.note(work).await?;
        work.touched(from.uuid());
        work.touched(self.counsellor_id.uuid());
        orphan::reassess_these(work, vec![draft.session]).await?;
        let session = find(work, self.session_id, Lock::None).await?;
        followup::session_changed(work, &session).await?;
        Ok(session)
    }

    /// The session with the other counsellor in the place of one of its own.
    fn wanted(&self, seen: &Session, from: CounsellorId) -> Wanted {
        let (counsellor_id, party) = seen.led_instead(self.counsellor_id, from);
        Wanted { counsellor_id, party, ..seen.wanted(self.overrides.clone()) }
    }

    /// Whether a session is already as it would then be.
    pub(super) fn is_done(&self, session: &Session) -> bool {
        session.version > self.version && session.is_led_by(self.counsellor_id)
    }
}
