//! [`Window`]: two sums over a while that slides, in twelve steps.

use crate::atomic::{AtomicU64, Ordering::Relaxed};
use recourse_core::Moment;
use std::time::Duration;

/// Steps in the while, the present one included.
const LIVE: u64 = 12;
/// A power of two above [`LIVE`], so that a late addition to an old step harms nobody.
const STEPS: usize = 16;

/// What was counted in one step.
struct Step {
    first: AtomicU64,
    second: AtomicU64,
}

/// Sums of what was counted in the while before a moment. To count is one addition; additions that race with a step's
/// clearing may fall to either side of it.
pub(crate) struct Window {
    step_nanos: u64,
    /// The latest step that somebody saw.
    latest: AtomicU64,
    steps: [Step; STEPS],
}

impl Window {
    pub(crate) fn of(length: Duration) -> Self {
        Window {
            step_nanos: (u64::try_from(length.as_nanos()).unwrap_or(u64::MAX) / LIVE).max(1),
            latest: AtomicU64::new(0),
            steps: std::array::from_fn(|_| Step { first: AtomicU64::new(0), second: AtomicU64::new(0) }),
        }
    }

    /// Goes on to the step of `now`; whoever gets there first clears what it takes over.
    pub(crate) fn advance(&self, now: Moment) {
        let (step, latest) = (self.step_of(now), self.latest.load(Relaxed));
        if step <= latest || self.latest.compare_exchange(latest, step, Relaxed, Relaxed).is_err() {
            return;
        }
        for number in (latest + 1).max(step.saturating_sub(STEPS as u64 - 1))..=step {
            self.step(number).first.store(0, Relaxed);
            self.step(number).second.store(0, Relaxed);
        }
    }

    /// The two sums at `now`. A clock that went backwards finds those of the latest step. Changes nothing.
    pub(crate) fn sums(&self, now: Moment) -> (u64, u64) {
        let latest = self.latest.load(Relaxed);
        let oldest = self.step_of(now).max(latest).saturating_sub(LIVE - 1);
        (oldest..=latest).map(|number| self.step(number)).fold((0, 0), |(first, second), step| {
            (first + step.first.load(Relaxed), second + step.second.load(Relaxed))
        })
    }

    /// Counts in the latest step.
    pub(crate) fn add_first(&self, amount: u64) {
        self.step(self.latest.load(Relaxed)).first.fetch_add(amount, Relaxed);
    }

    /// Counts in the latest step.
    pub(crate) fn add_second(&self, amount: u64) {
        self.step(self.latest.load(Relaxed)).second.fetch_add(amount, Relaxed);
    }

    fn step(&self, number: u64) -> &Step {
        &self.steps[number as usize % STEPS]
    }

    fn step_of(&self, now: Moment) -> u64 {
        now.as_nanos() / self.step_nanos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_falls_out_after_the_while() {
        let window = Window::of(Duration::from_nanos(120));
        for start in [0, 5_000, u64::MAX - 500] {
            let at = |after: u64| Moment::from_nanos(start / 10 * 10 + after);
            window.advance(at(3));
            assert_eq!(window.sums(at(3)), (0, 0));
            window.add_first(2);
            window.advance(at(20));
            window.add_second(7);
            for (after, sums) in [(119, (2, 7)), (120, (0, 7)), (139, (0, 7)), (140, (0, 0)), (0, (2, 7))] {
                assert_eq!(window.sums(at(after)), sums, "{start} {after}");
            }
            window.advance(at(145));
            assert_eq!(window.sums(at(0)), (0, 0));
        }
    }
}
