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
///
/// Steps are numbered by the clock, and never go back. A clock that reads more than the while before the latest step was
/// set back: its present step is the latest from then on, and what was counted stays and goes on to age.
pub(crate) struct Window {
    step_nanos: u64,
    /// By how many steps the numbers are ahead of the clock. May wrap.
    ahead: AtomicU64,
    /// The latest step that somebody saw.
    latest: AtomicU64,
    steps: [Step; STEPS],
}

impl Window {
    pub(crate) fn of(length: Duration) -> Self {
        Window {
            step_nanos: (u64::try_from(length.as_nanos()).unwrap_or(u64::MAX) / LIVE).max(1),
            ahead: AtomicU64::new(0),
            latest: AtomicU64::new(0),
            steps: std::array::from_fn(|_| Step { first: AtomicU64::new(0), second: AtomicU64::new(0) }),
        }
    }

    /// Goes on to the step of `now`; whoever gets there first clears what it takes over.
    pub(crate) fn advance(&self, now: Moment) {
        let ahead = self.ahead.load(Relaxed);
        let (step, latest) = (self.number(now, ahead), self.latest.load(Relaxed));
        if latest.saturating_sub(step) > LIVE {
            let anew = ahead.wrapping_add(latest - step);
            _ = self.ahead.compare_exchange(ahead, anew, Relaxed, Relaxed);
            return;
        }
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
        let oldest = self.number(now, self.ahead.load(Relaxed)).max(latest).saturating_sub(LIVE - 1);
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

    fn number(&self, now: Moment, ahead: u64) -> u64 {
        (now.as_nanos() / self.step_nanos).wrapping_add(ahead)
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

    #[test]
    fn a_clock_that_was_set_back_goes_on_from_there() {
        let window = Window::of(Duration::from_nanos(120));
        for late in [1_000, u64::MAX, u64::MAX / 2, 131] {
            let at = Moment::from_nanos;
            window.advance(at(late));
            assert_eq!(window.sums(at(late)), (0, 0), "{late}");
            window.add_first(3);
            window.advance(at(0));
            for (nanos, sums) in [(0, (3, 0)), (60, (3, 0)), (119, (3, 0)), (120, (0, 0))] {
                assert_eq!(window.sums(at(nanos)), sums, "{late} {nanos}");
            }
            window.advance(at(200));
        }
    }

    #[test]
    fn a_clock_that_is_out_of_step_by_the_while_changes_nothing() {
        let window = Window::of(Duration::from_nanos(120));
        let at = Moment::from_nanos;
        window.advance(at(500));
        window.add_first(1);
        for back in [500, 490, 380, 381, 499] {
            window.advance(at(back));
            window.advance(at(500));
            assert_eq!(window.sums(at(619)), (1, 0), "{back}");
        }
        assert_eq!(window.sums(at(620)), (0, 0));
    }
}
