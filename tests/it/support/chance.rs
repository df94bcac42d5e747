//! Chance that a test decides.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use aftercare::rng::{Rng, SeededRng};

/// Randomness that a test can begin anew, so that two services draw alike from there on.
#[derive(Debug)]
pub struct Chance(Mutex<SeededRng>);

impl Chance {
    pub fn of(seed: u64) -> Arc<Self> {
        Arc::new(Self(Mutex::new(SeededRng::from_seed(seed))))
    }

    /// As no other service has it.
    pub fn next() -> Arc<Self> {
        static SEED: AtomicU64 = AtomicU64::new(1);
        Self::of(SEED.fetch_add(1, Ordering::Relaxed))
    }

    /// As it is in the field.
    pub fn of_machine() -> Arc<Self> {
        Arc::new(Self(Mutex::new(SeededRng::from_system())))
    }

    /// What is drawn next is what this seed gives.
    pub fn begin(&self, seed: u64) {
        *self.0.lock().unwrap() = SeededRng::from_seed(seed);
    }
}

impl Rng for Chance {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap().fill(bytes);
    }
}
