//! What holds of a policy that was normalised: every field that is in use is inside its limits.

use recourse_core::policy::{EffectivePolicy, Policy, PolicyError, PolicySource, limits};
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Normalises a policy and checks what is promised of it.
pub(crate) fn check(policy: &Policy) {
    let effective = match policy.normalize(PolicySource::Static) {
        Ok(effective) => effective,
        Err(error) => return refused(policy, &error),
    };
    inside(&effective.policy);
    told(policy, &effective);
    let again = effective.policy.normalize(PolicySource::Remote).expect("it was normalised once");
    assert_eq!(again.policy, effective.policy, "normalising twice is normalising once");
    assert!(again.changes.is_empty(), "{:?}", again.changes);
    let most = limits::MAX_MAX_ATTEMPTS * (1 + limits::MAX_MAX_HEDGES);
    within("the worst case", effective.policy.worst_case_attempts(), 1..=most);
}

/// Only a factor that is no number is refused, and the error says what is allowed.
fn refused(policy: &Policy, error: &PolicyError) {
    let factor = policy.retry.backoff_multiplier;
    assert!(!factor.is_finite() || factor < 0.0, "{factor} was refused: {error}");
    assert_eq!(error.field, "retry.backoff_multiplier");
    assert!(error.to_string().contains(limits::allowed(error.field)), "{error}");
}

fn inside(policy: &Policy) {
    let (retry, hedge, circuit) = (&policy.retry, &policy.hedge, &policy.circuit);
    within("max_attempts", retry.max_attempts, 1..=limits::MAX_MAX_ATTEMPTS);
    within("initial_backoff", retry.initial_backoff, limits::MIN_BACKOFF..=limits::MAX_BACKOFF);
    within("max_backoff", retry.max_backoff, retry.initial_backoff..=limits::MAX_BACKOFF);
    within(
        "backoff_multiplier",
        retry.backoff_multiplier,
        limits::MIN_BACKOFF_MULTIPLIER..=limits::MAX_BACKOFF_MULTIPLIER,
    );
    within(
        "max_server_delay",
        retry.max_server_delay,
        limits::MIN_MAX_SERVER_DELAY..=limits::MAX_MAX_SERVER_DELAY,
    );
    for timeout in [retry.timeout_per_attempt, retry.overall_timeout].into_iter().flatten() {
        within("a timeout", timeout, limits::MIN_TIMEOUT..=Duration::MAX);
    }
    for cost in [retry.budget.cost, hedge.budget.cost] {
        within("a cost", cost, limits::MIN_COST..=u32::MAX);
    }
    if hedge.enabled {
        within("max_hedges", hedge.max_hedges, limits::MIN_MAX_HEDGES..=limits::MAX_MAX_HEDGES);
        within("hedge_delay", hedge.hedge_delay, limits::MIN_HEDGE_DELAY..=Duration::MAX);
    }
    if circuit.enabled {
        within("threshold", circuit.threshold, limits::MIN_THRESHOLD..=u32::MAX);
        within("cooldown", circuit.cooldown, limits::MIN_COOLDOWN..=Duration::MAX);
    }
}

#[track_caller]
fn within<V: PartialOrd + Debug>(field: &str, value: V, limits: RangeInclusive<V>) {
    assert!(limits.contains(&value), "{field} is {value:?}, not within {limits:?}");
}

/// Each change is told once, and there is none that is not told.
fn told(given: &Policy, effective: &EffectivePolicy) {
    assert_eq!(effective.changes.is_empty(), effective.policy == *given, "{:?}", effective.changes);
    for (at, change) in effective.changes.iter().enumerate() {
        assert!(!limits::allowed(change.field).is_empty(), "{change} is about no field");
        assert_ne!(change.given, change.used, "{change}");
        assert!(
            effective.changes[..at].iter().all(|before| before.field != change.field),
            "{change} is told twice"
        );
    }
    if !given.hedge.enabled {
        let cost = effective.policy.hedge.budget.cost;
        let mut kept = given.hedge.clone();
        kept.budget.cost = cost;
        assert_eq!(effective.policy.hedge, kept, "a part that is off is kept");
    }
    if !given.circuit.enabled {
        assert_eq!(effective.policy.circuit, given.circuit, "a part that is off is kept");
    }
}
