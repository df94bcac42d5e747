//! What a process does all the time, whatever becomes of it once.

use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

/// How long it waits after a panic, of which a person has to hear. \[P\]
const FAILED_FOR: Duration = Duration::from_secs(1);

/// Runs to the end of `run`, and from the beginning again when that panics; ends with the handle's abortion.
pub(super) fn chore<F>(name: &'static str, run: impl Fn() -> F + Send + 'static) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(async move {
        loop {
            // A task of its own, so that a panic ends there; it ends with this one.
            let mut running = JoinSet::new();
            running.spawn(run());
            match running.join_next().await {
                Some(Err(error)) if error.is_panic() => tracing::error!(name, "panicked, and begins again"),
                _ => return,
            }
            sleep(FAILED_FOR).await;
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn whoever_panics_begins_again() {
        let times = Arc::<AtomicU32>::default();
        let counted = times.clone();
        let running = chore("test", move || {
            let time = counted.fetch_add(1, Ordering::SeqCst);
            async move { assert!(time >= 2, "the first two times") }
        });
        running.await.unwrap();
        assert_eq!(times.load(Ordering::SeqCst), 3);
    }
}
