//! Presets: whole policies for the usual cases. Their values are part of the contract.

use crate::policy::{Jitter, Policy, PolicyError};
use std::time::Duration;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Policy {
    /// Doubling waits from `initial` to `max` with equal jitter.
    #[must_use]
    pub fn exponential(initial: Duration, max: Duration) -> Self {
        Policy::new().backoff(initial, max).backoff_multiplier(2.0).jitter(Jitter::Equal)
    }

    /// The same wait every time, without jitter.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] if the delay is zero.
    pub fn constant(delay: Duration) -> Result<Self, PolicyError> {
        if delay.is_zero() {
            let allowed = "a constant delay of 1ms to 30s".to_owned();
            return Err(PolicyError { allowed, ..PolicyError::new("retry.initial_backoff", "0s") });
        }
        Ok(Policy::new().backoff(delay, delay).backoff_multiplier(1.0).jitter(Jitter::None))
    }

    /// A call to an HTTP service: 3 attempts, 100 ms to 2 s, 10 s an attempt, 30 s in all, classifier `http`.
    #[must_use]
    pub fn http() -> Self {
        Policy::new()
            .max_attempts(3)
            .backoff(ms(100), ms(2_000))
            .backoff_multiplier(2.0)
            .jitter(Jitter::Full)
            .timeout_per_attempt(ms(10_000))
            .overall_timeout(ms(30_000))
            .classifier("http")
    }

    /// A query to a database: 3 attempts, 100 ms to 5 s with equal jitter, 30 s an attempt, 60 s in all.
    #[must_use]
    pub fn database() -> Self {
        Policy::new()
            .max_attempts(3)
            .backoff(ms(100), ms(5_000))
            .backoff_multiplier(2.0)
            .jitter(Jitter::Equal)
            .timeout_per_attempt(ms(30_000))
            .overall_timeout(ms(60_000))
    }

    /// A job that nobody waits for: 5 attempts, 1 s to 30 s, five minutes in all.
    #[must_use]
    pub fn background_job() -> Self {
        Policy::new()
            .max_attempts(5)
            .backoff(ms(1_000), ms(30_000))
            .backoff_multiplier(2.0)
            .jitter(Jitter::Full)
            .overall_timeout(ms(300_000))
    }

    /// A call on a person's path: 2 attempts, 10 ms to 50 ms, 500 ms an attempt, 1 s in all, 2 hedges after 100 ms.
    #[must_use]
    pub fn low_latency() -> Self {
        Policy::new()
            .max_attempts(2)
            .backoff(ms(10), ms(50))
            .backoff_multiplier(2.0)
            .jitter(Jitter::Equal)
            .timeout_per_attempt(ms(500))
            .overall_timeout(ms(1_000))
            .hedge_after(ms(100))
            .max_hedges(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::PolicySource;

    #[test]
    fn presets_have_the_values_of_the_contract_and_need_no_normalising() {
        let rows = [
            (Policy::http(), 3, ms(100), ms(2_000), Jitter::Full, Some(ms(10_000)), Some(ms(30_000))),
            (Policy::database(), 3, ms(100), ms(5_000), Jitter::Equal, Some(ms(30_000)), Some(ms(60_000))),
            (Policy::background_job(), 5, ms(1_000), ms(30_000), Jitter::Full, None, Some(ms(300_000))),
            (Policy::low_latency(), 2, ms(10), ms(50), Jitter::Equal, Some(ms(500)), Some(ms(1_000))),
        ];
        for (policy, attempts, initial, max, jitter, attempt, overall) in rows {
            let retry = &policy.retry;
            assert_eq!(
                (retry.max_attempts, retry.initial_backoff, retry.max_backoff),
                (attempts, initial, max)
            );
            assert_eq!(
                (retry.jitter, retry.timeout_per_attempt, retry.overall_timeout),
                (jitter, attempt, overall)
            );
            assert_eq!(retry.backoff_multiplier, 2.0);
            assert_eq!(policy.normalize(PolicySource::Static).unwrap().changes, []);
        }
        assert_eq!(Policy::http().retry.classifier_name, "http");
        let hedge = Policy::low_latency().hedge;
        assert_eq!((hedge.enabled, hedge.max_hedges, hedge.hedge_delay), (true, 2, ms(100)));
    }

    #[test]
    fn constant_waits_the_same_every_time_and_refuses_zero() {
        let retry = Policy::constant(ms(40)).unwrap().retry;
        assert_eq!((retry.initial_backoff, retry.max_backoff), (ms(40), ms(40)));
        assert_eq!((retry.backoff_multiplier, retry.jitter), (1.0, Jitter::None));
        let error = Policy::constant(Duration::ZERO).unwrap_err();
        assert_eq!((error.field, error.value.as_str()), ("retry.initial_backoff", "0s"));
    }

    #[test]
    fn exponential_doubles_with_equal_jitter() {
        let retry = Policy::exponential(ms(5), ms(80)).retry;
        assert_eq!((retry.initial_backoff, retry.max_backoff), (ms(5), ms(80)));
        assert_eq!((retry.backoff_multiplier, retry.jitter), (2.0, Jitter::Equal));
    }
}
