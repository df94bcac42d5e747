//! The sealer of the audit trail. One in every process, beside its workers; whoever comes first does it for all.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::chore::chore;
use crate::chain::chain;
use crate::domain::statement::SigningKey;
use crate::usecase::audit;
use crate::usecase::{Error, World};

/// How often it looks for what was committed: how long an event stands unsealed in a quiet service, and how much is
/// sealed at once in a busy one. \[P\]
const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// How long it waits after a failure, of which a person has to hear. \[P\]
const FAILED_FOR: Duration = Duration::from_secs(10);

/// The sealer of a process.
#[derive(Debug)]
pub struct Sealer {
    task: JoinHandle<()>,
    tell: watch::Sender<()>,
}

impl Sealer {
    /// Starts it, with the key of this process.
    pub fn start(world: &World, key: SigningKey) -> Self {
        let (tell, told) = watch::channel(());
        let world = world.clone();
        let run = move || run(audit::Sealer::new(world.clone(), key.clone()), told.clone());
        Self { task: chore("the sealer of the audit trail", run), tell }
    }

    /// Seals what is left, within a limit; what is not sealed then is by whoever comes next.
    pub async fn drain(self, within: Duration) {
        let Self { mut task, tell } = self;
        drop(tell);
        if timeout(within, &mut task).await.is_err() {
            tracing::warn!("the audit trail was not sealed to its end within the limit");
            task.abort();
        }
    }
}

/// Seals until whoever holds the other end of `told` lets go of it, and then what is left.
async fn run(mut sealer: audit::Sealer, mut told: watch::Receiver<()>) {
    loop {
        let last = told.has_changed().is_err();
        let wait = match sealer.turn().await {
            Ok(true) => continue,
            Ok(false) => LOOKS_EVERY,
            // It comes back by itself.
            Err(error @ Error::Unavailable(_)) => {
                tracing::warn!(error = %chain(&error), "the audit trail cannot be sealed now");
                FAILED_FOR
            }
            Err(error) => {
                tracing::error!(error = %chain(&error), "the audit trail cannot be sealed");
                FAILED_FOR
            }
        };
        if last {
            return;
        }
        tokio::select! {
            () = sleep(wait) => {}
            _ = told.changed() => {}
        }
    }
}
