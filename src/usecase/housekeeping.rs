//! Throws away what is no longer needed.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::error::Result;
use super::job::Job;
use super::work::Work;
use super::world::World;
use super::{feed, session};
use crate::store::codec::Instant;
use crate::store::request;

/// How long a repeated request still finds the first.
const REQUESTS_KEPT_FOR: TimeDelta = TimeDelta::days(7);

/// Forgets requests that are too old to be repeated, changes that nobody follows up any more, and holds that keep
/// nothing any more.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct ForgetOld;

impl Job for ForgetOld {
    const KIND: &'static str = "forget_old";
    const EVERY: Option<TimeDelta> = Some(TimeDelta::hours(1));

    async fn before(&self, world: &World) -> Result<()> {
        session::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        let forgotten = request::forget(&mut work.tx, Instant(work.now - REQUESTS_KEPT_FOR)).await?;
        tracing::debug!(forgotten, "old request ids forgotten");
        let forgotten = feed::forget(work).await?;
        tracing::debug!(forgotten, "old changes forgotten");
        Ok(())
    }
}
