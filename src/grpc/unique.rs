//! Names that nothing else has, for finding something again in the log.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// One that no other process, and nothing else in this one, has.
pub(super) fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("process"));
    format!("{:016x}-{:x}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed))
}
