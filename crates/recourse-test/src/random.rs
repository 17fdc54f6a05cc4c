//! [`SeededRandom`]: random numbers that a failing test can be run with again.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Random numbers from a fixed seed. When it is dropped by a failing test it prints the seed, with which the same
/// numbers come again.
///
/// ```
/// use recourse_test::SeededRandom;
/// use std::time::Duration;
///
/// let mut random = SeededRandom::new(42);
/// let mut again = SeededRandom::new(random.seed());
/// let range = Duration::from_millis(1)..=Duration::from_millis(5);
/// assert_eq!(random.duration(range.clone()), again.duration(range));
/// ```
pub struct SeededRandom {
    seed: u64,
    numbers: fastrand::Rng,
}

impl SeededRandom {
    /// The numbers of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        SeededRandom { seed, numbers: fastrand::Rng::with_seed(seed) }
    }

    /// Runs `check` with the numbers of each seed, and so names the one that it fails with.
    ///
    /// ```
    /// use recourse_test::SeededRandom;
    ///
    /// SeededRandom::each(0..100, |random| assert!(random.number(1..=6) <= 6));
    /// ```
    pub fn each(seeds: impl IntoIterator<Item = u64>, mut check: impl FnMut(&mut SeededRandom)) {
        for seed in seeds {
            check(&mut SeededRandom::new(seed));
        }
    }

    /// The seed.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A number of this range, each as likely as the others.
    ///
    /// # Panics
    ///
    /// If the range is empty.
    #[track_caller]
    pub fn number(&mut self, range: RangeInclusive<u64>) -> u64 {
        assert!(!range.is_empty(), "no number can be picked from the empty range {range:?}");
        self.numbers.u64(range)
    }

    /// A duration of this range, to the nanosecond. Both ends are cut to 584 years.
    ///
    /// # Panics
    ///
    /// If the range is empty.
    #[track_caller]
    pub fn duration(&mut self, range: RangeInclusive<Duration>) -> Duration {
        assert!(!range.is_empty(), "no duration can be picked from the empty range {range:?}");
        let nanos = |end: &Duration| u64::try_from(end.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.number(nanos(range.start())..=nanos(range.end())))
    }

    /// `true` with this probability: 0 is never, 1 is always.
    ///
    /// # Panics
    ///
    /// If the probability is not in 0 ..= 1.
    #[track_caller]
    pub fn chance(&mut self, probability: f64) -> bool {
        assert!(
            (0.0..=1.0).contains(&probability),
            "probability = {probability} is not allowed: it must be in 0 ..= 1"
        );
        self.numbers.f64() < probability
    }

    /// One of these, each as likely as the others.
    ///
    /// # Panics
    ///
    /// If there are none.
    #[track_caller]
    pub fn pick<'a, V>(&mut self, from: &'a [V]) -> &'a V {
        assert!(!from.is_empty(), "nothing can be picked from an empty slice");
        &from[self.numbers.usize(..from.len())]
    }
}

impl Drop for SeededRandom {
    #[expect(clippy::print_stderr, reason = "a failing test must tell its seed")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("note: the random numbers were those of SeededRandom::new({})", self.seed);
        }
    }
}

impl fmt::Debug for SeededRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeededRandom").field("seed", &self.seed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    fn draw(random: &mut SeededRandom) -> (u64, Duration, bool, char) {
        let range = Duration::from_millis(1)..=Duration::from_millis(9);
        (
            random.number(0..=u64::MAX),
            random.duration(range),
            random.chance(0.5),
            *random.pick(&['a', 'b', 'c']),
        )
    }

    #[test]
    fn one_seed_gives_the_same_numbers_again_and_another_one_others() {
        let first = draw(&mut SeededRandom::new(42));
        assert_eq!(first, draw(&mut SeededRandom::new(42)));
        assert_ne!(first, draw(&mut SeededRandom::new(43)));
    }

    #[test]
    fn numbers_stay_in_their_range() {
        SeededRandom::each(0..200, |random| {
            let (_, duration, _, letter) = draw(random);
            assert!((1..=9).contains(&duration.as_millis()) && ('a'..='c').contains(&letter));
            assert!(random.chance(1.0) && !random.chance(0.0));
            assert_eq!(random.number(7..=7), 7);
            assert!(random.duration(Duration::ZERO..=Duration::MAX) <= Duration::from_nanos(u64::MAX));
        });
    }

    #[test]
    fn bad_arguments_are_refused_with_what_is_allowed() {
        let message = |ask: fn(&mut SeededRandom)| {
            let panic = catch_unwind(|| ask(&mut SeededRandom::new(1))).expect_err("it must be refused");
            match panic.downcast::<String>() {
                Ok(text) => *text,
                Err(panic) => panic.downcast_ref::<&str>().map(ToString::to_string).unwrap_or_default(),
            }
        };
        assert_eq!(
            message(|random| _ = random.chance(f64::NAN)),
            "probability = NaN is not allowed: it must be in 0 ..= 1"
        );
        #[allow(clippy::reversed_empty_ranges)]
        let empty = message(|random| _ = random.number(2..=1));
        assert_eq!(empty, "no number can be picked from the empty range 2..=1");
        assert_eq!(
            message(|random| _ = random.duration(Duration::MAX..=Duration::ZERO)).split(" range").next(),
            Some("no duration can be picked from the empty")
        );
        assert_eq!(message(|random| _ = random.pick::<u8>(&[])), "nothing can be picked from an empty slice");
    }
}
