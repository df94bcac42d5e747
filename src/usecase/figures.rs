//! What whoever keeps the service running looks at: how much waits, for how long, and how busy this process is. Counts and
//! times alone, of everybody together: nothing about anybody.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::timeout;

use super::error::Result;
use super::world::World;
use crate::chain::chain;
use crate::store::codec::Instant;
use crate::store::db::Load;
use crate::store::{Db, figures};

pub use crate::store::figures::Backlog;

/// So long after its end, somebody should have recorded who attended a session. \[P\]
const RECORDED_WITHIN: TimeDelta = TimeDelta::days(1);

/// How long they may take; whoever asks waits some ten seconds. \[P\]
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Figures of one instant.
#[derive(Clone, Debug)]
pub struct Figures {
    /// The instant.
    pub now: DateTime<Utc>,
    /// Calls that are being answered.
    pub calls: usize,
    /// How busy the connections to the database are.
    pub load: Load,
    /// What waits in the database; none when it did not answer.
    pub backlog: Option<Backlog>,
}

/// Reads them. A database that does not answer is a figure too.
pub async fn read(world: &World) -> Figures {
    let now = world.now();
    let backlog = match timeout(ANSWERS_WITHIN, read_backlog(world.db(), now)).await {
        Ok(Ok(backlog)) => Some(backlog),
        Ok(Err(error)) => {
            tracing::warn!(error = %chain(&error), "no figures of the database");
            None
        }
        Err(_) => {
            tracing::warn!("no figures of the database: it does not answer");
            None
        }
    };
    Figures { now, calls: world.calls(), load: world.db().load(), backlog }
}

/// Counts what waits in a database.
pub async fn read_backlog(db: &Db, now: DateTime<Utc>) -> Result<Backlog> {
    let mut tx = db.read_once().await?;
    Ok(figures::backlog(&mut tx, Instant(now), Instant(now - RECORDED_WITHIN)).await?)
}

/// When something happened last.
pub async fn last_event(db: &Db) -> Result<Option<DateTime<Utc>>> {
    Ok(figures::last_event(&mut db.read_once().await?).await?)
}

impl Figures {
    /// For how long something has been waiting, in seconds; 0 when nothing waits.
    pub fn since(&self, at: Option<DateTime<Utc>>) -> f64 {
        at.map_or(0.0, |at| (self.now - at).max(TimeDelta::zero()).as_seconds_f64())
    }
}
