//! A group in which every launched attempt has failed takes the most severe outcome, and that attempt's result.

use crate::stage::{KEY, Stage, Told, ms, plain};
use recourse::{Policy, StopReason};
use recourse_test::{Script, ScriptedCall, expect};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

fn hedged(hedges: u32) -> Policy {
    plain().max_attempts(1).hedge_after(ms(10)).max_hedges(hedges)
}

/// A primary and hedges that fail so, each this long after its start.
fn fails<const N: usize>(attempts: [(Told, u64); N]) -> Script<u32, Told> {
    attempts.into_iter().fold(Script::new(), |script, (told, takes)| script.then_err(told).takes(ms(takes)))
}

/// The stop reason, the name of the error and how long the call took.
fn ends<const N: usize>(policy: Policy, attempts: [(Told, u64); N]) -> (StopReason, &'static str, u128) {
    let played = Stage::told(policy).play(fails(attempts));
    expect(&played.timeline).failure().well_formed();
    let took = played.timeline.duration().as_millis();
    let shown = played.timeline.error.clone();
    let error = played.error();
    let (stop, reason) = (error.stop_reason(), error.outcome_reason().to_owned());
    let name = error.into_inner().expect("the operation returned an error").name;
    assert_eq!((reason.as_str(), shown.as_deref()), (name, Some(name)));
    (stop, name, took)
}

#[test]
fn abort_is_more_severe_than_non_retryable_and_that_than_retryable() {
    let (r, n, a) = (Told::retryable("r"), Told::non_retryable("n"), Told::abort("a"));
    for (primary, hedge, stop, name) in [
        (&r, &n, StopReason::NonRetryable, "n"),
        (&n, &r, StopReason::NonRetryable, "n"),
        (&r, &a, StopReason::Abort, "a"),
        (&a, &r, StopReason::Abort, "a"),
        (&n, &a, StopReason::Abort, "a"),
        (&a, &n, StopReason::Abort, "a"),
    ] {
        for (first, second) in [(50, 10), (15, 40)] {
            let found = ends(hedged(1), [(primary.clone(), first), (hedge.clone(), second)]);
            assert_eq!(found, (stop, name, 50), "{primary} and {hedge}: all are waited for");
        }
    }
}

#[test]
fn in_a_tie_the_primarys_result_counts() {
    for (primary, hedge) in [(50, 10), (15, 40), (30, 20)] {
        let attempts = [(Told::retryable("primary"), primary), (Told::retryable("hedge"), hedge)];
        assert_eq!(ends(hedged(1), attempts).1, "primary");
        let attempts = [(Told::abort("primary"), primary), (Told::abort("hedge"), hedge)];
        assert_eq!(ends(hedged(1), attempts).1, "primary");
    }
}

#[test]
fn the_group_ends_once_every_launched_attempt_has_failed() {
    let early = ends(plain().max_attempts(1).hedge_after(ms(200)), [(Told::retryable("r"), 5)]);
    assert_eq!(early, (StopReason::AttemptsExhausted, "r", 5));
    let second = ends(hedged(3), [(Told::retryable("r"), 12), (Told::retryable("h"), 5)]);
    assert_eq!(second, (StopReason::AttemptsExhausted, "r", 15), "two hedges are not waited for");
}

#[test]
fn attempts_that_all_end_in_one_poll_end_the_group_in_that_poll() {
    let attempts = [("a", 30), ("b", 20), ("c", 10)].map(|(name, takes)| (Told::retryable(name), takes));
    assert_eq!(ends(hedged(2), attempts), (StopReason::AttemptsExhausted, "a", 30));
}

#[test]
fn a_success_beats_every_failure_before_it() {
    for failure in [Told::retryable("r"), Told::non_retryable("n"), Told::abort("a")] {
        let stage = Stage::told(hedged(1));
        let primary_fails = Script::new().then_err(failure.clone()).takes(ms(15)).then_ok(7).takes(ms(50));
        let played = stage.play(primary_fails);
        assert_eq!(played.result.unwrap(), 7);
        expect(&played.timeline).success().endings(["failed", "won"]).took(ms(60));
        let hedge_fails = Script::new().then_ok(7).takes(ms(50)).then_err(failure).takes(ms(5));
        let played = stage.play(hedge_fails);
        assert_eq!(played.result.unwrap(), 7);
        expect(&played.timeline).success().endings(["won", "failed"]).took(ms(50));
    }
}

#[test]
fn cancel_on_first_terminal_ends_the_group_with_the_first_terminal_outcome() {
    for (told, stop) in
        [(Told::non_retryable("end"), StopReason::NonRetryable), (Told::abort("end"), StopReason::Abort)]
    {
        let policy = hedged(1).cancel_on_first_terminal(true);
        let by_hedge = Stage::told(policy.clone())
            .play(Script::<u32, _>::new().then_never().then_err(told.clone()).takes(ms(5)));
        expect(&by_hedge.timeline).stop(stop).endings(["superseded", "failed"]).took(ms(15)).error("end");
        assert_eq!(by_hedge.operation.dropped(), 1);
        assert_eq!(by_hedge.error().into_inner().unwrap().name, "end");
        let stage = Stage::told(policy);
        let by_primary = stage.play(Script::<u32, _>::new().then_err(told).takes(ms(15)).then_never());
        expect(&by_primary.timeline).stop(stop).endings(["failed", "superseded"]).took(ms(15));
        assert_eq!(stage.observer.hedge_cancels().len(), 1);
    }
}

#[test]
fn with_cancel_on_first_terminal_the_first_terminal_result_counts_not_the_most_severe_one() {
    let policy = hedged(2).cancel_on_first_terminal(true);
    let attempts = [(Told::retryable("r"), 15), (Told::non_retryable("n"), 15), (Told::abort("a"), 500)];
    assert_eq!(ends(policy, attempts), (StopReason::NonRetryable, "n", 25));
}

#[test]
fn cancel_on_first_terminal_lets_a_retryable_failure_pass() {
    let stage = Stage::told(hedged(1).cancel_on_first_terminal(true));
    let script = Script::new().then_err(Told::retryable("r")).takes(ms(15)).then_ok(7).takes(ms(50));
    let played = stage.play(script);
    assert_eq!(played.result.unwrap(), 7);
    expect(&played.timeline).endings(["failed", "won"]).took(ms(60));
}

#[test]
fn a_timed_out_primary_decides_a_tie_but_the_operations_last_error_is_kept() {
    let stage = Stage::told(hedged(1).timeout_per_attempt(ms(30)));
    let script = Script::<u32, _>::new().then_never().then_err(Told::retryable("hedge")).takes(ms(5));
    let played = stage.play(script);
    expect(&played.timeline).stop("attempts_exhausted").endings(["timed_out", "failed"]).took(ms(30));
    let error = played.error();
    assert_eq!(error.outcome_reason(), "context_deadline_exceeded");
    assert_eq!(error.into_inner().unwrap().name, "hedge");
}

#[test]
fn a_hedge_may_still_be_launched_beside_a_hedge_when_the_primary_has_failed() {
    let stage = Stage::told(hedged(2));
    let script = Script::new().then_err(Told::retryable("r")).takes(ms(15)).then_never().then_ok(7);
    let played = stage.play(script);
    assert_eq!(played.result.unwrap(), 7);
    expect(&played.timeline).endings(["failed", "superseded", "won"]).took(ms(20));
}

/// A future that holds something until it is dropped, as the response of a concurrency limit holds its permit.
struct Holding(Pin<Box<ScriptedCall<u32, Told>>>, #[allow(dead_code, reason = "it is held")] Arc<()>);

impl Future for Holding {
    type Output = Result<u32, Told>;
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

#[test]
fn an_attempt_that_has_failed_is_dropped_while_its_hedge_still_runs() {
    let stage = Stage::told(hedged(1));
    let script = Script::new().then_err(Told::retryable("r")).takes(ms(15)).then_ok(7).takes(ms(50));
    let (operation, held) = (script.on(&stage.time), Arc::new(()));
    let call =
        stage.executor.run(KEY, |attempt| Holding(Box::pin(operation.call(attempt)), Arc::clone(&held)));
    let mut call = stage.time.step(call);
    while stage.time.elapsed() < ms(15) {
        assert!(call.poll().is_pending());
    }
    assert_eq!(operation.in_flight(), 1);
    assert_eq!(Arc::strong_count(&held) - 1, 1, "only the hedge holds anything");
    assert_eq!(call.run().unwrap(), 7);
}
