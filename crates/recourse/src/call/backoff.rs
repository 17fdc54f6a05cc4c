//! How long to wait before the next attempt: pure, with the random number as an argument.
//!
//! The cap comes first, the jitter after, so a jittered wait neither collapses onto the cap nor exceeds it
//! (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).

use crate::call::decide::nanos;
use recourse_core::Jitter;
use recourse_core::policy::{RetryPolicy, limits};
use std::array;
use std::time::Duration;

/// What a policy says of waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BackoffRules {
    initial: u64,
    max: u64,
    multiplier: f64,
    jitter: Jitter,
    /// The longest waits after the first attempts, so that no call has to work them out.
    capped: [u64; MOST_WAITS],
}

/// Waits of a call, at most.
const MOST_WAITS: usize = limits::MAX_MAX_ATTEMPTS as usize - 1;

impl BackoffRules {
    pub(crate) fn new(retry: &RetryPolicy) -> Self {
        let mut rules = BackoffRules {
            initial: nanos(retry.initial_backoff),
            max: nanos(retry.max_backoff),
            multiplier: retry.backoff_multiplier,
            jitter: retry.jitter,
            capped: [0; MOST_WAITS],
        };
        rules.capped = array::from_fn(|attempt| rules.work_out(u32::try_from(attempt).unwrap_or(u32::MAX)));
        rules
    }

    /// The wait after attempt `attempt` (from 0), in nanoseconds. `before` is the wait before that attempt; `random` gives a number that
    /// is uniform over all of `u64`.
    #[inline(always)]
    pub(crate) fn wait(&self, attempt: u32, before: u64, random: impl FnOnce() -> u64) -> u64 {
        match self.jitter {
            Jitter::None => self.capped(attempt),
            Jitter::Equal => {
                let capped = self.capped(attempt);
                between(capped / 2, capped, random())
            }
            Jitter::Decorrelated => {
                let top = before.max(self.initial).saturating_mul(3).min(self.max).max(self.initial);
                between(self.initial, top, random())
            }
            _ => between(0, self.capped(attempt), random()),
        }
    }

    /// `min(max, initial x multiplier^attempt)`.
    fn capped(&self, attempt: u32) -> u64 {
        match self.capped.get(attempt as usize) {
            Some(capped) => *capped,
            None => self.work_out(attempt),
        }
    }

    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn work_out(&self, attempt: u32) -> u64 {
        let exponent = i32::try_from(attempt).unwrap_or(i32::MAX);
        let grown = self.initial as f64 * self.multiplier.powi(exponent);
        // A float that overflows is infinite, and an infinite one is above the cap.
        if grown >= self.max as f64 { self.max } else { grown as u64 }
    }

    /// The longest wait after attempt `attempt`.
    pub(crate) fn longest(&self, attempt: u32) -> Duration {
        Duration::from_nanos(match self.jitter {
            Jitter::Decorrelated => self.max,
            _ => self.capped(attempt),
        })
    }
}

/// Maps a number that is uniform over all of `u64` onto `[low, high]`.
fn between(low: u64, high: u64, random: u64) -> u64 {
    let span = u128::from(high - low) + 1;
    let scaled = (u128::from(random) * span) >> 64;
    low + u64::try_from(scaled).unwrap_or(high - low)
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(rules: &BackoffRules, attempt: u32, before: Duration, random: u64) -> Duration {
        Duration::from_nanos(rules.wait(attempt, nanos(before), || random))
    }

    use recourse_core::Policy;

    fn rules(jitter: Jitter) -> BackoffRules {
        let (initial, max) = (Duration::from_millis(10), Duration::from_millis(250));
        BackoffRules::new(&Policy::new().backoff(initial, max).jitter(jitter).retry)
    }

    const RANDOM: [u64; 5] = [0, 1, u64::MAX / 2, u64::MAX - 1, u64::MAX];

    #[test]
    fn without_jitter_waits_double_up_to_the_cap() {
        let waits = (0..7).map(|attempt| wait(&rules(Jitter::None), attempt, Duration::ZERO, 7).as_millis());
        assert_eq!(waits.collect::<Vec<_>>(), [10, 20, 40, 80, 160, 250, 250]);
    }

    #[test]
    fn full_jitter_is_in_zero_to_b_and_reaches_both_ends() {
        for attempt in 0..8 {
            let b = wait(&rules(Jitter::None), attempt, Duration::ZERO, 0);
            assert_eq!(wait(&rules(Jitter::Full), attempt, Duration::ZERO, 0), Duration::ZERO);
            assert_eq!(wait(&rules(Jitter::Full), attempt, Duration::ZERO, u64::MAX), b);
        }
    }

    #[test]
    fn equal_jitter_is_in_half_b_to_b_and_reaches_both_ends() {
        for attempt in 0..8 {
            let b = wait(&rules(Jitter::None), attempt, Duration::ZERO, 0);
            assert_eq!(wait(&rules(Jitter::Equal), attempt, Duration::ZERO, 0), b / 2);
            assert_eq!(wait(&rules(Jitter::Equal), attempt, Duration::ZERO, u64::MAX), b);
        }
    }

    #[test]
    fn decorrelated_jitter_is_in_initial_to_three_times_the_wait_before() {
        let ms = Duration::from_millis;
        let rules = rules(Jitter::Decorrelated);
        for (before, top) in [(0, 30), (10, 30), (50, 150), (200, 250), (100_000, 250)] {
            assert_eq!(wait(&rules, 3, ms(before), 0), ms(10));
            assert_eq!(wait(&rules, 3, ms(before), u64::MAX), ms(top));
        }
    }

    #[test]
    fn no_attempt_number_overflows_or_exceeds_the_cap() {
        for jitter in Jitter::ALL {
            for attempt in [0, 1, 63, 64, 1_000, u32::MAX] {
                for random in RANDOM {
                    assert!(
                        wait(&rules(jitter), attempt, Duration::MAX, random) <= Duration::from_millis(250)
                    );
                }
            }
        }
    }
}
