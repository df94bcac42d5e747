//! Randomness. Nothing but [`SeededRng::from_system`] asks the machine for it.

use std::fmt::Debug;
use std::sync::Mutex;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng};

/// Gives random bytes, good enough for keys.
pub trait Rng: Debug + Send + Sync {
    /// Fills a buffer.
    fn fill(&self, bytes: &mut [u8]);
}

/// A generator seeded once: by the machine in service, by a number in tests.
#[derive(Debug)]
pub struct SeededRng(Mutex<StdRng>);

impl SeededRng {
    /// A generator that nobody can predict.
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the machine for randomness")]
    pub fn from_system() -> Self {
        Self(Mutex::new(rand::make_rng()))
    }

    /// A generator that gives the same bytes for the same seed.
    pub fn from_seed(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).fill_bytes(bytes);
    }
}
