//! Makes copies of an SQLite installation when it is time. One in every process that serves one; whoever comes first does
//! it for all.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::chore::chore;
use crate::chain::chain;
use crate::usecase::World;
use crate::usecase::backup::{Backup, Taken, take_if_due};

/// How often it looks whether it is time. \[P\]
const LOOKS_EVERY: Duration = Duration::from_secs(60);
/// How long it waits after a failure, of which a person has to hear. \[P\]
const FAILED_FOR: Duration = Duration::from_secs(15 * 60);

/// The backups of a process.
#[derive(Debug)]
pub struct Backups(JoinHandle<()>);

impl Backups {
    /// Starts them.
    pub fn start(world: &World, wanted: Backup) -> Self {
        let world = world.clone();
        Self(chore("the backups", move || run(world.clone(), wanted.clone())))
    }
}

impl Drop for Backups {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn run(world: World, wanted: Backup) {
    let mut wait = LOOKS_EVERY;
    loop {
        sleep(wait).await;
        wait = LOOKS_EVERY;
        match take_if_due(&wanted, world.now()).await {
            Ok(None) => {}
            Ok(Some(taken)) => tell(&taken),
            Err(error) => {
                tracing::error!(error = %chain(&error), "no backup could be made");
                wait = FAILED_FOR;
            }
        }
    }
}

fn tell(taken: &Taken) {
    let Some(data) = &taken.data else { return };
    tracing::info!(file = %data.file.display(), bytes = data.bytes, removed = taken.removed, "backup made");
    for fault in &data.trail.faults {
        tracing::error!(%fault, "the audit trail is not whole");
    }
}
