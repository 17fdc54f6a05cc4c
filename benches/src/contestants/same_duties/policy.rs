//! [`Policy`]: what the calls of a row share.

use super::around::Around;
use super::limit::Limit;
use recourse::{Attempt, AttemptResult, Classifier, Clock, Key, Outcome, OutcomeKind, Sleeper, StopReason};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What the calls of a row share: plugins behind their traits, settings as numbers. What a row has not configured has a
/// type without a value.
pub(super) struct Policy<G, P, L> {
    pub(super) key: Key,
    pub(super) id: &'static str,
    pub(super) max_attempts: u32,
    /// The longest wait after each attempt but the last, in nanoseconds.
    pub(super) longest: Box<[u64]>,
    /// The longest wait that the other side may ask for, in nanoseconds.
    pub(super) max_server_delay: u64,
    pub(super) random: AtomicU64,
    pub(super) classifier: Arc<dyn Classifier>,
    pub(super) sleeper: Arc<dyn Sleeper>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) gate: G,
    pub(super) purse: P,
    pub(super) limit: L,
}

impl<G, P, L: Limit> Policy<G, P, L> {
    /// What the operation sees of an attempt.
    #[inline]
    pub(super) fn attempt(&self, index: u32, hedge: u32, inside: Around) -> Attempt {
        Attempt::new(index, hedge, self.id, self.limit.time()).with_may_be_retried(inside.may_be_retried())
    }
}

impl<G, P, L> Policy<G, P, L> {
    /// The outcome of what an attempt came to. As in recourse, nobody may call it a success that there was no answer in time.
    #[inline]
    pub(super) fn judge(&self, result: &AttemptResult<'_>) -> Outcome {
        let outcome = self.classifier.classify(result);
        if outcome.kind == OutcomeKind::Success && result.timed_out() {
            return Outcome::non_retryable(recourse::reason::CONTEXT_DEADLINE_EXCEEDED)
                .with_health(recourse::Health::Down);
        }
        outcome
    }

    /// The wait, in nanoseconds, after an attempt that came to this, or why there is no other. The other side has asked for
    /// `server` nanoseconds; 0 where it hasn't.
    #[inline]
    pub(super) fn wait(&self, index: u32, kind: OutcomeKind, server: u64) -> Result<u64, StopReason> {
        match kind {
            OutcomeKind::Retryable if index + 1 >= self.max_attempts => Err(StopReason::AttemptsExhausted),
            OutcomeKind::Retryable => match server {
                0 => Ok(self.draw(index)),
                asked_for if asked_for > self.max_server_delay => Err(StopReason::ServerDelayTooLong),
                asked_for => Ok(asked_for),
            },
            OutcomeKind::NonRetryable => Err(StopReason::NonRetryable),
            OutcomeKind::Success => Err(StopReason::Accepted),
            _ => Err(StopReason::Abort),
        }
    }

    /// Uniform from nothing to the longest wait; the sequence is recourse's, which isn't public.
    #[inline]
    fn draw(&self, index: u32) -> u64 {
        let seed = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = seed.wrapping_add(0x2d35_8dcc_aa6c_78a5);
        let product = u128::from(mixed) * u128::from(mixed ^ 0x8bb8_4b93_962e_acc9);
        let random = low(product) ^ low(product >> 64);
        low((u128::from(random) * (u128::from(self.longest[index as usize]) + 1)) >> 64)
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the low half is wanted")]
fn low(wide: u128) -> u64 {
    wide as u64
}

/// A duration in whole nanoseconds.
pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
