//! The fast path allocates nothing. A binary of its own, for its allocator counts.

use allocation_counter::{AllocationInfo, measure};
use recourse::{CallStart, Executor, Jitter, Key, Observer, Policy};
use recourse_test::VirtualTime;
use std::future::{Future, ready};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const KEY: Key = Key::from_static("payments.Charge");

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn executor(policy: Policy) -> Executor {
    let builder = Executor::builder().policy(KEY, policy).budget("b", recourse::budget::Unlimited);
    builder.build().expect("nothing is wrong with it")
}

/// Polls a call that is ready at once.
fn now<F: Future>(call: F) -> F::Output {
    let call = pin!(call);
    match call.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the call is not ready at once"),
    }
}

/// What a call allocates once its key is known.
fn allocated(mut call: impl FnMut()) -> u64 {
    call();
    let AllocationInfo { count_total, .. } = measure(|| (0..10).for_each(|_| call()));
    count_total
}

fn plain(executor: &Executor) {
    assert_eq!(now(executor.run(&KEY, |_| ready(Ok::<_, io::Error>(7)))).ok(), Some(7));
}

#[test]
fn a_plain_call_allocates_nothing() {
    let executor = executor(Policy::new());
    assert_eq!(allocated(|| plain(&executor)), 0);
    assert_eq!(
        allocated(|| assert!(now(executor.run("payments.Charge", |_| ready(Ok::<_, io::Error>(7)))).is_ok())),
        0
    );
    let handle = executor.handle(KEY).unwrap();
    assert_eq!(allocated(|| assert!(now(handle.run(|_| ready(Ok::<_, io::Error>(7)))).is_ok())), 0);
    assert_eq!(
        allocated(|| assert!(now(executor.run_mut(&KEY, async |_| Ok::<_, io::Error>(7))).is_ok())),
        0
    );
}

#[test]
fn timeouts_a_budget_a_breaker_and_hedging_allocate_nothing_for_a_call_that_is_ready_at_once() {
    for policy in [
        Policy::http(),
        Policy::low_latency(),
        Policy::new().retry_budget("b"),
        Policy::new().circuit(5, ms(100)),
        Policy::http().retry_budget("b").hedge_after(ms(50)).hedge_budget("b").circuit(5, ms(100)),
    ] {
        let executor = executor(policy.clone());
        assert_eq!(allocated(|| plain(&executor)), 0, "{policy:?}");
    }
}

/// Hears, and does nothing.
struct Deaf;

impl Observer for Deaf {
    fn on_start(&self, _: &CallStart<'_>) {}
}

#[test]
fn an_observer_that_does_nothing_costs_no_allocation() {
    let builder = Executor::builder().observer(Deaf).policy(KEY, Policy::new());
    let executor = builder.build().unwrap();
    assert_eq!(allocated(|| plain(&executor)), 0, "in ten calls");
}

#[test]
fn a_captured_timeline_costs_at_most_two_allocations() {
    let executor = executor(Policy::new());
    let call = || {
        let (result, timeline) = now(executor.call(&KEY).run_captured(|_| ready(Ok::<_, io::Error>(7))));
        assert_eq!((result.ok(), timeline.launched()), (Some(7), 1));
    };
    let each = allocated(call) / 10;
    assert!(each <= 2, "{each} allocations a call");
}

#[test]
fn three_attempts_that_fail_at_once_allocate_nothing_but_their_sleeps() {
    /// Its sleeps are over at once; each is one box.
    struct NoWait;
    impl recourse::Sleeper for NoWait {
        fn sleep<'s, 'f>(&'s self, _: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'f>>
        where
            's: 'f,
            Self: 'f,
        {
            Box::pin(ready(()))
        }
    }
    let policy = Policy::new().jitter(Jitter::None);
    let builder = Executor::builder().sleeper(NoWait).clock(VirtualTime::new()).policy(KEY, policy);
    let executor = builder.build().unwrap();
    let ten = allocated(|| {
        let failed = now(executor.run(&KEY, |_| ready(Err::<(), _>(io::ErrorKind::Other.into()))));
        let failed: recourse::Error<io::Error> = failed.unwrap_err();
        assert_eq!(failed.attempts(), 3);
    });
    assert_eq!(ten, 10 * 2, "two sleeps a call, each a box of this test's sleeper");
}
