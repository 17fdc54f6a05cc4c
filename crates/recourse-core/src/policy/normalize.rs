//! From what was written to what is obeyed: total, idempotent, never silent.

use crate::policy::{
    Change, CircuitPolicy, EffectivePolicy, HedgePolicy, Policy, PolicyError, PolicySource, RetryPolicy,
    limits,
};
use std::fmt::Display;
use std::time::Duration;

impl Policy {
    /// Brings every field that is in use inside its limits and says what it changed.
    ///
    /// Hedge and circuit fields are normalised where that part is enabled; each independently of the other.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] for a multiplier that is NaN, infinite or negative: no value can be guessed from it.
    pub fn normalize(&self, source: PolicySource) -> Result<EffectivePolicy, PolicyError> {
        let mut policy = self.clone();
        let mut changes = Changes(Vec::new());
        changes.retry(&mut policy.retry)?;
        changes.hedge(&mut policy.hedge);
        changes.circuit(&mut policy.circuit);
        Ok(EffectivePolicy { policy, source, changes: changes.0 })
    }
}

struct Changes(Vec<Change>);

impl Changes {
    fn retry(&mut self, retry: &mut RetryPolicy) -> Result<(), PolicyError> {
        let attempts =
            zero_is(retry.max_attempts, limits::DEFAULT_MAX_ATTEMPTS).min(limits::MAX_MAX_ATTEMPTS);
        self.put("retry.max_attempts", &mut retry.max_attempts, attempts);

        let initial = none_is(retry.initial_backoff, limits::DEFAULT_INITIAL_BACKOFF)
            .clamp(limits::MIN_BACKOFF, limits::MAX_BACKOFF);
        self.put_time("retry.initial_backoff", &mut retry.initial_backoff, initial);
        let max = none_is(retry.max_backoff, limits::DEFAULT_MAX_BACKOFF).clamp(initial, limits::MAX_BACKOFF);
        self.put_time("retry.max_backoff", &mut retry.max_backoff, max);

        let multiplier = retry.backoff_multiplier;
        if !multiplier.is_finite() || multiplier < 0.0 {
            return Err(PolicyError::new("retry.backoff_multiplier", multiplier));
        }
        let used = if multiplier == 0.0 {
            limits::DEFAULT_BACKOFF_MULTIPLIER
        } else {
            multiplier.clamp(limits::MIN_BACKOFF_MULTIPLIER, limits::MAX_BACKOFF_MULTIPLIER)
        };
        self.put("retry.backoff_multiplier", &mut retry.backoff_multiplier, used);

        let server = none_is(retry.max_server_delay, limits::DEFAULT_MAX_SERVER_DELAY)
            .clamp(limits::MIN_MAX_SERVER_DELAY, limits::MAX_MAX_SERVER_DELAY);
        self.put_time("retry.max_server_delay", &mut retry.max_server_delay, server);
        self.timeout("retry.timeout_per_attempt", &mut retry.timeout_per_attempt);
        self.timeout("retry.overall_timeout", &mut retry.overall_timeout);
        let cost = retry.budget.cost.max(limits::MIN_COST);
        self.put("retry.budget.cost", &mut retry.budget.cost, cost);
        Ok(())
    }

    fn hedge(&mut self, hedge: &mut HedgePolicy) {
        let cost = hedge.budget.cost.max(limits::MIN_COST);
        self.put("hedge.budget.cost", &mut hedge.budget.cost, cost);
        if !hedge.enabled {
            return;
        }
        let hedges = zero_is(hedge.max_hedges, limits::DEFAULT_MAX_HEDGES).min(limits::MAX_MAX_HEDGES);
        self.put("hedge.max_hedges", &mut hedge.max_hedges, hedges);
        let delay = none_is(hedge.hedge_delay, limits::DEFAULT_HEDGE_DELAY).max(limits::MIN_HEDGE_DELAY);
        self.put_time("hedge.hedge_delay", &mut hedge.hedge_delay, delay);
    }

    fn circuit(&mut self, circuit: &mut CircuitPolicy) {
        if !circuit.enabled {
            return;
        }
        let threshold = zero_is(circuit.threshold, limits::DEFAULT_THRESHOLD);
        self.put("circuit.threshold", &mut circuit.threshold, threshold);
        let cooldown = none_is(circuit.cooldown, limits::DEFAULT_COOLDOWN).max(limits::MIN_COOLDOWN);
        self.put_time("circuit.cooldown", &mut circuit.cooldown, cooldown);
    }

    fn timeout(&mut self, field: &'static str, timeout: &mut Option<Duration>) {
        let Some(given) = *timeout else { return };
        if given.is_zero() {
            *timeout = None;
            self.0.push(Change::new(field, "0s", "off"));
        } else if given < limits::MIN_TIMEOUT {
            *timeout = Some(limits::MIN_TIMEOUT);
            self.0.push(Change::new(field, time(given), time(limits::MIN_TIMEOUT)));
        }
    }

    fn put<V: Copy + PartialEq + Display>(&mut self, field: &'static str, at: &mut V, used: V) {
        if *at != used {
            self.0.push(Change::new(field, *at, used));
            *at = used;
        }
    }

    fn put_time(&mut self, field: &'static str, at: &mut Duration, used: Duration) {
        if *at != used {
            self.0.push(Change::new(field, time(*at), time(used)));
            *at = used;
        }
    }
}

fn time(duration: Duration) -> String {
    format!("{duration:?}")
}

fn zero_is(value: u32, default: u32) -> u32 {
    if value == 0 { default } else { value }
}

fn none_is(value: Duration, default: Duration) -> Duration {
    if value.is_zero() { default } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effective(policy: &Policy) -> EffectivePolicy {
        policy.normalize(PolicySource::Static).unwrap()
    }

    fn changed(policy: &Policy) -> Vec<&'static str> {
        effective(policy).changed_fields().collect()
    }

    #[test]
    fn the_default_policy_needs_no_change() {
        assert!(changed(&Policy::new()).is_empty());
    }

    #[test]
    fn zero_means_the_default_and_is_reported() {
        let policy = Policy::new()
            .max_attempts(0)
            .backoff(Duration::ZERO, Duration::ZERO)
            .backoff_multiplier(0.0)
            .max_server_delay(Duration::ZERO)
            .timeout_per_attempt(Duration::ZERO)
            .overall_timeout(Duration::ZERO)
            .retry_cost(0)
            .hedge_cost(0)
            .hedge_after(Duration::ZERO)
            .max_hedges(0)
            .circuit(0, Duration::ZERO);
        let mut expected = Policy::new().hedge_after(limits::DEFAULT_HEDGE_DELAY);
        expected.circuit.enabled = true;
        let effective = effective(&policy);
        assert_eq!(effective.policy, expected);
        assert_eq!(
            effective.changed_fields().collect::<Vec<_>>(),
            [
                "retry.max_attempts",
                "retry.initial_backoff",
                "retry.max_backoff",
                "retry.backoff_multiplier",
                "retry.max_server_delay",
                "retry.timeout_per_attempt",
                "retry.overall_timeout",
                "retry.budget.cost",
                "hedge.budget.cost",
                "hedge.max_hedges",
                "hedge.hedge_delay",
                "circuit.threshold",
                "circuit.cooldown",
            ]
        );
    }

    #[test]
    fn values_outside_the_limits_are_brought_inside() {
        let second = Duration::from_secs(1);
        let nano = Duration::from_nanos(1);
        let high = Policy::new().max_attempts(11).backoff(99 * second, 99 * second).backoff_multiplier(11.0);
        let high = effective(&high.max_server_delay(999 * second).hedge_after(second).max_hedges(4)).policy;
        assert_eq!(high.retry.max_attempts, 10);
        assert_eq!((high.retry.initial_backoff, high.retry.max_backoff), (30 * second, 30 * second));
        assert_eq!((high.retry.backoff_multiplier, high.retry.max_server_delay), (10.0, 300 * second));
        assert_eq!(high.hedge.max_hedges, 3);

        let low = Policy::new().backoff(nano, nano).backoff_multiplier(0.5).max_server_delay(nano);
        let low = low.timeout_per_attempt(nano).overall_timeout(nano).hedge_after(nano).circuit(1, nano);
        let low = effective(&low).policy;
        let milli = Duration::from_millis(1);
        assert_eq!((low.retry.initial_backoff, low.retry.max_backoff), (milli, milli));
        assert_eq!((low.retry.backoff_multiplier, low.retry.max_server_delay), (1.0, milli));
        assert_eq!((low.retry.timeout_per_attempt, low.retry.overall_timeout), (Some(milli), Some(milli)));
        assert_eq!((low.hedge.hedge_delay, low.circuit.cooldown), (10 * milli, 100 * milli));
    }

    #[test]
    fn max_backoff_is_never_below_initial_backoff() {
        let policy = Policy::new().backoff(Duration::from_secs(2), Duration::from_secs(1));
        let effective = effective(&policy);
        assert_eq!(effective.policy.retry.max_backoff, Duration::from_secs(2));
        assert_eq!(effective.changes[0].to_string(), "retry.max_backoff = 1s became 2s");
    }

    #[test]
    fn the_circuit_part_is_normalised_whether_or_not_hedging_is_on() {
        assert_eq!(
            changed(&Policy::new().circuit(0, Duration::ZERO)),
            ["circuit.threshold", "circuit.cooldown"]
        );
    }

    #[test]
    fn a_multiplier_that_is_no_number_is_an_error() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0] {
            let error = Policy::new().backoff_multiplier(bad).normalize(PolicySource::Static).unwrap_err();
            assert_eq!((error.field, error.value), ("retry.backoff_multiplier", bad.to_string()));
            assert_eq!(error.allowed, "1 to 10; 0 means the default");
        }
    }

    #[test]
    fn normalising_twice_changes_nothing_more() {
        let once =
            effective(&Policy::new().max_attempts(99).hedge_after(Duration::MAX).circuit(0, Duration::MAX));
        assert!(changed(&once.policy).is_empty());
    }
}
