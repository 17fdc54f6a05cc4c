//! A wait that the other side asks for: it replaces the computed one, is never undercut, and may end the call.

use crate::scene::{KEY, Scene, ms, plain};
use proptest::prelude::*;
use recourse::{Error, HttpFailure, Jitter, Outcome, Policy, StopReason, Timeline};
use recourse_test::{FixedClassifier, Script, ScriptedError, expect};
use std::time::Duration;

fn busy(wait: Duration) -> Outcome {
    Outcome::retryable("busy").with_backoff(wait)
}

/// A call that always fails, judged so.
fn call(scene: &Scene, policy: Policy, judge: FixedClassifier) -> (Error<ScriptedError>, Timeline) {
    let executor = scene.builder().policy(KEY, policy).default_classifier(judge).build().unwrap();
    let (result, timeline) = scene.call(&executor, &scene.failing());
    (result.unwrap_err(), timeline)
}

fn always(wait: Duration) -> FixedClassifier {
    FixedClassifier::new(busy(wait))
}

#[test]
fn a_server_delay_is_undercut_by_no_jitter_and_no_cap() {
    for jitter in Jitter::ALL {
        let scene = Scene::new();
        let policy = Policy::new().backoff(ms(10), ms(250)).jitter(jitter);
        let (error, timeline) = call(&scene, policy, always(ms(2_000)));
        assert_eq!(error.stop_reason(), StopReason::AttemptsExhausted);
        expect(&timeline).backoffs([ms(2_000), ms(2_000)]).took(ms(4_000));
        assert_eq!(scene.time.sleeps(), [ms(2_000), ms(2_000)]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_server_delay_within_the_limit_is_undercut_or_exceeded_by_a_nanosecond(nanos in 1..=300_000_000_000_u64) {
        let (scene, wait) = (Scene::new(), Duration::from_nanos(nanos));
        let policy = Policy::new().backoff(ms(10), ms(250)).max_server_delay(ms(300_000));
        let (_, timeline) = call(&scene, policy, always(wait));
        expect(&timeline).backoffs([wait, wait]);
        prop_assert_eq!(scene.time.sleeps(), [wait, wait]);
    }
}

#[test]
fn a_server_delay_replaces_a_longer_backoff_too() {
    let scene = Scene::new();
    let (_, timeline) = call(&scene, plain().backoff(ms(200), ms(250)), always(ms(5)));
    expect(&timeline).backoffs([ms(5), ms(5)]);
}

#[test]
fn the_backoff_is_computed_where_the_server_asks_for_nothing() {
    let scene = Scene::new();
    let judge = FixedClassifier::new(busy(ms(500))).then(busy(Duration::ZERO)).then(busy(ms(300)));
    let (_, timeline) = call(&scene, plain().max_attempts(4), judge);
    expect(&timeline).backoffs([ms(500), ms(20), ms(300)]);
}

#[test]
fn of_several_delays_in_a_group_the_largest_counts() {
    for (first, second) in [(1_000, 3_000), (3_000, 1_000)] {
        let scene = Scene::new();
        let judge =
            FixedClassifier::new(busy(ms(first))).then(busy(ms(second))).then(Outcome::abort("enough"));
        let policy = plain().hedge_after(ms(50)).max_hedges(1);
        let executor = scene.builder().policy(KEY, policy).default_classifier(judge).build().unwrap();
        let operation = Script::<u32>::fails(1).all_take(ms(100)).on(&scene.time);
        let (_, timeline) = scene.call(&executor, &operation);
        expect(&timeline).backoffs([ms(3_000)]).reasons(["busy", "busy", "enough", "enough"]);
    }
}

#[test]
fn a_delay_of_one_group_is_forgotten_in_the_next() {
    let scene = Scene::new();
    let judge = FixedClassifier::new(busy(ms(900))).then(Outcome::retryable("plain"));
    let (_, timeline) = call(&scene, plain().max_attempts(4), judge);
    expect(&timeline).backoffs([900, 20, 40].map(ms));
}

#[test]
fn a_delay_longer_than_allowed_ends_the_call_with_the_last_real_error() {
    let scene = Scene::new();
    let (error, timeline) = call(&scene, plain().max_server_delay(ms(1_000)), always(ms(1_001)));
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::ServerDelayTooLong, 1));
    assert_eq!((error.outcome_reason(), error.inner()), ("busy", Some(&ScriptedError::new(0))));
    expect(&timeline).failure().stop("server_delay_too_long").error("scripted failure 0").took(ms(0));
    assert!(scene.time.sleeps().is_empty());
}

#[test]
fn a_delay_as_long_as_allowed_is_waited() {
    let scene = Scene::new();
    let (error, timeline) = call(&scene, plain().max_server_delay(ms(1_000)), always(ms(1_000)));
    assert_eq!(error.stop_reason(), StopReason::AttemptsExhausted);
    expect(&timeline).backoffs([ms(1_000), ms(1_000)]);
}

#[test]
fn by_default_thirty_seconds_are_allowed_and_for_ever_never_is() {
    for (wait, stop) in [
        (ms(30_000), StopReason::AttemptsExhausted),
        (ms(30_001), StopReason::ServerDelayTooLong),
        (Duration::MAX, StopReason::ServerDelayTooLong),
    ] {
        let scene = Scene::new();
        assert_eq!(call(&scene, plain(), always(wait)).0.stop_reason(), stop, "{wait:?}");
    }
    let scene = Scene::new();
    let longest = plain().max_server_delay(Duration::MAX);
    assert_eq!(call(&scene, longest.clone(), always(ms(300_000))).0.attempts(), 3);
    assert_eq!(call(&scene, longest, always(ms(300_001))).0.attempts(), 1);
}

#[test]
fn the_last_attempt_ends_the_call_whatever_the_server_asks_for() {
    let scene = Scene::new();
    let (error, _) = call(&scene, plain().max_attempts(1), always(Duration::MAX));
    assert_eq!(error.stop_reason(), StopReason::AttemptsExhausted);
}

#[test]
fn a_wait_that_would_outlast_the_deadline_is_not_started() {
    let scene = Scene::new();
    let (error, timeline) = call(&scene, plain().overall_timeout(ms(1_000)), always(ms(1_001)));
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::DeadlineWouldPass, 1));
    assert_eq!(error.into_inner(), Some(ScriptedError::new(0)));
    expect(&timeline).stop("deadline_would_pass").error("scripted failure 0").took(ms(0));
    assert!(scene.time.sleeps().is_empty());
}

#[test]
fn a_computed_wait_that_would_outlast_the_deadline_is_not_started_either() {
    let scene = Scene::new();
    let policy = plain().max_attempts(10).backoff(ms(100), ms(100)).overall_timeout(ms(250));
    let (error, timeline) = call(&scene, policy, FixedClassifier::new(Outcome::retryable("")));
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::DeadlineWouldPass, 3));
    assert_eq!(error.into_inner(), Some(ScriptedError::new(2)));
    expect(&timeline).backoffs([ms(100), ms(100)]).took(ms(200));
}

#[test]
fn a_delay_that_is_both_too_long_and_past_the_deadline_is_too_long() {
    let scene = Scene::new();
    let policy = plain().max_server_delay(ms(500)).overall_timeout(ms(1_000));
    assert_eq!(call(&scene, policy, always(ms(2_000))).0.stop_reason(), StopReason::ServerDelayTooLong);
}

#[test]
fn retry_after_of_an_http_answer_is_such_a_delay_on_429_and_503_alike() {
    for status in [429, 503] {
        let scene = Scene::new();
        let executor = scene.executor(Policy::http());
        let answer = move |_| HttpFailure::new(status, "GET").retry_after(ms(7_000));
        let operation = Script::fails_with(1, answer).then_ok("body").on(&scene.time);
        let (result, timeline) = scene.call(&executor, &operation);
        assert_eq!(result.unwrap(), "body");
        expect(&timeline).backoffs([ms(7_000)]);
    }
}
