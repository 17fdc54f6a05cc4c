//! [`Glance`]: what a breaker would answer, for whoever looks before asking.

use crate::sync::{AtomicU64, Ordering};

/// A word in which a breaker shows that its circuit is closed: whoever reads it need not ask.
///
/// Nearly every attempt finds a circuit closed, and nearly every one of a healthy side has nothing to tell it. A breaker
/// that [gives its glance away](super::CircuitBreaker::glance) is spared those questions: looking is one load.
///
/// What is shown must be what [`admit`](super::CircuitBreaker::admit) and [`report`](super::CircuitBreaker::report) would
/// do, at the latest when the method returns that changed it. A breaker that shows it under the lock of its state sees to
/// that. Looking and showing are `Acquire` and `Release`.
///
/// ```
/// use recourse_core::Glance;
///
/// let glance = Glance::new();
/// assert!(!glance.look().admits()); // ask
/// glance.show_healthy(7);
/// let shown = glance.look();
/// assert!(shown.admits() && shown.ignores_success() && shown.generation() == 7);
/// glance.show_closed(8); // a failure was counted, and a success would be the end of that
/// let shown = glance.look();
/// assert!(shown.admits() && !shown.ignores_success() && shown.generation() == 8);
/// ```
#[derive(Debug)]
pub struct Glance {
    /// The generation, and below it the bits.
    word: AtomicU64,
}

/// Attempts have to ask.
const ASKS: u64 = 1;
/// Successes have to be told.
const HEARS: u64 = 2;
const BITS: u32 = 2;

impl Glance {
    /// One that shows nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Glance { word: AtomicU64::new(ASKS | HEARS) }
    }

    /// The circuit is closed and admits every attempt with [`Ticket::normal`](super::Ticket::normal) of this generation,
    /// without a transition. Each is told how it ends.
    pub fn show_closed(&self, generation: u64) {
        self.show(generation, HEARS);
    }

    /// The same, and a report of [`Health::Up`](crate::Health::Up) would change nothing, whatever its ticket: nobody has to
    /// make it.
    pub fn show_healthy(&self, generation: u64) {
        self.show(generation, 0);
    }

    /// Every attempt has to ask, and is told how it ends.
    pub fn show_nothing(&self) {
        self.word.store(ASKS | HEARS, Ordering::Release);
    }

    fn show(&self, generation: u64, bits: u64) {
        match generation.leading_zeros() >= BITS {
            true => self.word.store(generation << BITS | bits, Ordering::Release),
            false => self.show_nothing(),
        }
    }

    /// Looks.
    #[must_use]
    #[inline]
    pub fn look(&self) -> Shown {
        Shown(self.word.load(Ordering::Acquire))
    }
}

/// What a look at a [`Glance`] has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown(u64);

impl Shown {
    /// Whether every attempt is admitted, with a normal ticket of [this generation](Self::generation).
    #[must_use]
    #[inline]
    pub const fn admits(self) -> bool {
        self.0 & ASKS == 0
    }

    /// Whether a success may go untold.
    #[must_use]
    #[inline]
    pub const fn ignores_success(self) -> bool {
        self.0 & HEARS == 0
    }

    /// The generation; 0 where nothing is shown.
    #[must_use]
    #[inline]
    pub const fn generation(self) -> u64 {
        self.0 >> BITS
    }
}

impl Default for Glance {
    fn default() -> Self {
        Glance::new()
    }
}

#[cfg(all(test, not(recourse_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_generation_that_has_no_room_shows_nothing() {
        let glance = Glance::default();
        let last = u64::MAX >> BITS;
        glance.show_healthy(last);
        assert_eq!((glance.look().admits(), glance.look().generation()), (true, last));
        glance.show_healthy(last + 1);
        assert_eq!(glance.look(), Glance::new().look());
    }
}
