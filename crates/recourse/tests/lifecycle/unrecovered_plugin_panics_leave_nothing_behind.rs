//! With recovery off, a plugin's panic unwinds to the caller, and everything is still given back.

use crate::scene::{KEY, Scene, built, ms, plain};
use crate::stage::{Stage, component};
use recourse::budget::TokenBucket;
use recourse::{AttemptRecord, Clock, Component, Executor, Key, Moment, Observer, StopReason};
use recourse_test::{
    Panicking, PluginMethod, RecordingObserver, Script, ScriptedOperation, VirtualTime, expect,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whether the panic reached the caller.
fn unwinds(stage: &Stage, executor: &Executor, operation: &ScriptedOperation<u32>) -> bool {
    let call = executor.run(KEY, |attempt| operation.call(attempt));
    let ended = catch_unwind(AssertUnwindSafe(|| stage.scene.time.run(call)));
    let message = ended.err().map(|panic| panic.downcast_ref::<String>().cloned().unwrap_or_default());
    if let Some(message) = &message {
        assert!(message.starts_with("scripted panic in "), "another panic unwound: {message}");
    }
    message.is_some()
}

/// Runs the stage, and asserts that the panic unwound at least once and left nothing behind.
fn check(method: PluginMethod) {
    Stage::on_both_clocks(method).iter().for_each(|stage| check_on(stage, method));
}

fn check_on(stage: &Stage, method: PluginMethod) {
    let executor = stage.executor(false);
    let [retried, won_by_hedge, failing] = stage.operations();
    let mut unwound = unwinds(stage, &executor, &retried);
    if !matches!(component(method), Component::Provider | Component::Trigger)
        && method != PluginMethod::OnStateCapped
    {
        unwound |= unwinds(stage, &executor, &won_by_hedge);
    }
    stage.reconfigure();
    unwound |= unwinds(stage, &executor, &failing);
    assert!(unwound, "the panic in {method} never reached the caller");
    for operation in [retried, won_by_hedge, failing] {
        stage.assert_all_given_back(&operation);
    }
    stage.scene.observer.assert_one_end_per_start();
    for timeline in stage.scene.observer.failures() {
        expect(&timeline).well_formed();
        let stop = timeline.stop;
        let own = Some(StopReason::PanicIn(component(method)));
        assert!(
            stop == own || stop == Some(StopReason::AttemptsExhausted),
            "a panic in {method} ended a call with {stop:?}"
        );
    }
}

macro_rules! each {
    ($($name:ident: $($method:ident),*;)*) => {$(
        #[test]
        fn $name() {
            $(check(PluginMethod::$method);)*
        }
    )*};
}

each! {
    a_classifiers_panic_unwinds: Classify;
    a_budgets_panic_unwinds: AllowAttempt, WouldDeny, Release;
    a_triggers_panic_unwinds: ShouldSpawnHedge, WantsLatency;
    a_breakers_panic_unwinds: Breaker, Admit, Report, WouldReject, Reconfigure;
    a_providers_panic_unwinds: PolicyNow, Policy, PolicyPoll, Generation;
    a_sleepers_panic_unwinds: Sleep, SleepPoll;
    a_clocks_panic_unwinds: Now, Calendar;
}

/// The observer that panics and the ones beside it.
fn check_observer(method: PluginMethod) {
    for stage in Stage::on_both_clocks(method) {
        let executor = stage.executor(false);
        let [retried, won_by_hedge, failing] = stage.operations();
        for operation in [&retried, &won_by_hedge, &failing] {
            unwinds(&stage, &executor, operation);
            stage.assert_all_given_back(operation);
        }
        assert!(stage.plugin.panics() > 0, "{method} was never reached");
        stage.scene.observer.assert_one_end_per_start();
    }
}

macro_rules! each_callback {
    ($($name:ident: $method:ident;)*) => {$(
        #[test]
        fn $name() {
            check_observer(PluginMethod::$method);
        }
    )*};
}

each_callback! {
    a_panic_in_on_start_leaves_the_others_one_end_per_start: OnStart;
    a_panic_in_on_attempt_leaves_the_others_one_end_per_start: OnAttempt;
    a_panic_in_on_hedge_spawn_leaves_the_others_one_end_per_start: OnHedgeSpawn;
    a_panic_in_on_hedge_cancel_leaves_the_others_one_end_per_start: OnHedgeCancel;
    a_panic_in_on_budget_decision_leaves_the_others_one_end_per_start: OnBudgetDecision;
    a_panic_in_on_success_leaves_the_others_one_end_per_start: OnSuccess;
    a_panic_in_on_failure_leaves_the_others_one_end_per_start: OnFailure;
}

/// Panics at its read with this number.
struct BreaksAt {
    read: usize,
    reads: Arc<AtomicUsize>,
    time: VirtualTime,
}

impl Clock for BreaksAt {
    fn now(&self) -> Moment {
        assert!(self.reads.fetch_add(1, Ordering::SeqCst) != self.read, "the clock broke");
        self.time.now()
    }
}

#[test]
fn a_clock_may_break_at_any_read() {
    for recover in [true, false] {
        for read in 0..40 {
            let time = VirtualTime::new();
            let (observer, reads) = (RecordingObserver::new(), Arc::new(AtomicUsize::new(0)));
            let policy = plain().timeout_per_attempt(ms(30)).overall_timeout(ms(500)).hedge_after(ms(10));
            let executor = built(
                Executor::builder()
                    .clock(BreaksAt { read, reads: reads.clone(), time: time.clone() })
                    .sleeper(time.clone())
                    .observer(observer.clone())
                    .recover_panics(recover)
                    .policy(KEY, policy),
            );
            let operation = Script::fails(3).takes(ms(40)).then_ok(7).takes(ms(5)).on(&time);
            let call = executor.run(KEY, |attempt| operation.call(attempt));
            let ended = catch_unwind(AssertUnwindSafe(|| time.run(call)));
            let broke = reads.load(Ordering::SeqCst) > read;
            assert_eq!(ended.is_err(), broke && !recover, "read {read}, recovery {recover}");
            assert_eq!((operation.in_flight(), time.pending_sleeps()), (0, 0), "read {read}");
            observer.assert_one_end_per_start();
            if !broke {
                break;
            }
        }
    }
}

#[test]
fn the_end_names_the_plugin_whose_panic_unwound() {
    let scene = Scene::new();
    let sleeper = Panicking::only_in([PluginMethod::Sleep]);
    let builder = scene.builder().sleeper(sleeper).recover_panics(false);
    let executor = built(builder.policy(KEY, plain()));
    let operation = Script::<u32>::fails(1).on(&scene.time);
    let call = executor.run(KEY, |attempt| operation.call(attempt));
    assert!(catch_unwind(AssertUnwindSafe(|| scene.time.run(call))).is_err());
    expect(&scene.observer.last_timeline()).failure().stop("panic_in_sleeper");
}

#[test]
fn the_executor_goes_on_after_a_panic_that_unwound() {
    let stage = Stage::new(PluginMethod::AllowAttempt);
    let executor = stage.executor(false);
    let [operation, ..] = stage.operations();
    assert!(unwinds(&stage, &executor, &operation));
    assert!(executor.budgets().replace("budget", stage.budget.clone()).is_ok());
    let fine = Script::ok(7).on(&stage.scene.time);
    assert!(stage.scene.time.run(executor.run(KEY, |attempt| fine.call(attempt))).is_ok());
}

/// Panics as a hedge starts.
struct PanicsAtHedges;

impl Observer for PanicsAtHedges {
    fn on_hedge_spawn(&self, _: &Key, _: &AttemptRecord) {
        panic!("scripted panic in on_hedge_spawn");
    }
}

#[test]
fn a_hedge_that_an_observers_panic_kept_from_starting_has_its_tokens_back() {
    let (time, bucket) = (VirtualTime::new(), Arc::new(TokenBucket::new(10, 0.0).unwrap()));
    let policy = plain().hedge_after(ms(10)).hedge_budget("tokens");
    let builder = Executor::builder().clock(time.clone()).sleeper(time.clone()).recover_panics(false);
    let executor =
        built(builder.budget("tokens", bucket.clone()).observer(PanicsAtHedges).policy(KEY, policy));
    let operation = Script::ok(7).takes(ms(30)).on(&time);
    let call = executor.run(KEY, |attempt| operation.call(attempt));
    assert!(catch_unwind(AssertUnwindSafe(|| time.run(call))).is_err());
    assert_eq!((operation.calls().len(), bucket.available(time.now())), (1, 10));
}
