//! Whatever a policy holds, normalising brings it inside its limits, says what it changed, and has nothing to do again.

use proptest::prelude::*;
use recourse::Policy;
use recourse_core::policy::{PolicySource, limits};
use std::time::Duration;

fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        Just(Duration::ZERO),
        (0..400_000_u64).prop_map(Duration::from_millis),
        any::<u64>().prop_map(Duration::from_nanos),
        Just(Duration::MAX),
    ]
}

fn counts() -> impl Strategy<Value = u32> {
    prop_oneof![0..12_u32, any::<u32>()]
}

prop_compose! {
    fn policies()(
        (attempts, hedges, threshold, costs) in (counts(), counts(), counts(), (counts(), counts())),
        (initial, max, server, delay, cooldown) in (durations(), durations(), durations(), durations(), durations()),
        (attempt_timeout, overall) in (prop::option::of(durations()), prop::option::of(durations())),
        multiplier in prop_oneof![-1.0..20.0, any::<f64>()],
        (hedges_on, circuit_on) in any::<(bool, bool)>(),
    ) -> Policy {
        let mut policy = Policy::new();
        let retry = &mut policy.retry;
        (retry.max_attempts, retry.initial_backoff, retry.max_backoff) = (attempts, initial, max);
        (retry.backoff_multiplier, retry.max_server_delay, retry.budget.cost) = (multiplier, server, costs.0);
        (retry.timeout_per_attempt, retry.overall_timeout) = (attempt_timeout, overall);
        let hedge = &mut policy.hedge;
        (hedge.enabled, hedge.max_hedges, hedge.hedge_delay, hedge.budget.cost) = (hedges_on, hedges, delay, costs.1);
        let circuit = &mut policy.circuit;
        (circuit.enabled, circuit.threshold, circuit.cooldown) = (circuit_on, threshold, cooldown);
        policy
    }
}

proptest! {
    #[test]
    fn what_was_normalised_is_inside_its_limits_and_stays_as_it_is(policy in policies()) {
        let by = policy.retry.backoff_multiplier;
        let Ok(effective) = policy.normalize(PolicySource::Static) else {
            prop_assert!(!by.is_finite() || by < 0.0, "{} was refused", by);
            return Ok(());
        };
        let (retry, hedge, circuit) = (&effective.policy.retry, &effective.policy.hedge, &effective.policy.circuit);
        prop_assert!((1..=limits::MAX_MAX_ATTEMPTS).contains(&retry.max_attempts));
        prop_assert!((limits::MIN_BACKOFF..=limits::MAX_BACKOFF).contains(&retry.initial_backoff));
        prop_assert!((retry.initial_backoff..=limits::MAX_BACKOFF).contains(&retry.max_backoff));
        let multipliers = limits::MIN_BACKOFF_MULTIPLIER..=limits::MAX_BACKOFF_MULTIPLIER;
        prop_assert!(multipliers.contains(&retry.backoff_multiplier));
        let delays = limits::MIN_MAX_SERVER_DELAY..=limits::MAX_MAX_SERVER_DELAY;
        prop_assert!(delays.contains(&retry.max_server_delay));
        let timeouts = [retry.timeout_per_attempt, retry.overall_timeout];
        prop_assert!(timeouts.iter().flatten().all(|timeout| *timeout >= limits::MIN_TIMEOUT));
        prop_assert!(retry.budget.cost >= limits::MIN_COST && hedge.budget.cost >= limits::MIN_COST);
        if hedge.enabled {
            prop_assert!((limits::MIN_MAX_HEDGES..=limits::MAX_MAX_HEDGES).contains(&hedge.max_hedges));
            prop_assert!(hedge.hedge_delay >= limits::MIN_HEDGE_DELAY);
        }
        if circuit.enabled {
            prop_assert!(circuit.threshold >= limits::MIN_THRESHOLD && circuit.cooldown >= limits::MIN_COOLDOWN);
        }
        prop_assert_eq!(effective.changes.is_empty(), effective.policy == policy);
        let again = effective.policy.normalize(PolicySource::Static).expect("it was normalised once");
        prop_assert_eq!(&again.policy, &effective.policy);
        prop_assert!(again.changes.is_empty());
    }
}
