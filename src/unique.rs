//! Names that nothing else has, for finding something again in logs and traces.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// That of this process.
pub fn process() -> String {
    static NAME: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one("process"));
    format!("{:016x}", *NAME)
}

/// One that no other process, and nothing else in this one, has.
pub fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("{}-{:x}", process(), COUNT.fetch_add(1, Ordering::Relaxed))
}
