//! The default breaker, whose circuit calls look at: what they saw when they began moves nothing that has changed since. On
//! the system's clock, where a call holds as little as it can, and in virtual time.

use crate::scene::{KEY, Scene, built, plain};
use futures::FutureExt;
use futures::task::noop_waker;
use recourse::circuit::FailureRatio;
use recourse::{
    Attempt, CircuitMode, CircuitState, Executor, ExecutorBuilder, Policy, StopReason, SystemClock,
};
use std::cell::Cell;
use std::future::{Future, poll_fn, ready};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

/// So long that no circuit of a test is tried again.
const OPEN_FOR: Duration = Duration::from_secs(300);

/// A call whose attempt ends when it is told to.
struct InFlight<'a> {
    call: Pin<Box<dyn Future<Output = Option<StopReason>> + 'a>>,
    ends: Rc<Cell<Option<bool>>>,
}

impl<'a> InFlight<'a> {
    fn begin(executor: &'a Executor) -> Self {
        InFlight::begin_behind(executor, || {})
    }

    /// Something happens in its first poll.
    fn begin_behind(executor: &'a Executor, inside: impl Fn() + 'a) -> Self {
        let ends = Rc::new(Cell::new(None));
        let told = ends.clone();
        let call = executor.run(KEY, move |_: Attempt| {
            let told = told.clone();
            inside();
            poll_fn(move |_| match told.get() {
                None => Poll::Pending,
                Some(true) => Poll::Ready(Ok(7)),
                Some(false) => Poll::Ready(Err(io::Error::other("down"))),
            })
        });
        let call = Box::pin(async move { call.await.err().map(|error| error.stop_reason()) });
        let mut begun = InFlight { call, ends };
        assert!(begun.poll().is_pending());
        begun
    }

    fn poll(&mut self) -> Poll<Option<StopReason>> {
        self.call.as_mut().poll(&mut Context::from_waker(&noop_waker()))
    }

    fn end(mut self, well: bool) {
        self.ends.set(Some(well));
        let stop = if well { None } else { Some(StopReason::AttemptsExhausted) };
        assert_eq!(self.poll(), Poll::Ready(stop));
    }
}

/// A call that is over at once.
fn at_once(executor: &Executor, well: bool) -> Option<StopReason> {
    at_once_behind(executor, well, || {})
}

/// The same, and something happens in its only poll.
fn at_once_behind(executor: &Executor, well: bool, inside: impl Fn()) -> Option<StopReason> {
    let call = executor.run(KEY, |_| {
        inside();
        ready(if well { Ok(7) } else { Err(io::Error::other("down")) })
    });
    let ended = call.now_or_never().expect("it is over in its first poll");
    ended.err().map(|error| error.stop_reason())
}

/// Each way of a call through a circuit: watched or not, timed or not, on clocks of both kinds.
fn executors(policy: Policy) -> Vec<Executor> {
    let scene = Scene::new();
    let builders: [fn(&Scene) -> ExecutorBuilder; 3] =
        [|_| Executor::builder().clock(SystemClock), Scene::unwatched, Scene::builder];
    let timed = policy.clone().hedge_trigger("p95").max_hedges(1);
    let ratio = FailureRatio::over_attempts(20).ratio(1.0).minimum_attempts(2).build().expect("in range");
    let with = |policy: &Policy| {
        builders.map(|builder| {
            let builder = builder(&scene).circuit_breaker("ratio", ratio.clone());
            let executor = built(builder.late_registration().policy(KEY, policy.clone()));
            // The first call of a key finds its plan another way than the others.
            assert_eq!(at_once(&executor, true), None);
            executor
        })
    };
    [policy, timed].iter().flat_map(with).collect()
}

fn breaking(threshold: u32) -> Policy {
    plain().max_attempts(1).circuit(threshold, OPEN_FOR)
}

fn failed(executor: &Executor) -> u64 {
    executor.circuit_status(KEY).expect("it was called").failed
}

#[test]
fn a_success_between_failures_starts_the_count_anew_whenever_it_began() {
    for executor in executors(breaking(2)) {
        for _ in 0..3 {
            let early = InFlight::begin(&executor);
            assert_eq!(at_once(&executor, false), Some(StopReason::AttemptsExhausted));
            let late = InFlight::begin(&executor);
            assert_eq!(failed(&executor), 1);
            early.end(true);
            assert_eq!(
                failed(&executor),
                0,
                "the circuit was healthy when it began, and is not when it ends"
            );
            InFlight::begin(&executor).end(false);
            assert_eq!(failed(&executor), 1);
            late.end(true);
            at_once(&executor, false);
            assert_eq!((failed(&executor), at_once(&executor, true)), (1, None));
            assert_eq!(failed(&executor), 0);
        }
    }
}

#[test]
fn what_happens_in_the_first_poll_of_an_attempt_is_after_its_admission() {
    for executor in executors(breaking(2)) {
        let fails = || _ = at_once(&executor, false);
        // More than once: the first call after another executor was built finds its plan another way than the others.
        for _ in 0..3 {
            assert_eq!((at_once_behind(&executor, true, fails), failed(&executor)), (None, 0));
        }
        // It is one of the circuit that was closed before, and the failure is one of another.
        let closes_anew = || {
            assert!(executor.set_circuit_mode(KEY, CircuitMode::Disabled));
            assert!(executor.set_circuit_mode(KEY, CircuitMode::Enforcing));
            fails();
        };
        assert_eq!((at_once_behind(&executor, true, closes_anew), failed(&executor)), (None, 1));
        for well in [true, false] {
            InFlight::begin_behind(&executor, closes_anew).end(well);
            assert_eq!(failed(&executor), 1, "it was counted in a circuit that it doesn't know");
        }
    }
}

#[test]
fn an_attempt_that_began_before_a_trip_moves_nothing_after_it() {
    for policy in [breaking(1), breaking(1).circuit_breaker("ratio")] {
        for executor in executors(policy) {
            let [well, badly, given_up] = [(); 3].map(|()| InFlight::begin(&executor));
            let [later_well, later_badly] = [(); 2].map(|()| InFlight::begin(&executor));
            // As many as drive the success of before out of the window.
            (0..20).for_each(|_| _ = at_once(&executor, false));
            let open = executor.circuit_status(KEY);
            assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open));
            well.end(true);
            badly.end(false);
            drop(given_up);
            assert_eq!(executor.circuit_status(KEY), open);
            assert_eq!(at_once(&executor, true), Some(StopReason::CircuitOpen));
            // Nor does it count in the circuit that has closed again.
            assert!(executor.set_circuit_mode(KEY, CircuitMode::ForcedClosed));
            let closed = executor.circuit_status(KEY);
            later_well.end(true);
            later_badly.end(false);
            assert_eq!(executor.circuit_status(KEY), closed);
        }
    }
}

#[test]
fn a_window_counts_the_successes_of_calls_that_were_not_asked() {
    for executor in executors(breaking(1).circuit_breaker("ratio")) {
        let counted = || executor.circuit_status(KEY).expect("it was called").counted;
        let before = counted();
        assert_eq!(at_once(&executor, true), None);
        InFlight::begin(&executor).end(true);
        assert_eq!(counted(), before + 2);
    }
}
