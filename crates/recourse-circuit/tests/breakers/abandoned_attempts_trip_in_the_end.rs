//! So many attempts in a row may be given up without an answer; each further one is a failure.

use crate::by_hand::{ByHand, COOLDOWN, at};
use recourse_circuit::{ConsecutiveFailures, FailureRatio, Recovery, cause, consecutive_failures};
use recourse_core::CircuitState::{Closed, HalfOpen, Open};
use recourse_core::{BreakerSettings, Health, Key};

fn abandoned(breaker: &ByHand, millis: u64, count: u32) {
    for _ in 0..count {
        breaker.abandon(breaker.ticket(millis), millis);
    }
}

#[test]
fn with_the_default_breaker_up_to_ten_in_a_row_are_no_votes() {
    let breaker = ByHand::of(ConsecutiveFailures::new().build(), 2);
    breaker.vote(0, Health::Down);
    for _ in 0..100 {
        abandoned(&breaker, 0, 10);
        breaker.vote(0, Health::Up);
    }
    assert_eq!((breaker.state(), breaker.counts()), (Closed, (0, 0, 0)));
    breaker.vote(0, Health::Down);
    abandoned(&breaker, 0, 10);
    assert_eq!((breaker.state(), breaker.counts()), (Closed, (1, 1, 0)));
}

#[test]
fn the_default_breaker_opens_for_a_side_that_never_answers() {
    let policy_defaults = ByHand::of(ConsecutiveFailures::new().build(), 5);
    abandoned(&policy_defaults, 0, 14);
    assert_eq!((policy_defaults.state(), policy_defaults.counts()), (Closed, (4, 4, 0)));
    let opens = policy_defaults.abandon(policy_defaults.ticket(7), 7).expect("the fifth beyond ten");
    assert_eq!(
        (opens.from, opens.to, opens.cause.as_str(), opens.at),
        (Closed, Open, cause::ABANDONED, at(7))
    );
}

#[test]
fn the_registered_default_has_the_limit_too() {
    let settings = BreakerSettings::new(1, COOLDOWN);
    let breaker = ByHand::new(consecutive_failures(&Key::from_static("svc.op"), &settings));
    abandoned(&breaker, 0, 10);
    assert_eq!(breaker.state(), Closed);
    abandoned(&breaker, 0, 1);
    assert_eq!(breaker.state(), Open);
}

#[test]
fn those_that_are_ignored_are_no_votes_however_many() {
    let breaker = ByHand::of(ConsecutiveFailures::new().ignore_abandoned().build(), 2);
    breaker.vote(0, Health::Down);
    abandoned(&breaker, 0, 1_000);
    assert_eq!((breaker.state(), breaker.counts()), (Closed, (1, 1, 0)));
    assert!(breaker.vote(0, Health::Down).is_some());
}

#[test]
fn past_the_limit_each_is_a_failure() {
    let breaker = ByHand::of(ConsecutiveFailures::new().abandoned_limit(3).build(), 2);
    abandoned(&breaker, 0, 4);
    assert_eq!((breaker.state(), breaker.counts()), (Closed, (1, 1, 0)));
    let opens = breaker.abandon(breaker.ticket(0), 0).expect("the second failure");
    assert_eq!((opens.to, opens.cause.as_str()), (Open, cause::ABANDONED));
}

#[test]
fn any_answer_starts_the_count_anew_and_none_does_not() {
    for health in [Health::Up, Health::Down, Health::Throttled] {
        let breaker = ByHand::of(ConsecutiveFailures::new().abandoned_limit(3).build(), 9);
        abandoned(&breaker, 0, 3);
        breaker.vote(0, health);
        let before = breaker.counts();
        abandoned(&breaker, 0, 3);
        assert_eq!(breaker.counts(), before);
        breaker.vote(0, Health::None);
        abandoned(&breaker, 0, 1);
        assert_eq!(breaker.counts().1, before.1 + 1);
    }
}

#[test]
fn a_ratio_breaker_opens_for_a_side_that_never_answers_in_time() {
    let kind = FailureRatio::over_attempts(20).minimum_attempts(5).recovery(Recovery::fixed());
    let breaker = ByHand::of(kind.build(), 1);
    abandoned(&breaker, 0, 14);
    assert_eq!((breaker.state(), breaker.counts()), (Closed, (4, 4, 0)));
    abandoned(&breaker, 0, 1);
    assert_eq!(breaker.state(), Open);
    let ignoring = ByHand::of(kind.ignore_abandoned().build(), 1);
    abandoned(&ignoring, 0, 1_000);
    assert_eq!(ignoring.counts(), (0, 0, 0));
}

#[test]
fn a_success_after_some_abandoned_ones_is_counted() {
    let breaker = ByHand::of(FailureRatio::over_attempts(20).build(), 1);
    abandoned(&breaker, 0, 3);
    breaker.votes(0, 2, Health::Up);
    assert_eq!(breaker.counts(), (2, 0, 0));
}

#[test]
fn a_probe_that_is_given_up_frees_its_slot_and_past_the_limit_has_failed() {
    let breaker = ByHand::of(ConsecutiveFailures::new().abandoned_limit(2).build(), 1);
    breaker.vote(0, Health::Down);
    abandoned(&breaker, 1_000, 2);
    assert_eq!((breaker.state(), breaker.status().probes), (HalfOpen, 0));
    let opens = breaker.abandon(breaker.ticket(1_000), 1_000).expect("one too many");
    assert_eq!((opens.to, opens.cause.as_str()), (Open, cause::ABANDONED));
}
