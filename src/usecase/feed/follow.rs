//! Follows a topic from a position on, in order and without gaps.

use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::time::timeout;

use super::apart;
use super::cursor::position;
use super::tide::Level;
use crate::domain::access::Caller;
use crate::domain::feed::Topic;
use crate::store::Tx;
use crate::store::feed::{self, Entry};
use crate::usecase::call::{self, Call};
use crate::usecase::error::{Error, Result};
use crate::usecase::limit::OpenStream;
use crate::usecase::world::World;

/// How many changes are read at once: what somebody who reads slowly costs. \[P\]
const BATCH: usize = 100;
/// How often somebody who waits looks whether it may go on. \[P\]
const LOOKS_EVERY: Duration = Duration::from_secs(1);

/// Follows a topic for a call, at the pace of who reads, for as long as the caller's token is good and the
/// process does not end. A revocation ends it too.
#[derive(Debug)]
pub struct Follower {
    world: World,
    topic: Topic,
    name: String,
    caller: Caller,
    _open: OpenStream,
    at: i64,
    level: Receiver<Level>,
    behind: bool,
}

impl Follower {
    /// Follows from a cursor on, or from now on when there is none. FAILED_PRECONDITION, CURSOR_EXPIRED, when
    /// what came after the cursor is not kept any more; RESOURCE_EXHAUSTED, TOO_MANY_STREAMS, when the caller has as many
    /// open as one may.
    pub async fn open(world: &World, call: &Call, topic: Topic, cursor: &str) -> Result<Self> {
        let open = match world.limits().open_stream(call.caller()) {
            Err(refusal) => return Err(call::overdone(world, call, refusal).await?),
            Ok(open) => open,
        };
        let at = match cursor {
            "" => None,
            cursor => Some(position(world, &topic, cursor)?),
        };
        let level = world.tide().watch();
        let mut tx = world.db().begin_read().await?;
        let at = match at {
            Some(at) => {
                whole(&mut tx, &topic, at, 1).await?;
                at
            }
            None => feed::last(&mut tx, &topic).await?,
        };
        let (name, caller) = (topic.to_string(), call.caller().clone());
        Ok(Self { world: world.clone(), topic, name, caller, _open: open, at, level, behind: true })
    }

    /// The world in which it follows.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// What it follows.
    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    /// The position up to which it has read.
    pub fn at(&self) -> i64 {
        self.at
    }

    /// Says why it is over, if it is: the caller's token, or the process.
    pub fn may_go_on(&self) -> Result<()> {
        if self.level.borrow().ended {
            return Err(Error::Ending);
        }
        let now = self.world.now();
        match self.caller.until {
            Some(until) if now >= until => Err(Error::Unauthenticated),
            _ if !self.world.register().still(&self.caller, now) => Err(Error::Unauthenticated),
            _ => Ok(()),
        }
    }

    /// The next changes, in order; none when there is nothing new. The database is asked only when there may be.
    pub async fn read(&mut self) -> Result<Vec<Entry>> {
        let news = self.level.borrow_and_update().of(&self.name) > self.at;
        if !news && !self.behind {
            return Ok(Vec::new());
        }
        let (world, topic, at) = (self.world.clone(), self.topic.clone(), self.at);
        let read = async move {
            let mut tx = world.db().begin_read().await?;
            whole(&mut tx, &topic, at, BATCH).await
        };
        let entries = apart(read).await?;
        self.at = entries.last().map_or(self.at, |last| last.position);
        self.behind = entries.len() == BATCH;
        Ok(entries)
    }

    /// Waits until there may be something new, or it is time to look whether this may go on.
    pub async fn wait(&mut self) {
        // Whoever ends the wait, time or tide, is nothing to act on: the next look says what there is.
        let _ = timeout(LOOKS_EVERY, self.level.changed()).await;
    }
}

/// What comes after a position, without a gap: what is missing was forgotten, or the database is an older one than
/// the cursor is from.
async fn whole(tx: &mut Tx, topic: &Topic, after: i64, most: usize) -> Result<Vec<Entry>> {
    let entries = feed::after(tx, topic, after, i64::try_from(most).unwrap_or(i64::MAX)).await?;
    let mut positions = entries.iter().map(|it| it.position).zip(after + 1..);
    let dense = positions.all(|(position, expected)| position == expected);
    if dense && (!entries.is_empty() || feed::last(tx, topic).await? == after) {
        return Ok(entries);
    }
    let says = "what came after the cursor is not kept any more: list again, and go on from there";
    Err(Error::Precondition { reason: "CURSOR_EXPIRED", says, subjects: Vec::new() })
}
