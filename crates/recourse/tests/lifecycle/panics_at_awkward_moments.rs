//! Panics at awkward moments: between an admission and the news of it, in the clock under a breaker's hands, twice at
//! once, in a payload's own drop. Nothing is lost, nothing is stuck, nothing aborts, and nobody is blamed wrongly.

use crate::scene::{KEY, ms, plain};
use recourse::budget::TokenBucket;
use recourse::{
    Budget, BudgetRequest, CircuitState, Clock, Component, Decision, Executor, ExecutorBuilder, Moment,
    Outcome, Policy, StopReason,
};
use recourse_test::{
    FixedClassifier, Panicking, PluginMethod, RecordingObserver, Script, ScriptedBudget, VirtualTime, expect,
};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A clock that panics in the reading of this number, counted from when it was set; 0 for none.
#[derive(Clone)]
struct Fragile {
    time: VirtualTime,
    left: Arc<AtomicUsize>,
}

impl Fragile {
    fn new(time: &VirtualTime) -> Self {
        Fragile { time: time.clone(), left: Arc::default() }
    }

    fn panics_in(&self, reading: usize) {
        self.left.store(reading, Ordering::Relaxed);
    }
}

impl Clock for Fragile {
    fn now(&self) -> Moment {
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(1), Ordering::Relaxed);
        assert!(left != 1, "the clock broke");
        self.time.now()
    }
}

fn builder(time: &VirtualTime) -> ExecutorBuilder {
    Executor::builder().clock(time.clone()).sleeper(time.clone())
}

/// Runs a call; `None` where it unwinds.
fn run(
    time: &VirtualTime,
    executor: &Executor,
    operation: &recourse_test::ScriptedOperation<u32>,
) -> Option<Result<u32, StopReason>> {
    let call = executor.run(KEY, |attempt| operation.call(attempt));
    let ended = catch_unwind(AssertUnwindSafe(|| time.run(call))).ok()?;
    Some(ended.map_err(|error| error.stop_reason()))
}

fn one_failure_opens(cooldown: Duration) -> Policy {
    plain().max_attempts(1).circuit(1, cooldown)
}

#[test]
fn an_observer_that_panics_at_the_news_of_a_probe_does_not_keep_the_probes_slot() {
    let time = VirtualTime::new();
    let executor = builder(&time)
        .recover_panics(false)
        .observer(Panicking::only_in([PluginMethod::OnCircuitTransition]))
        .policy(KEY, one_failure_opens(ms(100)))
        .build()
        .unwrap();
    let operation = Script::fails(1).then_ok(7).on(&time);
    assert_eq!(run(&time, &executor, &operation), None, "the news that it opened unwinds");
    time.advance(ms(100));
    assert_eq!(run(&time, &executor, &operation), None, "the news of the probe unwinds");
    assert_eq!(operation.count(), 1);
    let _ = run(&time, &executor, &operation);
    assert_eq!(run(&time, &executor, &operation), Some(Ok(7)));
}

#[test]
fn a_clock_that_panics_while_a_probe_is_told_never_wedges_the_circuit() {
    for recover in [false, true] {
        for reading in 1..12 {
            let time = VirtualTime::new();
            let clock = Fragile::new(&time);
            let builder = Executor::builder().clock(clock.clone()).sleeper(time.clone());
            let builder = builder.recover_panics(recover).policy(KEY, one_failure_opens(ms(100)));
            let executor = builder.build().unwrap();
            let operation = Script::fails(2).takes(ms(5)).then_ok(7).takes(ms(5)).on(&time);
            let _ = run(&time, &executor, &operation);
            time.advance(ms(100));
            clock.panics_in(reading);
            let _ = run(&time, &executor, &operation);
            clock.panics_in(0);
            time.advance(ms(1_000));
            let _ = run(&time, &executor, &operation);
            time.advance(ms(1_000));
            assert_eq!(
                run(&time, &executor, &operation),
                Some(Ok(7)),
                "recovery {recover}, reading {reading}"
            );
        }
    }
}

#[test]
fn a_clock_that_panics_does_not_shorten_a_cooldown() {
    for reading in 1..8 {
        let time = VirtualTime::new();
        time.advance(Duration::from_secs(100));
        let clock = Fragile::new(&time);
        let builder = Executor::builder().clock(clock.clone()).sleeper(time.clone());
        let executor = builder.policy(KEY, one_failure_opens(Duration::from_secs(10))).build().unwrap();
        let operation = Script::fails(1).takes(ms(5)).then_ok(7).on(&time);
        assert_eq!(run(&time, &executor, &operation), Some(Err(StopReason::AttemptsExhausted)));
        clock.panics_in(reading);
        let ended = run(&time, &executor, &operation);
        let broke = StopReason::PanicIn(Component::Clock);
        assert!([Some(Err(broke)), Some(Err(StopReason::CircuitOpen))].contains(&ended), "{ended:?}");
        clock.panics_in(0);
        assert_eq!(
            run(&time, &executor, &operation),
            Some(Err(StopReason::CircuitOpen)),
            "reading {reading}"
        );
        assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open));
    }
}

#[test]
fn an_observer_and_a_release_that_both_panic_do_not_abort() {
    let time = VirtualTime::new();
    let executor = builder(&time)
        .recover_panics(false)
        .observer(Panicking::only_in([PluginMethod::OnBudgetDecision]))
        .budget("b", Panicking::only_in([PluginMethod::Release]))
        .policy(KEY, plain().retry_budget("b"))
        .build()
        .unwrap();
    assert_eq!(run(&time, &executor, &Script::ok(7).on(&time)), None);
}

/// Panics with something that panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("and once more");
    }
}

struct Bombed;

impl Budget for Bombed {
    fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
        Decision::allow().with_release(|| panic_any(Bomb))
    }
}

#[test]
fn a_payload_whose_drop_panics_stays_behind_the_fence() {
    let time = VirtualTime::new();
    let executor = builder(&time).budget("b", Bombed).policy(KEY, plain().retry_budget("b")).build().unwrap();
    assert_eq!(run(&time, &executor, &Script::ok(7).on(&time)), Some(Ok(7)));
    let never = Script::<u32>::never().on(&time);
    let mut call = time.step(executor.run(KEY, |attempt| never.call(attempt)));
    assert!(call.poll().is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(call))).is_ok(), "a drop unwound");
    assert_eq!(executor.plugin_panics().count(Component::Budget), 2);
}

#[test]
fn a_refused_hedge_is_never_the_cause_of_the_calls_end() {
    let time = VirtualTime::new();
    let executor = builder(&time)
        .budget("b", Panicking::only_in([PluginMethod::AllowAttempt]))
        .policy(KEY, plain().max_attempts(1).hedge_after(ms(10)).hedge_budget("b").overall_timeout(ms(100)))
        .build()
        .unwrap();
    let never = Script::<u32>::never().on(&time);
    let (result, timeline) = time.run(executor.call(KEY).run_captured(|attempt| never.call(attempt)));
    let error = result.unwrap_err();
    assert_eq!(error.stop_reason(), StopReason::OverallTimeout);
    assert!(error.cause().is_none() && timeline.error.is_none(), "{error}");
}

#[test]
fn a_timeout_that_the_classifier_calls_a_success_is_a_failure_for_everybody() {
    let time = VirtualTime::new();
    let observer = RecordingObserver::new();
    let executor = builder(&time)
        .observer(observer.clone())
        .classifier("ok", FixedClassifier::new(Outcome::success()))
        .policy(KEY, plain().classifier("ok").timeout_per_attempt(ms(5)))
        .build()
        .unwrap();
    let never = Script::<u32>::never().on(&time);
    let (result, timeline) = time.run(executor.call(KEY).run_captured(|attempt| never.call(attempt)));
    assert_eq!(result.unwrap_err().stop_reason(), StopReason::NonRetryable);
    expect(&timeline).failure().reasons(["context_deadline_exceeded"]).endings(["timed_out"]);
    assert_eq!(observer.timelines()[0].stop, timeline.stop);
}

#[test]
fn every_observer_hears_a_hedges_end_also_when_one_panics_at_its_cancelling() {
    let time = VirtualTime::new();
    let observer = RecordingObserver::new();
    let executor = builder(&time)
        .recover_panics(false)
        .observer(Panicking::only_in([PluginMethod::OnHedgeCancel]))
        .observer(observer.clone())
        .policy(KEY, plain().hedge_after(ms(10)).max_hedges(2))
        .build()
        .unwrap();
    let operation = Script::ok(7).takes(ms(30)).then_never().on(&time);
    assert_eq!(run(&time, &executor, &operation), None);
    let ends = observer.lines().iter().filter(|line| line.starts_with("attempt ")).count();
    assert_eq!(ends, 3, "{:?}", observer.lines());
}

#[test]
fn a_factory_that_panicked_once_is_asked_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = asked.clone();
    let factory = move |key: &recourse::Key, settings: &recourse::BreakerSettings| {
        assert!(counted.fetch_add(1, Ordering::Relaxed) > 0, "not yet");
        recourse::circuit::consecutive_failures(key, settings)
    };
    let time = VirtualTime::new();
    let builder = builder(&time).circuit_breaker("later", factory);
    let executor = builder.policy(KEY, one_failure_opens(ms(100)).circuit_breaker("later")).build().unwrap();
    let operation = Script::<u32>::fails(9).on(&time);
    assert_eq!(run(&time, &executor, &operation), Some(Err(StopReason::AttemptsExhausted)), "admitted");
    assert_eq!(run(&time, &executor, &operation), Some(Err(StopReason::AttemptsExhausted)));
    assert_eq!(run(&time, &executor, &operation), Some(Err(StopReason::CircuitOpen)));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn an_error_whose_source_panics_counts_as_the_operations_panic() {
    #[derive(Debug)]
    struct Trap;
    impl std::fmt::Display for Trap {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a trap")
        }
    }
    impl std::error::Error for Trap {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            panic!("it closed")
        }
    }
    let time = VirtualTime::new();
    let observer = RecordingObserver::new();
    let executor = builder(&time).observer(observer.clone()).policy(KEY, plain()).build().unwrap();
    let call = executor.run(KEY, |_| async { Err::<u32, _>(Trap) });
    assert!(catch_unwind(AssertUnwindSafe(|| time.run(call))).is_err());
    assert_eq!(observer.timelines()[0].stop, Some(StopReason::PanicIn(Component::Operation)));
}

#[test]
fn a_sleeper_that_comes_back_after_the_deadline_starts_no_attempt() {
    struct Oversleeps(VirtualTime);
    impl recourse::Sleeper for Oversleeps {
        fn sleep<'s, 'f>(&'s self, wait: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'f>>
        where
            's: 'f,
            Self: 'f,
        {
            self.0.sleep(wait * 20)
        }
    }
    let time = VirtualTime::new();
    let budget = ScriptedBudget::allows(1);
    let builder = Executor::builder().clock(time.clone()).sleeper(Oversleeps(time.clone()));
    let builder = builder.budget("b", budget).policy(KEY, plain().overall_timeout(ms(100)).retry_budget("b"));
    let executor = builder.build().unwrap();
    let operation = Script::<u32>::fails(9).on(&time);
    let error = time.run(executor.run(KEY, |attempt| operation.call(attempt))).unwrap_err();
    assert_eq!((error.stop_reason(), operation.count()), (StopReason::OverallTimeout, 1));
    assert!(error.into_inner().is_some());
}

#[test]
fn a_boxed_http_failure_is_not_repeated_where_its_method_forbids() {
    let time = VirtualTime::new();
    let executor = builder(&time).policy(KEY, plain()).build().unwrap();
    let mut calls = 0;
    let call = executor.run(KEY, |_| {
        calls += 1;
        async { Err::<u32, _>(io::Error::other(Box::new(recourse::HttpFailure::new(503, "POST")))) }
    });
    assert_eq!(time.run(call).unwrap_err().outcome_reason(), "http_non_idempotent");
    assert_eq!(calls, 1);
}

#[test]
fn a_clock_that_breaks_before_a_wait_ends_the_call_at_once() {
    let wait = Duration::from_secs(3);
    let waits = || plain().backoff(wait, wait);
    // It is asked as of when the call waits; for what is left of the call; and by a budget that foretells a denial.
    for policy in [waits(), waits().overall_timeout(wait * 20), waits().retry_budget("b")] {
        let time = VirtualTime::new();
        let clock = Fragile::new(&time);
        let bucket = TokenBucket::new(10, 1.0).unwrap();
        let builder = builder(&time).clock(clock.clone()).budget("b", bucket);
        let executor = builder.policy(KEY, policy.clone()).build().unwrap();
        let operation = Script::fails(1).then_ok(7).on(&time);
        let before = time.now();
        let call = executor.run(KEY, |attempt| {
            clock.panics_in(1);
            operation.call(attempt)
        });
        let error = time.run(call).expect_err("the clock broke");
        assert_eq!(error.stop_reason(), StopReason::PanicIn(Component::Clock), "{policy:?}");
        assert_eq!(time.now(), before, "nobody waits for a call that is over");
        assert!(
            error.cause().is_some_and(|cause| cause.to_string().contains("the clock broke")),
            "{error:?}"
        );
    }
}
