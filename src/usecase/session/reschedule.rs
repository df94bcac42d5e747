//! Moves a session: a new one takes the place of the old, and each knows of the other.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::place::{Draft, LOOKS, crowded};
use super::scene::Scene;
use super::{find, hold, open, refused};
use crate::domain::ids::{CounsellorId, GuardianId, Id, SessionId};
use crate::domain::party::Party;
use crate::domain::place::WantedPlace;
use crate::domain::rules::Occasion;
use crate::domain::session::{CancelReason, Override, Session, Wanted};
use crate::domain::time::Span;
use crate::domain::waitlist::Freeing;
use crate::store::codec::Instant;
use crate::store::{self, Lock, placement, session};
use crate::usecase::attendance::{How, called_off};
use crate::usecase::error::{Error, Result};
use crate::usecase::followup;
use crate::usecase::link;
use crate::usecase::waitlist;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// Moves a session. What is absent stays as it was.
#[derive(Clone, Debug)]
pub struct RescheduleSession {
    /// Which.
    pub session_id: SessionId,
    /// The version last read.
    pub version: i64,
    /// Why.
    pub reason: CancelReason,
    /// When it is to start.
    pub starts_at: DateTime<Utc>,
    /// How long it is to last.
    pub length: Option<TimeDelta>,
    /// By whom.
    pub counsellor_id: Option<CounsellorId>,
    /// Where.
    pub place: Option<WantedPlace>,
    /// The safe adult who comes with a child.
    pub guardian_id: Option<GuardianId>,
    /// Whether an interpreter is booked.
    pub interpreter: Option<bool>,
    /// Soft rules that may be broken.
    pub overrides: Vec<Override>,
}

impl Mutation for RescheduleSession {
    /// The new session and the old.
    type Answer = (Session, Session);

    async fn before(&self, world: &World) -> Result<()> {
        hold::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<(Session, Session)> {
        work.touched(self.session_id.uuid());
        let clients = open(work, self.session_id, self.version, Lock::None).await?.clients();
        // Clients before sessions: the order in which a late link locks them too.
        link::lock_around(work, &clients, None).await?;
        // Who has moved it meanwhile must not look like somebody else in the way.
        let seen = open(work, self.session_id, self.version, Lock::None).await?;
        let wanted = self.wanted(&seen)?;
        let scene = wanted.scene(work).await?;
        link::lock_linked_sessions(work, &clients, &[]).await?;
        let (new, old) = move_locked(work, &scene, &wanted, &seen, self.reason).await?;
        work.touched(new.id.uuid());
        link::settle_all(work, &clients).await?;
        waitlist::freed(work, &old, Freeing::Rescheduled).await?;
        followup::session_changed(work, &new).await?;
        Ok((find(work, new.id, Lock::None).await?, old))
    }

    fn result_id(&self, answer: &(Session, Session)) -> Uuid {
        answer.0.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<(Session, Session)> {
        let new = find(work, SessionId(result_id), Lock::None).await?;
        let old = find(work, self.session_id, Lock::None).await?;
        Ok((new, old))
    }
}

impl RescheduleSession {
    /// The session that is to take the place of an old one.
    pub(super) fn wanted(&self, old: &Session) -> Result<Wanted> {
        // Another room may be the free one at another time.
        let stay = match WantedPlace::from(old.place) {
            WantedPlace::Venue(venue_id, _) => WantedPlace::Venue(venue_id, None),
            WantedPlace::Remote => WantedPlace::Remote,
        };
        let span = Span::lasting(self.starts_at, self.length.unwrap_or(old.span.length()));
        if self.counsellor_id.is_some_and(|id| old.co_facilitators.contains(&id)) {
            return Err(Error::field("counsellor_id", "must not be a counsellor who leads the group beside the first"));
        }
        Ok(Wanted {
            counsellor_id: self.counsellor_id.unwrap_or(old.counsellor_id),
            party: self.party(old)?,
            place: self.place.unwrap_or(stay),
            span: span.ok_or_else(|| Error::field("starts_at", "must be an instant that a session can have"))?,
            ..old.wanted(self.overrides.clone())
        })
    }

    /// Who is to meet then. Of a group each client's company is that client's own matter.
    fn party(&self, old: &Session) -> Result<Party> {
        let mut party = old.party();
        if party.is_group() && self.guardian_id.is_some() {
            return Err(Error::field("guardian_id", "must be empty for a group"));
        }
        if party.is_group() && self.interpreter.is_some() {
            return Err(Error::field("interpreter", "must be absent for a group"));
        }
        for one in &mut party.participants {
            one.guardian_id = self.guardian_id.or(one.guardian_id);
            one.interpreter = self.interpreter.unwrap_or(one.interpreter);
        }
        Ok(party)
    }
}

/// Moves a session as it was seen, with everything locked that the move is about. The links of its clients
/// are to be settled afterwards.
pub(super) async fn move_locked(
    work: &mut Work<'_>,
    scene: &Scene,
    wanted: &Wanted,
    seen: &Session,
    reason: CancelReason,
) -> Result<(Session, Session)> {
    for _ in 0..LOOKS {
        let mut draft = wanted.judge(work, scene, Some(seen.id), Occasion::Placing).await?;
        draft.session.supersedes = Some(seen.id);
        let old = open(work, seen.id, seen.version, Lock::Update).await?;
        let old = old.reschedule(work.now, reason, draft.session.id).map_err(refused)?;
        if replace(work, scene, &draft, &old).await? {
            called_off(work, &old, &old.participants, How::Moved, reason).await?;
            return Ok((draft.session, old));
        }
    }
    Err(crowded())
}

/// Puts the new session where the old one was; false when somebody was faster.
async fn replace(work: &mut Work<'_>, scene: &Scene, draft: &Draft, old: &Session) -> Result<bool> {
    work.tx.savepoint().await?;
    placement::release(&mut work.tx, old.id).await?;
    // First the old one, which gives up its number in a series.
    session::update(&mut work.tx, old, Instant(work.now)).await?;
    match scene.write(work, draft).await {
        Ok(()) => Ok(true),
        Err(Error::Unavailable(store::Error::Conflict)) => {
            work.tx.undo().await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
