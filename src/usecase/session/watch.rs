//! Watches the sessions of an organisation; counsellors see their own, and are told when one is not theirs any more.

use std::collections::{BTreeSet, HashMap};

use super::read::topic;
use crate::domain::feed::SessionNote;
use crate::domain::ids::{CounsellorId, SessionId};
use crate::domain::session::Session;
use crate::store::feed::Entry;
use crate::store::session;
use crate::usecase::call::Call;
use crate::usecase::error::Result;
use crate::usecase::feed::{Follower, View, Watcher};
use crate::usecase::world::World;

/// A session that changed.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which version it got by that; it may have changed again since.
    pub version: i64,
    /// What the caller sees of it.
    pub seen: Seen,
}

/// What a caller sees of a session that changed.
#[derive(Clone, Debug)]
pub enum Seen {
    /// The session, as it now stands.
    Now(Box<Session>),
    /// The caller does not lead it any more, and is told nothing else about it.
    Left(SessionId),
}

/// The sessions that a caller sees.
#[derive(Clone, Copy, Debug)]
pub struct Own(Option<CounsellorId>);

/// Watches sessions from a cursor on, or from now on when there is none.
pub async fn watch_sessions(world: &World, call: &Call, cursor: &str) -> Result<Watcher<Own>> {
    let follower = Follower::open(world, call, topic(call)?, cursor).await?;
    Ok(Watcher::new(follower, Own(call.caller().authority.counsellor_id())))
}

impl View for Own {
    type Item = Change;

    async fn view(&self, world: &World, entries: &[Entry]) -> Result<Vec<(i64, Change)>> {
        let ids: BTreeSet<SessionId> = entries.iter().map(|it| SessionId(it.aggregate_id)).collect();
        let mut tx = world.db().begin_read().await?;
        let sessions = session::by_ids(&mut tx, &ids.into_iter().collect::<Vec<_>>()).await?;
        let sessions: HashMap<SessionId, Session> = sessions.into_iter().map(|it| (it.id, it)).collect();
        let change = |entry: &Entry| {
            let session = sessions.get(&SessionId(entry.aggregate_id))?;
            let change = Change { version: entry.version, seen: self.sees(session, entry)? };
            Some((entry.position, change))
        };
        Ok(entries.iter().filter_map(change).collect())
    }
}

impl Own {
    /// What is seen of a session. Whoever led it until this change hears that this is over, even if that is long ago
    /// by now; whoever leads it again sees it.
    fn sees(self, session: &Session, entry: &Entry) -> Option<Seen> {
        match self.0 {
            Some(own) if !session.is_led_by(own) => {
                let left = note(entry).left.contains(&own);
                left.then_some(Seen::Left(session.id))
            }
            _ => Some(Seen::Now(Box::new(session.clone()))),
        }
    }
}

/// What was noted with a change. What another version of this program noted and this one cannot read is nothing.
fn note(entry: &Entry) -> SessionNote {
    entry.payload().and_then(|payload| serde_json::from_value(payload.clone()).ok()).unwrap_or_default()
}
