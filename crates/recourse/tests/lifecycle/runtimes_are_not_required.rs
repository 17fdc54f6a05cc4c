//! Sleepers and the runtimes that they are for; where their runtime is missing, no sleeper panics.
//!
//! What is asserted here needs no time to pass: a sleep is made, polled once and dropped.

use recourse::{FuturesTimerSleeper, Sleeper};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Makes a sleep, polls it once and drops it, on a thread without a runtime.
#[track_caller]
fn pends_without_a_runtime(sleeper: &dyn Sleeper) {
    for duration in [Duration::from_secs(3600), Duration::MAX] {
        let polled = catch_unwind(AssertUnwindSafe(|| {
            let mut sleep = sleeper.sleep(duration);
            sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        }));
        assert_eq!(polled.ok(), Some(Poll::Pending), "a sleep of {duration:?} panicked or was over at once");
    }
}

#[test]
fn the_default_sleeper_needs_no_runtime() {
    pends_without_a_runtime(&FuturesTimerSleeper);
}

#[cfg(feature = "smol")]
#[test]
fn the_smol_sleeper_needs_no_smol() {
    pends_without_a_runtime(&recourse::SmolSleeper);
}

#[cfg(feature = "async-std")]
#[test]
fn the_async_std_sleeper_needs_no_async_std() {
    pends_without_a_runtime(&recourse::AsyncStdSleeper);
}

#[cfg(feature = "tokio")]
mod on_tokio {
    use super::*;
    use crate::scene::{KEY, built, ms, plain};
    use recourse::{Clock, Executor, Policy, StopReason, TokioClock, TokioSleeper};
    use recourse_test::{RecordingObserver, expect};
    use std::io;

    fn executor(policy: Policy, observer: &RecordingObserver) -> Executor {
        let builder = Executor::builder().sleeper(TokioSleeper).observer(observer.clone());
        built(builder.policy(KEY, policy))
    }

    #[test]
    fn outside_a_runtime_its_sleeper_does_not_panic() {
        pends_without_a_runtime(&TokioSleeper);
    }

    #[test]
    fn outside_a_runtime_a_call_that_must_sleep_goes_on_waiting() {
        let observer = RecordingObserver::new();
        let executor = executor(plain().backoff(ms(30_000), ms(30_000)), &observer);
        let mut call = Box::pin(executor.run(KEY, |_| async { Err::<(), _>(io::Error::other("busy")) }));
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(call);
        observer.assert_one_end_per_start();
        expect(&observer.last_timeline()).stop("context_canceled").endings(["failed"]);
        assert_eq!(executor.plugin_panics().total(), 0);
    }

    #[test]
    fn a_runtime_without_a_timer_ends_the_call_with_panic_in_sleeper() {
        let observer = RecordingObserver::new();
        let executor = executor(plain(), &observer);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let call = executor.run(KEY, |_| async { Err::<(), _>(io::Error::other("busy")) });
        let error = runtime.block_on(call).unwrap_err();
        assert_eq!(error.stop_reason().as_str(), "panic_in_sleeper");
        assert!(error.inner().is_some());
        expect(&observer.last_timeline()).stop("panic_in_sleeper");
    }

    #[tokio::test(start_paused = true)]
    async fn paused_time_moves_clock_and_sleeper_as_one() {
        let observer = RecordingObserver::new();
        let policy = plain().backoff(ms(30_000), ms(30_000)).overall_timeout(ms(50_000));
        let builder =
            Executor::builder().sleeper(TokioSleeper).clock(TokioClock::new()).observer(observer.clone());
        let executor = built(builder.policy(KEY, policy));
        let error =
            executor.run(KEY, |_| async { Err::<(), _>(io::Error::other("busy")) }).await.unwrap_err();
        assert_eq!((error.stop_reason(), error.attempts()), (StopReason::DeadlineWouldPass, 2));
        assert_eq!(error.elapsed().as_secs(), 30);
        expect(&observer.last_timeline()).attempts(2).backoffs([ms(30_000)]).well_formed();
    }

    #[test]
    fn outside_a_runtime_its_clock_does_not_panic() {
        let clock = TokioClock::new();
        let (first, second) = (clock.now(), clock.now());
        assert!(second >= first && clock.calendar(first).is_some());
    }
}
