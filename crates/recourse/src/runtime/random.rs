//! Random numbers for jitter: seeded per executor.

use parking_lot::Mutex;
use std::hash::{BuildHasher, RandomState};

/// A seeded generator that an executor's calls share. It is asked only when a backoff is drawn.
#[derive(Debug)]
pub(crate) struct Random(Mutex<fastrand::Rng>);

impl Random {
    /// From a seed, or from the operating system's entropy: processes that start together must not draw alike.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(0u8));
        Random(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// A number, uniform over all of `u64`.
    pub(crate) fn draw(&self) -> u64 {
        self.0.lock().u64(..)
    }
}
