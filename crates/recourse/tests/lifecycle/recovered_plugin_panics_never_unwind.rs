//! With recovery on, a panic in a plugin becomes an answer: it never unwinds through the executor, and is counted.

use crate::scene::{KEY, Scene, built, ms, plain};
use crate::stage::{Stage, component};
use recourse::{
    Budget, BudgetRequest, Component, Decision, Error, Executor, PanicError, PolicyProvider, PolicySource,
    ProvidedPolicy, ProviderError, StopReason,
};
use recourse_test::{Panicking, PluginMethod, Script, ScriptedError, ScriptedOperation, expect};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn stop(result: Result<u32, Error<ScriptedError>>) -> Option<StopReason> {
    result.err().map(|error| error.stop_reason())
}

/// Why the three calls of the stage end with a plugin that panics there; `None` is a success.
fn expected(method: PluginMethod) -> [Option<StopReason>; 3] {
    use PluginMethod as M;
    let exhausted = Some(StopReason::AttemptsExhausted);
    match method {
        // The second call's operation returns values, which are never lost to the caller.
        M::Classify => [
            Some(StopReason::PanicIn(Component::Classifier)),
            None,
            Some(StopReason::PanicIn(Component::Classifier)),
        ],
        M::AllowAttempt => [Some(StopReason::PanicIn(Component::Budget)); 3],
        // The second call's hedge wins before anything has to be waited for.
        M::WouldDeny => {
            let denied = Some(StopReason::PanicIn(Component::Budget));
            [denied, None, denied]
        }
        M::PolicyNow | M::Policy | M::PolicyPoll => [Some(StopReason::NoPolicy); 3],
        M::Sleep | M::SleepPoll | M::SleepDrop => [Some(StopReason::PanicIn(Component::Sleeper)); 3],
        M::Now => [Some(StopReason::PanicIn(Component::Clock)); 3],
        _ => [None, None, exhausted],
    }
}

/// The provider of the stage that panics has no policy of the stage, but the default one, which doesn't hedge.
fn hedged(method: PluginMethod) -> bool {
    !matches!(component(method), Component::Provider | Component::Trigger)
        && method != PluginMethod::OnStateCapped
}

#[track_caller]
fn run(stage: &Stage, executor: &Executor, operation: &ScriptedOperation<u32>) -> Option<StopReason> {
    let call = executor.run(KEY, |attempt| operation.call(attempt));
    let ended = catch_unwind(AssertUnwindSafe(|| stage.scene.time.run(call)));
    stop(ended.unwrap_or_else(|_| panic!("a panic unwound through the executor: {:?}", stage.plugin)))
}

fn check(method: PluginMethod) {
    Stage::on_both_clocks(method).iter().for_each(|stage| check_on(stage, method));
}

fn check_on(stage: &Stage, method: PluginMethod) {
    let executor = stage.executor(true);
    let [retried, won_by_hedge, failing] = stage.operations();
    let mut stops = [None; 3];
    stops[0] = run(stage, &executor, &retried);
    if hedged(method) {
        stops[1] = run(stage, &executor, &won_by_hedge);
    } else {
        stops[1] = expected(method)[1];
    }
    stage.reconfigure();
    stops[2] = run(stage, &executor, &failing);
    if method == PluginMethod::State {
        let asked = catch_unwind(AssertUnwindSafe(|| executor.circuit_state(KEY)));
        assert!(asked.is_ok(), "a panic unwound through Executor::circuit_state");
    }
    assert!(stage.plugin.panics() > 0, "{method} was never reached");
    let counted = executor.plugin_panics().count(component(method));
    assert_eq!(counted, stage.plugin.panics() as u64, "every panic in {method} is counted");
    assert_eq!(stops, expected(method), "panic in {method}");
    for operation in [retried, won_by_hedge, failing] {
        stage.assert_all_given_back(&operation);
    }
    stage.scene.observer.assert_one_end_per_start();
    for timeline in stage.scene.observer.timelines() {
        expect(&timeline).well_formed();
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
    a_classifier_that_panics_aborts_the_call: Classify;
    a_budget_that_panics_denies: AllowAttempt;
    a_budget_that_panics_in_a_peek_denies: WouldDeny;
    a_release_that_panics_is_ignored: Release;
    a_trigger_that_panics_launches_no_hedge: ShouldSpawnHedge, WantsLatency;
    a_breaker_that_panics_admits: Breaker, Admit, Report, WouldReject, Reconfigure;
    a_breaker_that_panics_when_asked_for_its_state_has_none: State;
    an_observer_that_panics_is_ignored: OnStart, OnAttempt, OnHedgeSpawn, OnHedgeCancel, OnBudgetDecision,
        OnCircuitTransition, OnStateCapped, OnSuccess, OnFailure;
    a_provider_that_panics_has_no_policy: PolicyNow, Policy, PolicyPoll;
    a_provider_that_panics_in_its_generation_is_asked_at_every_call: Generation;
    a_sleeper_that_panics_aborts_the_call: Sleep, SleepPoll;
    a_sleep_that_panics_when_it_is_dropped_aborts_the_call: SleepDrop;
    a_clock_that_panics_aborts_a_watched_call: Now;
    a_clock_that_panics_in_its_calendar_leaves_the_date_out: Calendar;
}

#[test]
fn the_error_names_the_component_and_keeps_its_message() {
    for (method, text) in [
        (PluginMethod::Classify, "panic in classifier: scripted panic in classify"),
        (PluginMethod::PolicyNow, "panic in provider: scripted panic in policy_now"),
        (PluginMethod::SleepPoll, "panic in sleeper: scripted panic in sleep_poll"),
        (PluginMethod::Now, "panic in clock: scripted panic in now"),
    ] {
        let stage = Stage::new(method);
        let executor = stage.executor(true);
        let [operation, ..] = stage.operations();
        let error = stage.scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).unwrap_err();
        let cause = error.cause().and_then(|cause| cause.downcast_ref::<PanicError>());
        assert_eq!(cause.map(|panic| panic.component), Some(component(method)), "{error}");
        assert_eq!(cause.map(ToString::to_string).as_deref(), Some(text));
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn a_panicking_classifier_keeps_the_operations_own_error() {
    let stage = Stage::new(PluginMethod::Classify);
    let executor = stage.executor(true);
    let operation = Script::<u32>::fails(1).on(&stage.scene.time);
    let (result, timeline) =
        stage.scene.time.run(executor.call(KEY).run_captured(|attempt| operation.call(attempt)));
    let error = result.unwrap_err();
    assert_eq!(error.stop_reason().as_str(), "panic_in_classifier");
    assert!(error.inner().is_some());
    expect(&timeline).failure().stop("panic_in_classifier").reasons(["panic_in_classifier"]);
}

#[test]
fn a_panicking_budget_is_recorded_as_a_denial() {
    let stage = Stage::new(PluginMethod::AllowAttempt);
    let executor = stage.executor(true);
    let [operation, ..] = stage.operations();
    let (_, timeline) =
        stage.scene.time.run(executor.call(KEY).run_captured(|attempt| operation.call(attempt)));
    expect(&timeline).attempts(0).endings(["denied"]).budget_reasons(["panic_in_budget"]);
    let event = stage.scene.observer.budget_events().remove(0);
    assert_eq!((event.allowed, event.reason.as_str()), (false, "panic_in_budget"));
}

#[test]
fn a_budget_that_panics_for_a_hedge_launches_none_and_lets_the_primary_win() {
    struct OnlyHedges;
    impl Budget for OnlyHedges {
        fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
            panic!("no hedges")
        }
    }
    let scene = Scene::new();
    let policy = plain().hedge_after(ms(10)).max_hedges(1).hedge_budget("h");
    let executor = built(scene.builder().budget("h", OnlyHedges).policy(KEY, policy));
    let operation = Script::ok(7).takes(ms(50)).on(&scene.time);
    assert_eq!(stop(scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)))), None);
    expect(&scene.observer.last_timeline()).success().endings(["won", "denied"]).hedges(0);
}

#[test]
fn a_denial_whose_release_panics_does_not_unwind() {
    struct Sour;
    impl Budget for Sour {
        fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
            Decision::deny("budget_denied").with_release(|| panic!("nothing was taken"))
        }
    }
    let scene = Scene::new();
    let executor = built(scene.builder().budget("b", Sour).policy(KEY, plain().retry_budget("b")));
    let operation = Script::ok(7).on(&scene.time);
    let call = executor.run(KEY, |attempt| operation.call(attempt));
    let ended = catch_unwind(AssertUnwindSafe(|| scene.time.run(call)));
    assert_eq!(ended.map(stop).ok(), Some(Some(StopReason::BudgetDenied)), "it unwound");
    scene.observer.assert_one_end_per_start();
}

#[test]
fn one_panicking_observer_does_not_silence_the_others() {
    let scene = Scene::new();
    let loud = Panicking::everywhere();
    let executor =
        built(scene.unwatched().observer(loud.clone()).observer(scene.observer.clone()).policy(KEY, plain()));
    let operation = Script::fails(1).then_ok(7).on(&scene.time);
    assert_eq!(stop(scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)))), None);
    assert_eq!(
        scene.observer.lines(),
        [
            "start payments.Charge",
            "attempt payments.Charge #0 failed retryable_error",
            "attempt payments.Charge #1 won success",
            "success payments.Charge",
        ]
    );
    assert_eq!(executor.plugin_panics().count(Component::Observer), 4);
}

/// Panics once, then has a policy; counts its changes.
struct OnceBroken(AtomicBool, recourse::Generation);

impl PolicyProvider for OnceBroken {
    fn policy_now(&self, _: &recourse::Key) -> Option<Result<ProvidedPolicy, ProviderError>> {
        assert!(self.0.swap(true, Ordering::SeqCst), "not yet");
        Some(Ok(ProvidedPolicy::new(Arc::new(plain()), PolicySource::Remote)))
    }
    fn policy<'s, 'k, 'f>(
        &'s self,
        _: &'k recourse::Key,
    ) -> Pin<Box<dyn Future<Output = Result<ProvidedPolicy, ProviderError>> + Send + 'f>>
    where
        's: 'f,
        'k: 'f,
        Self: 'f,
    {
        Box::pin(std::future::pending())
    }
    fn generation(&self) -> Option<&recourse::Generation> {
        Some(&self.1)
    }
}

#[test]
fn a_provider_that_panicked_once_is_asked_again_at_the_next_call() {
    let scene = Scene::new();
    let executor =
        built(scene.builder().provider(OnceBroken(AtomicBool::new(false), recourse::Generation::new())));
    let operation = Script::ok(7).on(&scene.time);
    let stops = [(); 2].map(|()| stop(scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)))));
    assert_eq!(stops, [Some(StopReason::NoPolicy), None]);
}

#[test]
fn a_call_that_needs_no_clock_is_not_harmed_by_one_that_panics() {
    let time = recourse_test::VirtualTime::new();
    let clock = Panicking::only_in([PluginMethod::Now]);
    let executor = built(Executor::builder().clock(clock.clone()).sleeper(time.clone()).policy(KEY, plain()));
    let operation = Script::ok(7).on(&time);
    assert_eq!(stop(time.run(executor.run(KEY, |attempt| operation.call(attempt)))), None);
    assert_eq!(clock.panics(), 0);
}
