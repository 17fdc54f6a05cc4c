//! [`Streak`]: failures in a row.

use super::counting::{Answer, Count, Sums, Vote};
use crate::cause;
use crate::millionths::Millionths;
use recourse_core::Now;

/// Failures in a row, and what they weigh. A good vote ends the row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Streak {
    attempts: u32,
    /// In millionths of a failure.
    weight: u64,
    throttled: Millionths,
}

impl Streak {
    pub(crate) const fn new(throttled: Millionths) -> Self {
        Streak { attempts: 0, weight: 0, throttled }
    }
}

impl Count for Streak {
    type Inbox = ();

    fn vote(&mut self, vote: Vote, threshold: u32, now: &Now<'_>, (): &()) -> Option<&'static str> {
        let weight = match vote.answer {
            Answer::Fine => {
                (self.attempts, self.weight) = (0, 0);
                return None;
            }
            Answer::Throttled if self.throttled == Millionths::ZERO => return None,
            Answer::Throttled => self.throttled,
            Answer::Failed => Millionths::ONE,
        };
        let weight = self.weight.saturating_add(weight.get());
        let trips = weight >= u64::from(threshold) * Millionths::ONE.get();
        if trips {
            let _ = now.get();
        }
        (self.attempts, self.weight) = (self.attempts.saturating_add(1), weight);
        trips.then_some(cause::CONSECUTIVE_FAILURES)
    }

    fn restart(&mut self, _: u64, (): &()) {
        *self = Streak::new(self.throttled);
    }

    fn minds_good_votes(&self) -> bool {
        self.attempts > 0
    }

    fn sums(&self, (): &(), _: &Now<'_>) -> Sums {
        let attempts = u64::from(self.attempts);
        Sums { total: attempts, failed: attempts, throttled: 0, slow: 0 }
    }
}
