//! Random numbers for jitter: seeded per executor.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// A seeded sequence that an executor's calls share, without a lock. It is asked only when a backoff is drawn.
///
/// Each number is the first of a generator that is seeded with the next step of a Weyl sequence (G. Marsaglia, "Xorshift
/// RNGs", 2003, section 2.4): an odd step visits every seed before one comes again.
#[derive(Debug)]
pub(crate) struct Random(AtomicU64);

/// 2^64 divided by the golden ratio, made odd: steps of it spread evenly.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// From a seed, or from the operating system's entropy: processes that start together must not draw alike.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Random(AtomicU64::new(seed.unwrap_or_else(|| RandomState::new().hash_one(0u8))))
    }

    /// A number, uniform over all of `u64`.
    pub(crate) fn draw(&self) -> u64 {
        fastrand::Rng::with_seed(self.0.fetch_add(STEP, Ordering::Relaxed)).u64(..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_evenly_and_a_seed_repeats_them() {
        const DRAWS: u32 = 64_000;
        const BINS: usize = 64;
        for seed in 0..8 {
            let (random, again) = (Random::new(Some(seed)), Random::new(Some(seed)));
            let mut bins = [0u32; BINS];
            for _ in 0..DRAWS {
                let drawn = random.draw();
                assert_eq!(drawn, again.draw());
                bins[(drawn >> 58) as usize] += 1;
            }
            let expected = f64::from(DRAWS) / BINS as f64;
            let chi: f64 = bins.iter().map(|&n| (f64::from(n) - expected).powi(2) / expected).sum();
            // 63 degrees of freedom: 99.99 in 100 fair sequences are below 115.
            assert!(chi < 115.0, "seed {seed}: {chi}");
        }
    }
}
