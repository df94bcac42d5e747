//! The feed: gives what was committed its place in the order of its topic, and lets others follow.
//!
//! Ids and instants are given before a commit, so a cursor over them would skip whoever commits late. A change
//! is noted in its transaction ([`crate::store::feed::note`]); one process at a time moves what is committed into
//! the order, under the lock of one row.

mod cursor;
mod follow;
mod tide;
mod watch;

pub use cursor::{cursor, position};
pub use follow::Follower;
pub use tide::Tide;
pub use watch::{Message, View, Watcher};

use std::future::Future;

use super::error::Result;
use super::work::Work;
use super::world::World;
use crate::domain::feed::KEPT_FOR;
use crate::store::codec::Instant;
use crate::store::feed;

/// How many changes get their positions in one transaction, so that nobody waits long for SQLite's one
/// writer. \[P\]
const MOST: i64 = 200;

/// Gives what is committed its positions: of one aggregate in the order of versions, otherwise the oldest
/// first. Whether there may be more.
pub async fn sequence(world: &World) -> Result<bool> {
    let mut tx = world.db().begin_alone().await?;
    let moved = feed::sequence(&mut tx, MOST, Instant(world.now())).await?;
    tx.commit().await?;
    Ok(i64::try_from(moved).is_ok_and(|moved| moved == MOST))
}

/// Looks whether something waits for its position, and gives it; then tells those who follow in this process how
/// far the topics have come since a generation, whoever moved them. The generation it has seen, and whether there
/// may be more to do.
pub async fn turn(world: &World, seen: i64) -> Result<(i64, bool)> {
    // Looks before it asks for the one writer of SQLite.
    let mut tx = world.db().read_once().await?;
    let pending = feed::head(&mut tx).await?.pending;
    drop(tx);
    let more = pending && sequence(world).await?;
    let mut tx = world.db().begin_read().await?;
    let generation = feed::head(&mut tx).await?.generation;
    if generation != seen {
        let moved = feed::moved(&mut tx, seen).await?;
        world.tide().rise(moved);
    }
    Ok((generation, more))
}

/// Forgets what was kept for long enough.
pub(super) async fn forget(work: &mut Work<'_>) -> Result<u64> {
    Ok(feed::forget(&mut work.tx, Instant(work.now - KEPT_FOR)).await?)
}

/// Does something to its end whether or not anybody asks for it meanwhile: a stream is not asked for its next message
/// while its reader does not read, and must keep no connection to the database until then.
async fn apart<T: Send + 'static>(it: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(it).await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}
