//! Cancels a session before it starts, and frees its time.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::domain::directory::Site;
use crate::domain::ids::{Id, SessionId, SiteId};
use crate::domain::session::{CancelReason, Session};
use crate::domain::waitlist::Freeing;
use crate::store::codec::Instant;
use crate::store::noun::Stored;
use crate::store::{Lock, placement, session};
use crate::usecase::attendance::{How, called_off};
use crate::usecase::error::Result;
use crate::usecase::followup;
use crate::usecase::link;
use crate::usecase::session::{WORD, find, hold, open, refused};
use crate::usecase::waitlist;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// Locks the sites of sessions, whose gaps must not change while the presences go.
pub(super) async fn lock_sites(work: &mut Work<'_>, sessions: &[Session]) -> Result<()> {
    let sites: BTreeSet<SiteId> = sessions.iter().filter_map(|it| it.place.site_id()).collect();
    for site_id in sites {
        Site::find(&mut work.tx, site_id, Lock::Share).await?;
    }
    Ok(())
}

/// Cancels a session that is locked with its clients and its site, and gives back what it took. The links of
/// its clients are to be settled afterwards.
pub(super) async fn cancel_locked(work: &mut Work<'_>, session: Session, reason: CancelReason) -> Result<Session> {
    let session = session.cancel(work.now, reason).map_err(refused)?;
    session::update(&mut work.tx, &session, Instant(work.now)).await?;
    placement::release(&mut work.tx, session.id).await?;
    called_off(work, &session, &session.participants, How::Cancelled, reason).await?;
    Ok(session)
}

/// Cancels a session.
#[derive(Clone, Debug)]
pub struct CancelSession {
    /// Which.
    pub session_id: SessionId,
    /// The version last read.
    pub version: i64,
    /// Why.
    pub reason: CancelReason,
}

impl Mutation for CancelSession {
    type Answer = Session;

    async fn before(&self, world: &World) -> Result<()> {
        hold::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Session> {
        work.touched(self.session_id.uuid());
        let seen = find(work, self.session_id, Lock::None).await?;
        work.call.manages(Some(seen.organisation_id), WORD)?;
        // Clients before sessions: the order in which a late link locks them too.
        link::lock_around(work, &seen.clients(), None).await?;
        lock_sites(work, std::slice::from_ref(&seen)).await?;
        link::lock_linked_sessions(work, &seen.clients(), &[]).await?;
        let session = open(work, self.session_id, self.version, Lock::Update).await?;
        let session = cancel_locked(work, session, self.reason).await?;
        link::settle_all(work, &session.clients()).await?;
        waitlist::freed(work, &session, Freeing::Cancelled).await?;
        followup::session_changed(work, &session).await?;
        Ok(session)
    }

    fn result_id(&self, answer: &Session) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Session> {
        find(work, SessionId(result_id), Lock::None).await
    }
}
