//! The breaker votes per attempt: it is asked before, and told after, every one of them.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{AttemptKind, CircuitState, Ending, Executor, Health, Outcome, Policy, StopReason};
use recourse_test::{FixedClassifier, Script, ScriptedBreaker, ScriptedBudget, ScriptedOperation, expect};

fn run(scene: &Scene, executor: &Executor, operation: &ScriptedOperation<u32>) -> Option<StopReason> {
    let ended = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)));
    ended.err().map(|error| error.stop_reason())
}

fn with_breaker(scene: &Scene, policy: Policy, breaker: &ScriptedBreaker) -> Executor {
    built(scene.builder().circuit_breaker("b", breaker.clone()).policy(KEY, policy.circuit_breaker("b")))
}

#[test]
fn the_circuit_opens_after_threshold_failures_and_rejects_without_invoking_the_operation() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(1).circuit(3, ms(1_000)));
    let operation = Script::fails(1).on(&scene.time);
    for _ in 0..3 {
        assert_eq!(run(&scene, &executor, &operation), Some(StopReason::AttemptsExhausted));
    }
    let (result, timeline) =
        scene.time.run(executor.call(KEY).run_captured(|attempt| operation.call(attempt)));
    let error = result.unwrap_err();
    assert_eq!(error.stop_reason(), StopReason::CircuitOpen);
    assert_eq!((error.attempts(), error.inner()), (0, None));
    assert_eq!(operation.count(), 3);
    expect(&timeline).failure().attempts(0).stop("circuit_open").attribute("circuit_state", "open");
    let opened = &scene.observer.transitions()[0];
    assert_eq!((opened.from, opened.to), (CircuitState::Closed, CircuitState::Open));
}

#[test]
fn a_success_in_between_starts_the_count_anew() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(1).circuit(2, ms(1_000)));
    let operation = Script::fails(1).then_ok(1).then_fails(1).then_ok(1).on(&scene.time);
    for _ in 0..4 {
        let _ = run(&scene, &executor, &operation);
    }
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Closed));
}

#[test]
fn thresholds_count_attempts_so_a_threshold_of_five_trips_in_the_second_call_of_three() {
    let scene = Scene::new();
    let executor = scene.executor(plain().circuit(5, ms(1_000)));
    let operation = Script::fails(1).on(&scene.time);
    assert_eq!(run(&scene, &executor, &operation), Some(StopReason::AttemptsExhausted));
    assert_eq!(run(&scene, &executor, &operation), Some(StopReason::CircuitOpen));
    assert_eq!(operation.count(), 5);
}

#[test]
fn a_breaker_that_opens_in_the_middle_of_a_call_ends_its_retries_with_the_last_real_error() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(5).circuit(2, ms(10_000)));
    let operation = Script::<u32>::fails(1).on(&scene.time);
    let (result, timeline) =
        scene.time.run(executor.call(KEY).run_captured(|attempt| operation.call(attempt)));
    let error = result.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::CircuitOpen, 2));
    assert_eq!(error.into_inner().map(|inner| inner.number), Some(1));
    expect(&timeline).attempts(2).stop("circuit_open").error("scripted failure 1").well_formed();
}

#[test]
fn a_breaker_that_stays_open_longer_than_the_backoff_ends_the_call_without_the_wait() {
    let scene = Scene::new();
    let policy = plain().backoff(ms(50), ms(50)).circuit(1, ms(10_000));
    let executor = scene.executor(policy);
    let operation = Script::fails(1).on(&scene.time);
    assert_eq!(run(&scene, &executor, &operation), Some(StopReason::CircuitOpen));
    assert!(scene.time.sleeps().is_empty());
}

#[test]
fn a_breaker_whose_cooldown_ends_within_the_backoff_lets_the_retry_through_as_its_probe() {
    let scene = Scene::new();
    let executor = scene.executor(plain().backoff(ms(200), ms(200)).circuit(1, ms(100)));
    let operation = Script::fails(1).then_ok(7).on(&scene.time);
    assert_eq!(run(&scene, &executor, &operation), None);
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Closed));
    let states: Vec<_> = scene.observer.transitions().iter().map(|change| change.to).collect();
    assert_eq!(states, [CircuitState::Open, CircuitState::HalfOpen, CircuitState::Closed]);
}

#[test]
fn a_failed_probe_opens_the_circuit_again() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(1).circuit(1, ms(100)));
    let operation = Script::fails(1).on(&scene.time);
    let _ = run(&scene, &executor, &operation);
    scene.time.advance(ms(100));
    assert_eq!(run(&scene, &executor, &operation), Some(StopReason::AttemptsExhausted));
    assert_eq!(run(&scene, &executor, &operation), Some(StopReason::CircuitOpen));
    assert_eq!(operation.count(), 2);
}

#[test]
fn the_breaker_hears_up_down_or_none_for_every_attempt_by_its_health() {
    let scene = Scene::new();
    let breaker = ScriptedBreaker::admits(1);
    let outcomes = FixedClassifier::new(Outcome::retryable("r"))
        .then(Outcome::retryable("r").with_health(Health::Up))
        .then(Outcome::success())
        .then(Outcome::non_retryable("n"))
        .then(Outcome::abort("a"));
    let policy = plain().circuit_breaker("b").classifier("c");
    let builder = scene.builder().circuit_breaker("b", breaker.clone()).classifier("c", outcomes);
    let executor = built(builder.policy(KEY, policy));
    let operation = Script::fails(1).on(&scene.time);
    let stops: Vec<_> = (0..3).map(|_| run(&scene, &executor, &operation)).collect();
    assert_eq!(stops, [Some(StopReason::Accepted), Some(StopReason::NonRetryable), Some(StopReason::Abort)]);
    assert_eq!(breaker.votes(), [Health::Down, Health::Up, Health::Up, Health::Up, Health::None]);
    breaker.assert_all_reported();
}

#[test]
fn losers_of_a_hedge_race_are_no_votes() {
    let scene = Scene::new();
    let breaker = ScriptedBreaker::admits(1);
    let executor = with_breaker(&scene, plain().hedge_after(ms(10)).max_hedges(1), &breaker);
    let operation = Script::never().then_ok(7).takes(ms(5)).on(&scene.time);
    assert_eq!(run(&scene, &executor, &operation), None);
    assert_eq!(breaker.asks(), [AttemptKind::Retry, AttemptKind::Hedge]);
    let mut votes = breaker.votes();
    votes.sort_by_key(|vote| *vote == Health::None);
    assert_eq!(votes, [Health::Up, Health::None]);
    breaker.assert_all_reported();
}

#[test]
fn an_attempt_that_times_out_is_a_down_vote() {
    let scene = Scene::new();
    let breaker = ScriptedBreaker::admits(1);
    let executor = with_breaker(&scene, plain().max_attempts(1).timeout_per_attempt(ms(5)), &breaker);
    let _ = run(&scene, &executor, &Script::never().on(&scene.time));
    assert_eq!(breaker.votes(), [Health::Down]);
}

#[test]
fn an_attempt_cut_by_the_overall_deadline_is_a_down_vote() {
    let scene = Scene::new();
    let breaker = ScriptedBreaker::admits(1);
    let executor = with_breaker(&scene, plain().overall_timeout(ms(5)), &breaker);
    let stop = run(&scene, &executor, &Script::never().on(&scene.time));
    assert_eq!(stop, Some(StopReason::OverallTimeout));
    assert_eq!(breaker.votes(), [Health::Down]);
}

#[test]
fn a_local_refusal_is_no_vote() {
    let scene = Scene::new();
    let (breaker, budget) = (ScriptedBreaker::admits(1), ScriptedBudget::denies(1));
    let builder = scene.builder().circuit_breaker("b", breaker.clone()).budget("no", budget.clone());
    let executor = built(builder.policy(KEY, plain().circuit_breaker("b").retry_budget("no")));
    let operation = Script::ok(7).on(&scene.time);
    assert_eq!(run(&scene, &executor, &operation), Some(StopReason::BudgetDenied));
    assert_eq!(breaker.votes(), [Health::None], "a ticket that the budget voids is given back unused");
    breaker.assert_all_reported();

    // Nor is a rejection by the breaker itself, which doesn't reach the budget.
    let scene = Scene::new();
    let (breaker, budget) = (ScriptedBreaker::rejects(1), ScriptedBudget::allows(1));
    let builder = scene.builder().circuit_breaker("b", breaker.clone()).budget("yes", budget.clone());
    let executor = built(builder.policy(KEY, plain().circuit_breaker("b").retry_budget("yes")));
    assert_eq!(run(&scene, &executor, &operation), Some(StopReason::CircuitOpen));
    assert!(breaker.votes().is_empty() && budget.asks().is_empty());
}

#[test]
fn a_rejected_hedge_neither_ends_the_group_nor_counts() {
    let scene = Scene::new();
    let breaker = ScriptedBreaker::admits(1).then_rejects(1);
    let executor = with_breaker(&scene, plain().hedge_after(ms(10)), &breaker);
    let operation = Script::ok(7).takes(ms(50)).on(&scene.time);
    assert_eq!(run(&scene, &executor, &operation), None);
    assert_eq!((operation.count(), breaker.asks().len()), (1, 3));
    expect(&scene.observer.last_timeline()).success().endings([Ending::Won]).took(ms(50));
}

#[test]
fn a_half_open_rejection_says_so() {
    let scene = Scene::new();
    let breaker = ScriptedBreaker::rejects(1).half_open();
    let executor = with_breaker(&scene, plain(), &breaker);
    let operation = Script::ok(7).on(&scene.time);
    assert_eq!(run(&scene, &executor, &operation), Some(StopReason::CircuitHalfOpenProbeLimit));
    expect(&scene.observer.last_timeline())
        .stop("circuit_half_open_probe_limit")
        .attribute("circuit_state", "half_open");
    assert_eq!(operation.count(), 0);
}

#[test]
fn each_key_has_a_circuit_of_its_own() {
    let scene = Scene::new();
    let executor = built(scene.builder().default_policy(plain().max_attempts(1).circuit(1, ms(1_000))));
    let operation = Script::<u32>::fails(1).on(&scene.time);
    let one = |key: &'static str| {
        let ended = scene.time.run(executor.run(key, |attempt| operation.call(attempt)));
        ended.unwrap_err().stop_reason()
    };
    assert_eq!(one("a.X"), StopReason::AttemptsExhausted);
    assert_eq!(one("b.X"), StopReason::AttemptsExhausted);
    assert_eq!(one("a.X"), StopReason::CircuitOpen);
}
