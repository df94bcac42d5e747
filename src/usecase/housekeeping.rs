//! Throws away what is no longer needed.

use chrono::TimeDelta;

use super::error::Result;
use super::session;
use super::world::World;
use crate::store::codec::Instant;
use crate::store::request;

/// How long a repeated request still finds the first.
const REQUESTS_KEPT_FOR: TimeDelta = TimeDelta::days(7);

/// Forgets requests that are too old to be repeated.
pub async fn run(world: &World) -> Result<()> {
    let mut tx = world.db().begin_write().await?;
    let forgotten = request::forget(&mut tx, Instant(world.now() - REQUESTS_KEPT_FOR)).await?;
    tx.commit().await?;
    session::forget_expired(world).await?;
    tracing::debug!(forgotten, "old request ids forgotten");
    Ok(())
}
