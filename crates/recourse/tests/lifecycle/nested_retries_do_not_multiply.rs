//! A call inside an attempt of another call leaves retrying to that call, where its policy says so.

use crate::scene::{Scene, built, plain};
use futures::FutureExt;
use futures::executor::{LocalPool, block_on};
use futures::task::LocalSpawnExt;
use recourse::hedge::{FixedDelay, OnFailure};
use recourse::{
    Attempt, Error, Executor, Key, Policy, PolicyProvider, PolicySource, ProvidedPolicy, ProviderError,
    Sleeper, StopReason, Timeline,
};
use std::cell::RefCell;
use std::future::{Future, poll_fn, ready};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const OUTER: &str = "shop.Checkout";
const INNER: &str = "payments.Charge";

/// Its sleeps are over at once.
struct NoWait;

impl Sleeper for NoWait {
    fn sleep<'s, 'f>(&'s self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(ready(()))
    }
}

fn executor(inner: Policy) -> Executor {
    let builder = Executor::builder().sleeper(NoWait).seed(1);
    built(builder.policy(OUTER, plain().max_attempts(3)).policy(INNER, inner))
}

fn leaves() -> Policy {
    plain().max_attempts(4).leave_retries_to_outer(true)
}

/// An operation that always fails, and the number of times that it ran.
#[derive(Clone, Default)]
struct Down(Arc<AtomicU32>);

impl Down {
    fn fail(&self) -> Result<(), io::Error> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(io::Error::other("down"))
    }

    fn runs(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Waits once.
async fn pause() {
    let mut waits = true;
    poll_fn(|cx| match std::mem::take(&mut waits) {
        true => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        false => Poll::Ready(()),
    })
    .await;
}

/// The inner timelines of an outer call that fails, and how often the operation ran.
fn nested(inner: Policy, waits: bool) -> (Vec<Timeline>, u32, Error<Error<io::Error>>) {
    let (executor, down) = (executor(inner), Down::default());
    let timelines = RefCell::new(Vec::new());
    let outer = executor.run(OUTER, |_| async {
        let charge = executor.call(INNER).run_captured(|_| async {
            if waits {
                pause().await;
            }
            down.fail()
        });
        let (result, timeline) = charge.await;
        timelines.borrow_mut().push(timeline);
        result
    });
    let error = block_on(outer).expect_err("it always fails");
    (timelines.take(), down.runs(), error)
}

fn stops(timelines: &[Timeline]) -> Vec<&'static str> {
    timelines.iter().map(|timeline| timeline.stop.map_or("", StopReason::as_str)).collect()
}

fn notes(timelines: &[Timeline]) -> Vec<&str> {
    timelines.iter().map(|timeline| timeline.attributes.get("nested").unwrap_or_default()).collect()
}

#[test]
fn by_default_a_nested_call_retries_by_its_own_policy_and_the_timeline_says_where_it_ran() {
    let (timelines, runs, error) = nested(plain().max_attempts(4), false);
    assert_eq!((runs, error.attempts()), (12, 3));
    assert_eq!(stops(&timelines), ["attempts_exhausted"; 3]);
    assert_eq!(notes(&timelines), ["in_retryable_attempt", "in_retryable_attempt", "in_last_attempt"]);
}

#[test]
fn one_that_leaves_retrying_to_the_outer_call_retries_in_its_last_attempt_alone() {
    for waits in [false, true] {
        let (timelines, runs, error) = nested(leaves(), waits);
        assert_eq!(stops(&timelines), ["left_to_outer", "left_to_outer", "attempts_exhausted"]);
        assert_eq!((runs, error.attempts()), (1 + 1 + 4, 3));
        assert_eq!(error.stop_reason(), StopReason::AttemptsExhausted);
        let inner = error.into_inner().expect("the inner call's error");
        assert_eq!((inner.stop_reason(), inner.attempts()), (StopReason::AttemptsExhausted, 4));
    }
}

#[test]
fn unwatched_it_is_the_same() {
    let (executor, down) = (executor(leaves()), Down::default());
    let reasons = RefCell::new(Vec::new());
    let outer = executor.run(OUTER, |_| async {
        let result = executor.run(INNER, |_| ready(down.fail())).await;
        reasons.borrow_mut().push(result.as_ref().err().map(Error::stop_reason));
        result
    });
    assert!(block_on(outer).is_err());
    let left = Some(StopReason::LeftToOuter);
    assert_eq!(*reasons.borrow(), [left, left, Some(StopReason::AttemptsExhausted)]);
    assert_eq!(down.runs(), 6);
}

#[test]
fn the_error_says_that_the_outer_call_may_retry() {
    let (executor, down) = (executor(leaves()), Down::default());
    let text = RefCell::new(String::new());
    let outer = executor.run(OUTER, async |attempt: Attempt| {
        let result = executor.run(INNER, |_| ready(down.fail())).await;
        if attempt.index() == 0 {
            *text.borrow_mut() = result.as_ref().err().map(Error::to_string).unwrap_or_default();
        }
        result
    });
    assert!(block_on(outer).is_err());
    assert!(text.borrow().contains("left_to_outer"), "{}", text.borrow());
}

#[test]
fn outside_of_any_attempt_it_retries() {
    let (executor, down) = (executor(leaves()), Down::default());
    let (result, timeline) = block_on(executor.call(INNER).run_captured(|_| ready(down.fail())));
    assert!(result.is_err());
    assert_eq!((down.runs(), timeline.attributes.get("nested")), (4, None));
}

#[test]
fn of_three_levels_the_outermost_retries() {
    let builder = Executor::builder().sleeper(NoWait).seed(1).policy("a.A", plain().max_attempts(2));
    let executor = built(builder.policy("b.B", leaves()).policy("c.C", leaves()));
    let down = Down::default();
    let call = executor
        .run("a.A", |_| async { executor.run("b.B", |_| executor.run("c.C", |_| ready(down.fail()))).await });
    assert!(block_on(call).is_err());
    // Once in A's first attempt. In its last, B has four, in the last of which C has four.
    assert_eq!(down.runs(), 1 + 3 + 4);
}

#[test]
fn a_call_of_its_own_task_has_to_be_told() {
    for told in [false, true] {
        let (executor, down) = (executor(leaves()), Down::default());
        let mut pool = LocalPool::new();
        let spawner = pool.spawner();
        let (inner, runs) = (Rc::new(executor.clone()), down.clone());
        let outer = executor.run(OUTER, async |attempt: Attempt| {
            let (inner, down) = (inner.clone(), runs.clone());
            let task = async move {
                let call = inner.call(INNER);
                let call = if told { call.within(attempt) } else { call };
                call.run(|_| ready(down.fail())).await
            };
            spawner.spawn_local_with_handle(task).expect("the pool runs").await
        });
        assert!(pool.run_until(outer).is_err());
        assert_eq!(down.runs(), if told { 6 } else { 12 });
    }
}

#[test]
fn an_attempt_knows_whether_it_may_be_retried() {
    let executor = executor(leaves());
    let seen = RefCell::new(Vec::new());
    let call = executor.run(OUTER, |attempt| {
        seen.borrow_mut().push(attempt.may_be_retried());
        ready(Err::<(), _>(io::Error::other("down")))
    });
    assert!(block_on(call).is_err());
    assert_eq!(*seen.borrow(), [true, true, false]);
}

#[test]
fn a_call_beside_an_attempt_is_not_in_it() {
    let (executor, down) = (executor(leaves()), Down::default());
    let outer = executor.run(OUTER, |_| async {
        pause().await;
        Ok::<_, io::Error>(())
    });
    let beside = executor.run(INNER, |_| async {
        pause().await;
        down.fail()
    });
    let (outer, beside) = block_on(futures::future::join(outer, beside));
    assert!(outer.is_ok());
    assert_eq!(beside.map_err(|error| error.attempts()), Err(4));
}

#[test]
fn a_panic_of_an_operation_leaves_no_attempt_behind() {
    let (executor, down) = (executor(leaves()), Down::default());
    let panics =
        || block_on(executor.run(OUTER, |_| async { panic!("on purpose") as Result<(), io::Error> }));
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    assert!(block_on(executor.run(INNER, |_| ready(down.fail()))).is_err());
    assert_eq!(down.runs(), 4);
}

#[test]
fn an_inner_call_in_a_hedge_knows_too() {
    let scene = Scene::new();
    let hedged = plain().max_attempts(2).hedge_after(Duration::from_millis(10)).max_hedges(1);
    let executor = built(scene.unwatched().policy(OUTER, hedged).policy(INNER, leaves()));
    let reasons = RefCell::new(Vec::new());
    let (inner, reasons_) = (&executor, &reasons);
    let outer = executor.run(OUTER, |attempt| async move {
        if !attempt.is_hedge() {
            std::future::pending::<()>().await;
        }
        let result = inner.run(INNER, |_| ready(Err::<(), _>(io::Error::other("down")))).await;
        reasons_.borrow_mut().push(result.map_err(|error| error.stop_reason()));
        Ok::<_, io::Error>(())
    });
    let mut outer = pin!(outer);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(outer.as_mut().poll(&mut cx).is_pending());
    scene.time.advance(Duration::from_millis(10));
    assert!(outer.as_mut().poll(&mut cx).is_ready());
    assert_eq!(*reasons.borrow(), [Err(StopReason::LeftToOuter)]);
}

#[test]
fn a_failure_that_is_left_to_the_outer_call_launches_no_hedge_either() {
    let scene = Scene::new();
    let inner = leaves().hedge_after(Duration::from_secs(1)).hedge_trigger("failed").max_hedges(3);
    let builder = scene.unwatched().hedge_trigger("failed", OnFailure::new(FixedDelay));
    let executor = built(builder.policy(OUTER, plain().max_attempts(2)).policy(INNER, inner));
    let down = Down::default();
    let waits = || async {
        pause().await;
        down.fail()
    };
    let outer = executor.run(OUTER, |attempt| {
        let inner = executor.run(INNER, |_| waits());
        async move {
            assert!(attempt.may_be_retried(), "in the last attempt the inner call may do as it likes");
            inner.await
        }
    });
    let mut outer = pin!(outer);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..4 {
        assert!(outer.as_mut().poll(&mut cx).is_pending());
    }
    assert_eq!(down.runs(), 1);
}

#[test]
fn an_attempt_whose_failure_launches_a_hedge_may_be_retried() {
    let scene = Scene::new();
    let policy =
        plain().max_attempts(1).hedge_after(Duration::from_secs(1)).hedge_trigger("failed").max_hedges(2);
    let executor =
        built(scene.unwatched().hedge_trigger("failed", OnFailure::new(FixedDelay)).policy(OUTER, policy));
    let seen = RefCell::new(Vec::new());
    let call = executor.run(OUTER, |attempt| {
        seen.borrow_mut().push(attempt.may_be_retried());
        async {
            pause().await;
            Err::<(), _>(io::Error::other("down"))
        }
    });
    assert!(block_on(call).is_err());
    assert_eq!(*seen.borrow(), [true, true, false]);
}

#[test]
fn a_call_that_a_cut_attempt_makes_while_it_is_dropped_runs_inside_it() {
    /// Cleans up by a call of its own.
    struct CleansUp<'e>(&'e Executor, &'e RefCell<Vec<Timeline>>);

    impl Drop for CleansUp<'_> {
        fn drop(&mut self) {
            let failed = || ready(Err::<(), _>(io::Error::other("down")));
            let cleaning = self.0.call(INNER).run_captured(|_| failed());
            self.1.borrow_mut().extend(cleaning.now_or_never().map(|(_, timeline)| timeline));
        }
    }

    let (scene, timelines) = (Scene::new(), RefCell::new(Vec::new()));
    let outer = plain().max_attempts(2).timeout_per_attempt(Duration::from_millis(50));
    let executor = built(scene.unwatched().policy(OUTER, outer).policy(INNER, leaves()));
    let call = executor.run(OUTER, |_| {
        let cleans_up = CleansUp(&executor, &timelines);
        async move {
            let _cleans_up = cleans_up;
            std::future::pending::<Result<(), io::Error>>().await
        }
    });
    assert!(scene.time.run(call).is_err());
    let timelines = timelines.into_inner();
    assert_eq!((notes(&timelines), stops(&timelines)), (vec!["in_retryable_attempt"], vec!["left_to_outer"]));
}

/// Gives a plain policy at the second poll.
struct Later;

impl PolicyProvider for Later {
    fn policy<'s, 'k, 'f>(
        &'s self,
        _: &'k Key,
    ) -> Pin<Box<dyn Future<Output = Result<ProvidedPolicy, ProviderError>> + Send + 'f>>
    where
        's: 'f,
        'k: 'f,
        Self: 'f,
    {
        Box::pin(async {
            pause().await;
            Ok(ProvidedPolicy::new(Arc::new(plain()), PolicySource::Remote))
        })
    }
}

#[test]
fn a_call_runs_in_what_runs_round_its_first_poll_however_late_its_policy_comes() {
    let late = built(Executor::builder().provider(Later));
    let outer = executor(leaves());
    type Captured = (Result<i32, Error<io::Error>>, Timeline);
    let first_inside = |mut call: Pin<Box<dyn Future<Output = Captured> + '_>>| {
        let outside = outer.run(OUTER, |_| {
            assert!(call.as_mut().now_or_never().is_none());
            ready(Ok::<_, io::Error>(()))
        });
        assert!(block_on(outside).is_ok());
        let (_, timeline) = block_on(call);
        timeline.attributes.get("nested").map(str::to_owned)
    };
    let operation = |_| ready(Ok::<_, io::Error>(7));
    let owned = late.call(INNER).run_captured(operation);
    let borrowed = late.call(INNER).run_mut_captured(async |attempt| operation(attempt).await);
    let seen = [first_inside(Box::pin(owned)), first_inside(Box::pin(borrowed))];
    assert_eq!(seen, [const { Some("in_retryable_attempt") }; 2].map(|note| note.map(str::to_owned)));

    let mut outside = Box::pin(late.call(INNER).run_captured(operation));
    assert!(outside.as_mut().now_or_never().is_none());
    let inside = RefCell::new(None);
    let call = outer.run(OUTER, |_| {
        *inside.borrow_mut() = outside.as_mut().now_or_never();
        ready(Ok::<_, io::Error>(()))
    });
    assert!(block_on(call).is_ok());
    let (_, timeline) = inside.into_inner().expect("its policy came");
    assert_eq!(timeline.attributes.get("nested"), None);
}

#[test]
fn what_makes_an_attempts_future_runs_inside_the_attempt() {
    let executor = executor(leaves());
    let inner = || {
        let call = executor.call(INNER).run_captured(|_| ready(Ok::<_, io::Error>(7)));
        call.now_or_never().map(|(_, timeline)| timeline)
    };
    let mut seen = Vec::new();
    let run = executor.run(OUTER, |_| {
        seen.extend(inner());
        ready(Ok::<_, io::Error>(()))
    });
    assert!(block_on(run).is_ok());
    let with = executor.call(OUTER).run_with(&mut seen, |seen, _| {
        seen.extend(inner());
        Box::pin(ready(Ok::<_, io::Error>(())))
    });
    assert!(block_on(with).is_ok());
    assert_eq!(notes(&seen), ["in_retryable_attempt"; 2]);
}
