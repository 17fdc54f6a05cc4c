//! [`Ratios`]: when a window holds too much that isn't good.

use super::counting::Sums;
use crate::cause;
use crate::millionths::Millionths;

/// The two ratios of a window, and when they are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Ratios {
    /// Failures of attempts that open the circuit.
    pub(crate) failed: Millionths,
    /// Slow ones of attempts that open it; `None` where slowness is no matter.
    pub(crate) slow: Option<Millionths>,
    /// The part of a failure that a throttled answer is.
    pub(crate) throttled: Millionths,
    /// Fewer attempts are not judged.
    pub(crate) minimum: u32,
}

impl Ratios {
    /// The cause if the circuit is to open: the window holds enough attempts, of these at least `threshold` are bad, and
    /// they are at least the ratio. Exact: all is counted in millionths.
    pub(crate) fn verdict(&self, sums: &Sums, threshold: u32) -> Option<&'static str> {
        if sums.total < u64::from(self.minimum) {
            return None;
        }
        let exceeds = |bad: u64, ratio: Millionths| {
            let least = u64::from(threshold) * Millionths::ONE.get();
            bad >= least && bad >= ratio.get().saturating_mul(sums.total)
        };
        let whole = Millionths::ONE.get();
        let failed = sums.failed.saturating_mul(whole) + sums.throttled.saturating_mul(self.throttled.get());
        if exceeds(failed, self.failed) {
            return Some(cause::FAILURE_RATIO);
        }
        let slow = self.slow.filter(|ratio| exceeds(sums.slow.saturating_mul(whole), *ratio));
        slow.map(|_| cause::SLOW_CALLS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratios(failed: f64) -> Ratios {
        let part = |value| Millionths::of(value).expect("a part");
        Ratios { failed: part(failed), slow: Some(part(0.8)), throttled: part(0.25), minimum: 4 }
    }

    fn sums(total: u64, failed: u64, throttled: u64, slow: u64) -> Sums {
        Sums { total, failed, throttled, slow }
    }

    #[test]
    fn a_ratio_means_what_it_says() {
        let verdict = |ratio, total, failed| ratios(ratio).verdict(&sums(total, failed, 0, 0), 1);
        assert_eq!(verdict(0.6, 10, 5), None);
        assert_eq!(verdict(0.6, 10, 6), Some(cause::FAILURE_RATIO));
        assert_eq!(verdict(1.0, 10, 9), None);
        assert_eq!(verdict(1.0, 10, 10), Some(cause::FAILURE_RATIO));
        assert_eq!(verdict(2.0 / 3.0, 6, 4), Some(cause::FAILURE_RATIO));
        assert_eq!(verdict(0.000_001, 1_000_000, 1), Some(cause::FAILURE_RATIO));
        assert_eq!(verdict(0.000_001, 1_000_001, 1), None);
    }

    #[test]
    fn too_few_attempts_and_too_few_failures_are_not_judged() {
        assert_eq!(ratios(0.1).verdict(&sums(3, 3, 0, 0), 1), None);
        assert_eq!(ratios(0.1).verdict(&sums(4, 1, 0, 0), 2), None);
        assert_eq!(ratios(0.1).verdict(&sums(4, 2, 0, 0), 2), Some(cause::FAILURE_RATIO));
    }

    #[test]
    fn throttled_answers_are_parts_of_failures() {
        assert_eq!(ratios(0.5).verdict(&sums(8, 3, 3, 0), 1), None);
        assert_eq!(ratios(0.5).verdict(&sums(8, 3, 4, 0), 1), Some(cause::FAILURE_RATIO));
        assert_eq!(ratios(0.5).verdict(&sums(8, 3, 4, 0), 5), None, "the threshold counts parts too");
    }

    #[test]
    fn slow_ones_have_a_ratio_of_their_own() {
        assert_eq!(ratios(0.5).verdict(&sums(5, 0, 0, 4), 4), Some(cause::SLOW_CALLS));
        assert_eq!(ratios(0.5).verdict(&sums(5, 0, 0, 4), 5), None);
        assert_eq!(Ratios { slow: None, ..ratios(0.5) }.verdict(&sums(5, 0, 0, 5), 1), None);
    }
}
