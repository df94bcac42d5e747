//! Cancels a session before it starts, and frees its time.

use uuid::Uuid;

use crate::domain::directory::Site;
use crate::domain::ids::{Id, SessionId};
use crate::domain::session::{CancelReason, Session};
use crate::domain::waitlist::Freeing;
use crate::store::noun::Stored;
use crate::store::{Lock, placement, session};
use crate::usecase::error::Result;
use crate::usecase::link;
use crate::usecase::session::{WORD, find, hold, open, refused};
use crate::usecase::waitlist;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

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
        // The site's gap must not change while its presence goes.
        if let Some(site_id) = seen.place.site_id() {
            Site::find(&mut work.tx, site_id, Lock::Share).await?;
        }
        link::lock_linked_sessions(work, &seen.clients()).await?;
        let session = open(work, self.session_id, self.version, Lock::Update).await?;
        let session = session.cancel(work.now, self.reason).map_err(refused)?;
        session::update(&mut work.tx, &session).await?;
        placement::release(&mut work.tx, session.id).await?;
        link::settle_all(work, &session.clients()).await?;
        waitlist::freed(work, &session, Freeing::Cancelled).await?;
        Ok(session)
    }

    fn result_id(&self, answer: &Session) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Session> {
        find(work, SessionId(result_id), Lock::None).await
    }
}
