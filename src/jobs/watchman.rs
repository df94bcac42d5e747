//! The watchman: sees to it that this process knows what another one has revoked. One in every process that serves.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::chain::chain;
use crate::usecase::{World, register};

/// How often it looks. A revocation holds in every process within five seconds, as long as the database answers: this
/// and what reading takes. \[P\]
const LOOKS_EVERY: Duration = Duration::from_secs(2);

/// The watchman of a process.
#[derive(Debug)]
pub struct Watchman(JoinHandle<()>);

impl Watchman {
    /// Starts it.
    pub fn start(world: &World) -> Self {
        Self(tokio::spawn(watch(world.clone())))
    }
}

impl Drop for Watchman {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn watch(world: World) {
    loop {
        if let Err(error) = register::refresh(&world).await {
            tracing::warn!(error = %chain(&error), "revocations");
        }
        sleep(LOOKS_EVERY).await;
    }
}
