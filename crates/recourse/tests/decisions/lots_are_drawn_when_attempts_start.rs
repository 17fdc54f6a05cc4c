//! An adaptive throttle denies as often as its probability says, whoever asks, and with or without sparing first attempts.

use crate::stage::{KEY, Stage, ms, plain};
use recourse::budget::AdaptiveThrottle;
use recourse::{Attempt, HttpFailure, StopReason};
use std::cell::Cell;
use std::sync::Arc;

/// Attempts of one kind that were denied, and how many the probability let expect.
#[derive(Debug, Default)]
struct Share {
    denied: f64,
    expected: f64,
}

impl Share {
    fn count(&mut self, denied: bool, probability: f64) {
        self.denied += f64::from(u8::from(denied));
        self.expected += probability;
    }

    fn is_as_expected(&self) -> bool {
        self.expected > 100.0 && (self.denied - self.expected).abs() < 4.0 * self.expected.sqrt()
    }
}

/// First attempts and retries of calls that make two attempts. The other side accepts 10 attempts of every 40 calls, so
/// that a throttle neither lets everything through nor nothing.
fn shares(throttle: AdaptiveThrottle) -> (Share, Share) {
    let throttle = Arc::new(throttle);
    let policy = plain().max_attempts(2).backoff(ms(1), ms(1)).retry_budget("lots");
    let stage = Stage::with(policy, |builder| builder.budget("lots", throttle.clone()));
    let (mut firsts, mut retries) = (Share::default(), Share::default());
    let (mut dice, accepts) = (fastrand::Rng::with_seed(1), Cell::new(0));
    for number in 0..8_000 {
        if number % 40 == 0 {
            accepts.set(10);
        }
        let draws = [dice.f64(), dice.f64()];
        let (before, first_failed) = (throttle.denial_probability(stage.time.now()), Cell::new(false));
        let call = stage.executor.run(KEY, |attempt: Attempt| {
            let accepted = accepts.get() > 0 && draws[attempt.index() as usize] < 0.7;
            accepts.set(accepts.get() - u32::from(accepted));
            first_failed.set(first_failed.get() || !accepted && attempt.index() == 0);
            async move { if accepted { Ok(()) } else { Err(HttpFailure::new(503, "GET")) } }
        });
        let error = stage.time.run(call).err();
        let denied = error.as_ref().is_some_and(|error| error.stop_reason() == StopReason::BudgetDenied);
        // The first of the calls fill the window.
        if number > 2_000 {
            firsts.count(denied && !first_failed.get(), before);
            if first_failed.get() {
                retries.count(denied, throttle.denial_probability(stage.time.now()));
            }
        }
        stage.time.advance(ms(20));
    }
    (firsts, retries)
}

#[test]
fn retries_alone_are_denied_at_the_probability_where_first_attempts_are_spared() {
    for seed in 0..3 {
        let (firsts, retries) = shares(AdaptiveThrottle::new().with_seed(seed).spare_first_attempts());
        assert_eq!(firsts.denied, 0.0);
        assert!(retries.is_as_expected(), "{seed}: {retries:?}");
    }
}

#[test]
fn first_attempts_are_denied_no_more_often_for_the_retries_beside_them() {
    for seed in 0..3 {
        let (firsts, retries) = shares(AdaptiveThrottle::new().with_seed(seed));
        assert!(firsts.is_as_expected() && retries.is_as_expected(), "{seed}: {firsts:?} {retries:?}");
    }
}

#[test]
fn a_retry_that_is_denied_was_asked_for() {
    let throttle = Arc::new(AdaptiveThrottle::new().with_seed(0).spare_first_attempts());
    let policy = plain().max_attempts(2).retry_budget("lots");
    let stage = Stage::with(policy, |builder| builder.budget("lots", throttle.clone()));
    let calls = 100.0;
    for _ in 0..100 {
        let call = stage.executor.run(KEY, |_| async { Err::<(), _>(HttpFailure::new(503, "GET")) });
        assert!(stage.time.run(call).is_err());
    }
    // Of n requests and no accepts, n in n + 1 are denied.
    let probability = throttle.denial_probability(stage.time.now());
    let requests = probability / (1.0 - probability);
    assert!((requests - 2.0 * calls).abs() < 1e-6, "{requests}");
}
