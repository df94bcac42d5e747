//! The watchman: sees to it that this process knows what another one has revoked. One in every process that serves.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::chore::chore;
use crate::chain::chain;
use crate::usecase::{World, register};

/// How often it looks. A revocation holds in every process within five seconds, as long as the database answers: this
/// and what reading takes. \[P\]
const LOOKS_EVERY: Duration = Duration::from_secs(2);

/// For how long it waits for the database, before it asks over another connection. \[P\]
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// The watchman of a process.
#[derive(Debug)]
pub struct Watchman(JoinHandle<()>);

impl Watchman {
    /// Starts it.
    pub fn start(world: &World) -> Self {
        let world = world.clone();
        Self(chore("the watchman", move || watch(world.clone())))
    }
}

impl Drop for Watchman {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn watch(world: World) {
    loop {
        match timeout(ANSWERS_WITHIN, register::refresh(&world)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = %chain(&error), "revocations"),
            Err(_) => tracing::warn!("revocations: the database does not answer"),
        }
        sleep(LOOKS_EVERY).await;
    }
}
