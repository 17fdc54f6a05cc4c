//! First attempts that had nobody to ask but a built-in breaker, on the system's clock: they hold no more than a pass, and
//! their circuits, latencies and results are those of calls that are observed, which have no pass.

use crate::scene::{KEY, built, plain};
use futures::future::poll_fn;
use futures::task::noop_waker;
use recourse::circuit::FailureRatio;
use recourse::{
    Attempt, CircuitMode, CircuitState, Clock, Executor, ExecutorBuilder, HedgeDecision, HedgeState,
    HedgeTrigger, Observer, Policy, StopReason, SystemClock,
};
use recourse_test::SeededRandom;
use std::cell::Cell;
use std::future::{Future, ready};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

/// So long that no circuit of a test is tried again.
const OPEN_FOR: Duration = Duration::from_secs(300);

/// Keeps calls from being early.
struct Watching;

impl Observer for Watching {}

fn breaking(threshold: u32) -> Policy {
    plain().max_attempts(1).circuit(threshold, OPEN_FOR)
}

fn executor(policy: Policy) -> Executor {
    built(builder().policy(KEY, policy))
}

fn builder() -> ExecutorBuilder {
    let ratio = FailureRatio::over_attempts(20).ratio(0.3).minimum_attempts(5);
    Executor::builder().circuit_breaker("ratio", ratio.build().expect("the ratio is valid")).seed(1)
}

/// What one call does: pending so often, then this.
#[derive(Clone, Copy, Debug)]
enum Act {
    Succeeds(usize),
    Fails(usize),
    Panics(usize),
    /// Dropped once it was pending.
    Dropped,
}

/// How a call ended; `None` where it was dropped or panicked.
fn run(executor: &Executor, act: Act) -> Option<Result<u32, (StopReason, u32)>> {
    let (pending, ends) = match act {
        Act::Succeeds(pending) | Act::Fails(pending) | Act::Panics(pending) => (pending, true),
        Act::Dropped => (1, false),
    };
    let operation = move |attempt: Attempt| {
        let mut left = pending;
        poll_fn(move |_| {
            if left > 0 {
                left -= 1;
                return Poll::Pending;
            }
            Poll::Ready(match act {
                Act::Fails(_) => Err(io::Error::other("down")),
                Act::Panics(_) => panic!("the operation"),
                _ => Ok(attempt.index()),
            })
        })
    };
    let waker = noop_waker();
    let mut cx = Context::from_waker(&waker);
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let mut call = pin!(executor.run(KEY, operation));
        for _ in 0..=if ends { pending } else { 0 } {
            if let Poll::Ready(result) = call.as_mut().poll(&mut cx) {
                return Some(result.map_err(|error| (error.stop_reason(), error.attempts())));
            }
        }
        None
    }));
    ended.ok().flatten()
}

fn random_act(random: &mut SeededRandom) -> Act {
    let pending = *random.pick(&[0, 0, 1, 2]);
    match *random.pick(&[0, 0, 0, 1, 1, 2, 3]) {
        0 => Act::Succeeds(pending),
        1 => Act::Fails(pending),
        2 => Act::Panics(pending),
        _ => Act::Dropped,
    }
}

#[test]
fn a_circuit_stands_alike_whether_or_not_its_calls_are_observed() {
    let mut random = SeededRandom::new(23);
    let mut opened = 0;
    for round in 0..400 {
        let policy = match round % 4 {
            0 => breaking(2),
            1 => breaking(5),
            2 => breaking(3).circuit_breaker("ratio"),
            _ => breaking(3).circuit_breaker("slow_calls"),
        };
        let executors = [
            built(builder().policy(KEY, policy.clone())),
            built(builder().observer(Watching).policy(KEY, policy)),
        ];
        for call in 0..40 {
            let act = random_act(&mut random);
            let [passed, watched] = executors.each_ref().map(|executor| {
                let ended = run(executor, act);
                let status = executor.circuit_status(KEY).unwrap();
                (ended, status.state, status.counted, status.failed, status.last_trip.map(|trip| trip.cause))
            });
            assert_eq!(passed, watched, "call {call} of round {round}: {act:?}");
            opened += u32::from(passed.1 == CircuitState::Open);
        }
    }
    assert!(opened > 1_000, "the circuits were open for {opened} calls only");
}

#[test]
fn a_success_at_once_ends_a_row_of_failures() {
    let executor = executor(breaking(2));
    for act in [Act::Fails(0), Act::Succeeds(0), Act::Fails(0), Act::Succeeds(1), Act::Fails(1)] {
        run(&executor, act);
        assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Closed), "{act:?}");
    }
    run(&executor, Act::Fails(0));
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open));
}

#[test]
fn an_open_circuit_rejects_at_once_with_key_reason_and_no_attempt() {
    let executor = executor(breaking(1));
    run(&executor, Act::Fails(0));
    let runs = Cell::new(0);
    let mut call = pin!(executor.run(KEY, |_| {
        runs.set(runs.get() + 1);
        ready(io::Result::Ok(7))
    }));
    let waker = noop_waker();
    let Poll::Ready(Err(error)) = call.as_mut().poll(&mut Context::from_waker(&waker)) else {
        panic!("it is rejected at its first poll");
    };
    assert_eq!(
        (error.stop_reason(), error.attempts(), error.key().as_str()),
        (StopReason::CircuitOpen, 0, KEY)
    );
    assert_eq!((error.elapsed(), error.outcome_reason()), (Duration::ZERO, ""));
    assert!(error.inner().is_none() && error.cause().is_none());
    assert_eq!(runs.get(), 0);
}

#[test]
fn a_mode_is_obeyed_by_the_next_call() {
    let executor = executor(breaking(1));
    run(&executor, Act::Succeeds(0));
    for (mode, ended) in [
        (CircuitMode::ForcedOpen, Some(Err((StopReason::CircuitOpen, 0)))),
        (CircuitMode::Disabled, Some(Ok(0))),
        (CircuitMode::ForcedClosed, Some(Ok(0))),
        (CircuitMode::Observing, Some(Ok(0))),
        (CircuitMode::Enforcing, Some(Ok(0))),
    ] {
        assert!(executor.set_circuit_mode(KEY, mode));
        assert_eq!(run(&executor, Act::Succeeds(0)), ended, "{mode:?}");
    }
}

#[test]
#[should_panic(expected = "polled after its end")]
fn a_call_that_was_rejected_is_not_polled_again() {
    let executor = executor(breaking(1));
    run(&executor, Act::Fails(0));
    let mut call = pin!(executor.run(KEY, |_| ready(io::Result::Ok(7))));
    let waker = noop_waker();
    for _ in 0..2 {
        let _ = call.as_mut().poll(&mut Context::from_waker(&waker));
    }
}

/// Remembers how many latencies it was shown, and the shortest that half of them are under, in nanoseconds.
#[derive(Clone, Default)]
struct Shown {
    samples: Arc<AtomicU64>,
    median: Arc<AtomicU64>,
}

impl HedgeTrigger for Shown {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        let latency = state.latency();
        self.samples.store(latency.map_or(0, |latency| latency.samples), Ordering::Relaxed);
        let median = latency.map_or(0, |latency| latency.p50.as_nanos() as u64);
        self.median.store(median, Ordering::Relaxed);
        HedgeDecision::never()
    }
    fn wants_latency(&self) -> bool {
        true
    }
}

/// An executor whose calls are timed, once it has made its first.
fn timed(shown: &Shown) -> Executor {
    let policy = plain().max_attempts(1).circuit(1_000, OPEN_FOR).hedge_trigger("shown");
    let executor = built(builder().hedge_trigger("shown", shown.clone()).policy(KEY, policy));
    run(&executor, Act::Fails(0));
    executor
}

#[test]
fn every_success_is_one_latency_whenever_it_comes_and_a_failure_is_none() {
    let shown = Shown::default();
    let executor = timed(&shown);
    for act in
        [Act::Succeeds(0), Act::Succeeds(1), Act::Fails(0), Act::Fails(2), Act::Succeeds(0), Act::Panics(0)]
    {
        run(&executor, act);
    }
    run(&executor, Act::Dropped);
    assert_eq!(shown.samples.load(Ordering::Relaxed), 3);
    // That one was given up, which is a latency too.
    run(&executor, Act::Dropped);
    assert_eq!(shown.samples.load(Ordering::Relaxed), 4);
}

#[test]
fn a_call_that_had_to_wait_is_timed_from_its_start() {
    let shown = Shown::default();
    let executor = timed(&shown);
    let waker = noop_waker();
    let mut cx = Context::from_waker(&waker);
    let mut polls = 0;
    let mut call = pin!(executor.run(KEY, move |_| {
        poll_fn(move |_| {
            polls += 1;
            let until = SystemClock.now() + Duration::from_millis(if polls == 1 { 2 } else { 0 });
            while SystemClock.now() < until {}
            if polls == 1 { Poll::Pending } else { Poll::Ready(io::Result::Ok(7)) }
        })
    }));
    assert!(call.as_mut().poll(&mut cx).is_pending());
    assert!(call.as_mut().poll(&mut cx).is_ready());
    run(&executor, Act::Dropped);
    // The longest latency of all is told exactly.
    assert!(shown.median.load(Ordering::Relaxed) >= 2_000_000);
}
