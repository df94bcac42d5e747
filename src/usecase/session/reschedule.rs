//! Moves a session: a new one takes the place of the old, and each knows of the other.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::place::{Draft, LOOKS, Scene, crowded};
use super::{find, hold, open, refused};
use crate::domain::ids::{CounsellorId, GuardianId, Id, SessionId};
use crate::domain::place::WantedPlace;
use crate::domain::rules::Occasion;
use crate::domain::session::{CancelReason, Override, Session, Wanted};
use crate::domain::time::Span;
use crate::store::{self, Lock, Savepoint, placement, session};
use crate::usecase::error::{Error, Result};
use crate::usecase::link;
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
        let client_id = open(work, self.session_id, self.version, Lock::None).await?.client_id;
        // Clients before sessions: the order in which a late link locks them too.
        link::lock_around(work, &[client_id], None).await?;
        // Who has moved it meanwhile must not look like somebody else in the way.
        let seen = open(work, self.session_id, self.version, Lock::None).await?;
        let wanted = self.wanted(&seen)?;
        let scene = wanted.scene(work).await?;
        link::lock_linked_sessions(work, client_id).await?;
        for _ in 0..LOOKS {
            let mut draft = wanted.judge(work, &scene, Some(seen.id), Occasion::Placing).await?;
            draft.session.supersedes = Some(seen.id);
            let old = open(work, self.session_id, self.version, Lock::Update).await?;
            let old = old.reschedule(work.now, self.reason, draft.session.id).map_err(refused)?;
            if replace(work, &scene, &draft, &old).await? {
                work.touched(draft.session.id.uuid());
                link::settle_all(work, old.client_id).await?;
                let new = find(work, draft.session.id, Lock::None).await?;
                return Ok((new, old));
            }
        }
        Err(crowded())
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
    fn wanted(&self, old: &Session) -> Result<Wanted> {
        // Another room may be the free one at another time.
        let stay = match WantedPlace::from(old.place) {
            WantedPlace::Venue(venue_id, _) => WantedPlace::Venue(venue_id, None),
            WantedPlace::Remote => WantedPlace::Remote,
        };
        let span = Span::lasting(self.starts_at, self.length.unwrap_or(old.span.length()));
        Ok(Wanted {
            client_id: old.client_id,
            counsellor_id: self.counsellor_id.unwrap_or(old.counsellor_id),
            service: old.service,
            place: self.place.unwrap_or(stay),
            span: span.ok_or_else(|| Error::field("starts_at", "must be an instant that a session can have"))?,
            guardian_id: self.guardian_id.or(old.guardian_id),
            interpreter: self.interpreter.unwrap_or(old.interpreter),
            overrides: self.overrides.clone(),
        })
    }
}

/// Puts the new session where the old one was; false when somebody was faster.
async fn replace(work: &mut Work<'_>, scene: &Scene, draft: &Draft, old: &Session) -> Result<bool> {
    work.tx.savepoint(Savepoint::Unit).await?;
    placement::release(&mut work.tx, old.id).await?;
    let written = session::insert(&mut work.tx, &draft.session).await.map_err(Error::from);
    let taken = match written {
        Ok(()) => scene.take(work, &draft.session).await,
        error => error,
    };
    match taken {
        Ok(()) => {
            session::update(&mut work.tx, old).await?;
            draft.note(work).await?;
            work.tx.release(Savepoint::Unit).await?;
            Ok(true)
        }
        Err(Error::Unavailable(store::Error::Conflict)) => {
            work.tx.rollback_to(Savepoint::Unit).await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
