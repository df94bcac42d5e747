//! The pump of the feed: gives what was committed its place in the order, and wakes those who follow. One in
//! every process, beside its workers; whoever comes first does it for all.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::chore::chore;
use crate::chain::chain;
use crate::usecase::{World, feed};

/// How often it looks for what other processes committed or ordered. \[P\]
const LOOKS_EVERY: Duration = Duration::from_millis(250);
/// For how long it lets commits of this process gather before it orders them, so that a busy SQLite has its one
/// writer for them. \[P\]
const GATHERS_FOR: Duration = Duration::from_millis(10);

/// The pump of a process.
#[derive(Debug)]
pub struct Pump {
    task: JoinHandle<()>,
    tell: watch::Sender<()>,
}

impl Pump {
    /// Starts it.
    pub fn start(world: &World) -> Self {
        let (tell, told) = watch::channel(());
        let world = world.clone();
        Self { task: chore("the pump of the feed", move || pump(world.clone(), told.clone())), tell }
    }

    /// Orders what is left, within a limit; what is not ordered then is by whoever comes next.
    pub async fn drain(self, within: Duration) {
        let Self { mut task, tell } = self;
        drop(tell);
        if timeout(within, &mut task).await.is_err() {
            tracing::warn!("the feed was not ordered to its end within the limit");
            task.abort();
        }
    }
}

/// Pumps until whoever holds the other end of `told` lets go of it, and then what is left.
async fn pump(world: World, mut told: watch::Receiver<()>) {
    let mut seen = 0;
    loop {
        let last = told.has_changed().is_err();
        // From here on, so that nothing committed after the look is missed.
        let committed = world.committed();
        match feed::turn(&world, seen).await {
            Ok((generation, more)) => {
                seen = generation;
                if more {
                    continue;
                }
            }
            Err(error) => tracing::warn!(error = %chain(&error), "the feed"),
        }
        if last {
            return;
        }
        tokio::select! {
            () = committed => sleep(GATHERS_FOR).await,
            () = sleep(LOOKS_EVERY) => {}
            _ = told.changed() => {}
        }
    }
}
