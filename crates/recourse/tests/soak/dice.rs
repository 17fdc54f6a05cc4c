//! [`Dice`]: the random numbers of a world, shared by all that is in it.

use recourse_test::SeededRandom;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Random numbers from the world's seed. Clones draw from the same sequence.
#[derive(Clone, Debug)]
pub(crate) struct Dice(Arc<Mutex<SeededRandom>>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Dice(Arc::new(Mutex::new(SeededRandom::new(seed))))
    }

    fn with<R>(&self, draw: impl FnOnce(&mut SeededRandom) -> R) -> R {
        draw(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From 0 to below `below`.
    pub(crate) fn below(&self, below: usize) -> usize {
        self.number(0, below as u64 - 1) as usize
    }

    pub(crate) fn number(&self, from: u64, to: u64) -> u64 {
        self.with(|random| random.number(from..=to))
    }

    pub(crate) fn small(&self, from: u32, to: u32) -> u32 {
        self.number(u64::from(from), u64::from(to)) as u32
    }

    pub(crate) fn chance(&self, probability: f64) -> bool {
        self.with(|random| random.chance(probability))
    }

    pub(crate) fn pick<V: Copy>(&self, from: &[V]) -> V {
        self.with(|random| *random.pick(from))
    }

    pub(crate) fn ms(&self, from: u64, to: u64) -> Duration {
        Duration::from_millis(self.number(from, to))
    }
}
