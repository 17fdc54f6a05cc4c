//! A tokio sleeper where there is no tokio, or one without timers: no panic reaches the caller.

use crate::scene::{KEY, Scene, ms, plain};
use futures::FutureExt;
use recourse::{Component, Executor, StopReason, TokioClock, TokioSleeper};
use std::future::pending;
use std::io;

fn executor() -> Executor {
    let builder = Scene::new().builder().sleeper(TokioSleeper);
    builder.policy(KEY, plain().timeout_per_attempt(ms(60_000))).build().unwrap()
}

async fn for_ever(executor: &Executor) -> Result<u32, recourse::Error<io::Error>> {
    executor.run(KEY, |_| pending::<Result<u32, io::Error>>()).await
}

#[test]
fn outside_a_runtime_the_call_waits_as_with_the_default_sleeper() {
    let executor = executor();
    assert!(for_ever(&executor).now_or_never().is_none());
    assert_eq!(executor.plugin_panics().total(), 0);
}

#[test]
fn outside_a_runtime_tokios_clock_is_the_systems() {
    let executor = Executor::builder().clock(TokioClock::new()).sleeper(TokioSleeper);
    let executor = executor.policy(KEY, plain().timeout_per_attempt(ms(60_000))).build().unwrap();
    assert!(for_ever(&executor).now_or_never().is_none());
    assert_eq!(executor.plugin_panics().total(), 0);
}

#[test]
fn in_a_runtime_without_timers_the_call_ends_and_says_whose_fault_it_was() {
    let executor = executor();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(for_ever(&executor)).unwrap_err();
    assert_eq!(error.stop_reason(), StopReason::PanicIn(Component::Sleeper));
    assert_eq!(executor.plugin_panics().count(Component::Sleeper), 1);
    assert!(error.to_string().contains("panic_in_sleeper"), "{error}");
}

#[test]
fn in_a_runtime_with_paused_time_the_call_times_out_without_waiting() {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let builder = Executor::builder().clock(TokioClock::new()).sleeper(TokioSleeper);
        let policy = plain().max_attempts(2).timeout_per_attempt(ms(60_000));
        let executor = builder.policy(KEY, policy).build().unwrap();
        let error = for_ever(&executor).await.unwrap_err();
        assert_eq!((error.stop_reason(), error.attempts()), (StopReason::AttemptsExhausted, 2));
        assert!(error.elapsed() >= ms(120_000) && error.elapsed() < ms(121_000), "{:?}", error.elapsed());
    });
}
