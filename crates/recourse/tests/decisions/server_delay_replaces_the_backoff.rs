//! A wait that the other side asked for replaces the computed backoff and is never undercut.

use crate::stage::{Stage, Told, ms, plain};
use recourse::{GrpcCode, GrpcFailure, HttpFailure, Jitter, Policy, StopReason};
use recourse_test::{Script, expect};

/// Policy with every jitter; none may touch a server's delay.
fn every_jitter() -> impl Iterator<Item = Policy> {
    Jitter::ALL.into_iter().map(|jitter| plain().jitter(jitter))
}

fn answers(status: u16, wait: u64) -> Script<u32, HttpFailure> {
    Script::fails_with(1, move |_| HttpFailure::new(status, "GET").retry_after(ms(wait)))
        .then_with(1, |_| Ok(7))
}

#[test]
fn a_retry_after_replaces_the_backoff_whatever_the_jitter() {
    for status in [408, 425, 429, 500, 503] {
        for policy in every_jitter() {
            let stage = Stage::new(policy);
            let played = stage.play(answers(status, 200));
            expect(&played.timeline).success().backoffs([ms(200)]);
            assert_eq!(stage.time.sleeps(), [ms(200)], "{status}");
            let notes = &played.timeline.attempts()[0].outcome.attributes;
            assert_eq!(notes.get("retry_after"), Some("200ms"));
        }
    }
}

#[test]
fn max_backoff_does_not_cut_it() {
    for policy in every_jitter() {
        let stage = Stage::new(policy.backoff(ms(10), ms(50)));
        expect(&stage.play(answers(429, 20_000)).timeline).success().backoffs([ms(20_000)]);
    }
}

#[test]
fn a_shorter_delay_than_the_computed_one_counts_too() {
    let stage = Stage::new(plain().backoff(ms(100), ms(250)));
    expect(&stage.play(answers(503, 3)).timeline).backoffs([ms(3)]);
}

#[test]
fn a_zero_retry_after_asks_for_nothing() {
    let played = Stage::new(plain()).play(answers(429, 0));
    expect(&played.timeline).backoffs([ms(10)]);
    assert_eq!(played.timeline.attempts()[0].outcome.attributes.get("retry_after"), None);
}

#[test]
fn the_pushback_of_a_grpc_server_is_such_a_delay() {
    let stage = Stage::new(plain().classifier("grpc"));
    let script = Script::fails_with(1, |_| GrpcFailure::new(GrpcCode::Unavailable).retry_after(ms(700)));
    expect(&stage.play(script.then_ok(7)).timeline).success().backoffs([ms(700)]);
}

#[test]
fn it_counts_for_one_wait_and_the_next_is_computed_again() {
    let stage = Stage::told(plain());
    let script = Script::<u32, _>::new().then_err(Told::retryable("busy").wait(ms(90)));
    expect(&stage.play(script.then_err(Told::retryable("busy"))).timeline).backoffs([ms(90), ms(20)]);
}

#[test]
fn one_beyond_max_server_delay_ends_the_call_with_the_last_error() {
    let stage = Stage::new(plain().max_server_delay(ms(500)));
    expect(&stage.play(answers(429, 500)).timeline).success().backoffs([ms(500)]);
    let played = stage.play(answers(429, 501));
    expect(&played.timeline).failure().stop("server_delay_too_long").attempts(1).error("GET answered 429");
    let error = played.error();
    assert_eq!(error.stop_reason(), StopReason::ServerDelayTooLong);
    assert_eq!(error.into_inner().unwrap().status(), 429);
    assert_eq!(stage.time.sleeps(), [ms(500)], "the longer one is not waited for");
}

#[test]
fn one_beyond_the_overall_deadline_ends_the_call_at_once() {
    let stage = Stage::new(plain().overall_timeout(ms(400)));
    let played = stage.play(answers(429, 401));
    expect(&played.timeline).stop("deadline_would_pass").attempts(1).took(ms(0));
    assert_eq!(played.error().into_inner().unwrap().status(), 429);
    assert!(stage.time.sleeps().is_empty());
    expect(&stage.play(answers(429, 399)).timeline).success();
}

#[test]
fn of_the_attempts_of_a_group_the_longest_delay_counts() {
    for (primary, hedge) in [(40, 90), (90, 40), (0, 90), (90, 0)] {
        let stage = Stage::told(plain().max_attempts(2).hedge_after(ms(10)).max_hedges(1));
        let script = Script::new()
            .then_err(Told::retryable("primary").wait(ms(primary)))
            .takes(ms(20))
            .then_err(Told::retryable("hedge").wait(ms(hedge)))
            .takes(ms(20))
            .then_ok(7);
        let played = stage.play(script);
        expect(&played.timeline).success().backoffs([ms(90)]).endings(["failed", "failed", "won"]);
    }
}

#[test]
fn after_the_last_attempt_nothing_is_waited_for() {
    let stage = Stage::new(plain().max_attempts(1));
    expect(&stage.play(answers(429, 200)).timeline).stop("attempts_exhausted");
    expect(&stage.play(answers(429, 60_000)).timeline).stop("attempts_exhausted");
    assert!(stage.time.sleeps().is_empty());
}

#[test]
fn an_answer_that_must_not_be_retried_is_not_waited_for() {
    let stage = Stage::new(plain());
    let script = Script::<u32, _>::fails_with(9, |_| HttpFailure::new(503, "POST").retry_after(ms(200)));
    expect(&stage.play(script).timeline).stop("non_retryable").reasons(["http_non_idempotent"]);
    let script =
        Script::<u32, _>::fails_with(9, |_| HttpFailure::new(429, "GET").retry_after(ms(200)).do_not_retry());
    expect(&stage.play(script).timeline).stop("non_retryable").reasons(["server_do_not_retry"]);
    assert!(stage.time.sleeps().is_empty());
}
