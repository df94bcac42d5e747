//! Books one session, or says every rule that stands in the way.

use uuid::Uuid;

use super::place::{LOOKS, crowded};
use super::scene::Scene;
use super::series;
use super::{WORD, find, hold};
use crate::domain::ids::{GuardianId, Id, SessionId};
use crate::domain::party::Party;
use crate::domain::rules::Occasion;
use crate::domain::session::{Override, Session, State, Wanted};
use crate::store::codec::Instant;
use crate::store::{Lock, placement, session};
use crate::usecase::error::{Error, Result};
use crate::usecase::followup;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// Books one session.
#[derive(Clone, Debug)]
pub struct BookSession(pub Wanted);

impl Mutation for BookSession {
    type Answer = Session;

    async fn make_way(&self, world: &World) -> Result<()> {
        hold::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Session> {
        touch(work, &self.0.party);
        series::check_number(work, &self.0).await?;
        followup::check_booked_for(work, &self.0).await?;
        let session = book(work, &self.0).await?;
        work.touched(session.id.uuid());
        Ok(session)
    }

    fn result_id(&self, answer: &Session) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Session> {
        find(work, SessionId(result_id), Lock::None).await
    }
}

/// Notes for the audit trail who is to meet.
pub(super) fn touch(work: &mut Work<'_>, party: &Party) {
    for id in party.clients() {
        work.touched(id.uuid());
    }
}

/// Books one session inside a request that may do more.
pub async fn book(work: &mut Work<'_>, wanted: &Wanted) -> Result<Session> {
    let scene = wanted.scene(work).await?;
    let session = book_in(work, &scene, wanted).await?;
    followup::session_changed(work, &session).await?;
    Ok(session)
}

/// As [`book`], with everything locked that it is about. The plans of its clients are to be told afterwards.
pub(super) async fn book_in(work: &mut Work<'_>, scene: &Scene, wanted: &Wanted) -> Result<Session> {
    for _ in 0..LOOKS {
        let draft = wanted.judge(work, scene, None, Occasion::Placing).await?;
        if scene.claim(work, &draft).await? {
            return Ok(draft.session);
        }
        hold::none_expired(work).await?;
    }
    Err(crowded())
}

/// Books what the caller holds. The rules are asked again: what was held may not stand any more.
#[derive(Clone, Debug)]
pub struct BookHeld {
    /// The hold.
    pub hold_id: SessionId,
    /// Soft rules that may be broken, beside those that were when it was held.
    pub overrides: Vec<Override>,
}

impl Mutation for BookHeld {
    type Answer = Session;

    async fn before(&self, world: &World) -> Result<()> {
        hold::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Session> {
        work.touched(self.hold_id.uuid());
        let me = work.call.caller().identity();
        book_held(work, &me, self.hold_id, None, &self.overrides).await
    }

    fn result_id(&self, answer: &Session) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Session> {
        let found = session::find(&mut work.tx, SessionId(result_id), Lock::None).await?;
        found.ok_or(Error::NotFound(WORD))
    }
}

/// Books what is held in somebody's name, by every rule as it is now; another guardian may come along.
pub async fn book_held(
    work: &mut Work<'_>,
    name: &str,
    hold_id: SessionId,
    guardian_id: Option<GuardianId>,
    overrides: &[Override],
) -> Result<Session> {
    let held = hold::of(work, name, hold_id, Lock::None).await?;
    let mut wanted = hold::wanted(work, &held).await?;
    wanted.overrides.extend(overrides.iter().cloned());
    for attendee in &mut wanted.party.participants {
        attendee.guardian_id = guardian_id.or(attendee.guardian_id);
    }
    let scene = wanted.scene(work).await?;
    let mut draft = wanted.judge(work, &scene, Some(held.id), Occasion::Placing).await?;
    // Now nobody else can take, release or forget it.
    let mut held = hold::of(work, name, hold_id, Lock::Update).await?;
    for (participant, attendee) in held.participants.iter_mut().zip(&wanted.party.participants) {
        participant.attendee = attendee.clone();
    }
    draft.session = Session { state: State::Booked, ..held.renewed(draft.session) };
    session::update(&mut work.tx, &draft.session, Instant(work.now)).await?;
    placement::release(&mut work.tx, draft.session.id).await?;
    scene.take(work, &draft.session);
    draft.note(work).await?;
    followup::session_changed(work, &draft.session).await?;
    Ok(draft.session)
}
