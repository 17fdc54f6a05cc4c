//! Every stop reason: when it comes, how many attempts it names, and the last real error that comes with it.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{
    Error, ExecutorBuilder, HttpFailure, Key, MissingClassifier, MissingPolicy, Outcome, Policy,
    PolicyProvider, PolicySource, ProvidedPolicy, ProviderError, StaticProvider, StopReason,
};
use recourse_test::{FixedClassifier, Script, ScriptedBreaker, ScriptedBudget, ScriptedError, expect};

/// Runs one call, and asserts that error, timeline and observer say the same of its end.
#[track_caller]
fn ended(scene: &Scene, builder: ExecutorBuilder, script: Script<u32>, stop: &str) -> Error<ScriptedError> {
    let executor = built(builder);
    let operation = script.on(&scene.time);
    let (result, timeline) =
        scene.time.run(executor.call(KEY).run_captured(|attempt| operation.call(attempt)));
    let error = result.expect_err("the call must end with an error");
    assert_eq!(error.stop_reason().as_str(), stop, "{error}");
    assert_eq!(error.attempts() as usize, operation.count());
    assert_eq!(error.elapsed(), timeline.duration());
    assert_eq!(error.key().as_str(), KEY);
    assert!(error.to_string().starts_with(&format!("payments.Charge: {stop}")), "{error}");
    expect(&timeline).stop(stop).attempts(operation.count()).well_formed();
    assert_eq!(scene.observer.last_timeline(), timeline);
    scene.observer.assert_one_end_per_start();
    error
}

fn simple(policy: Policy, script: Script<u32>, stop: &str) -> Error<ScriptedError> {
    let scene = Scene::new();
    ended(&scene, scene.builder().policy(KEY, policy), script, stop)
}

fn number(error: Error<ScriptedError>) -> Option<u32> {
    error.into_inner().map(|inner| inner.number)
}

#[test]
fn attempts_exhausted() {
    let error = simple(plain(), Script::fails(1), "attempts_exhausted");
    assert_eq!((error.attempts(), error.outcome_reason()), (3, "retryable_error"));
    assert_eq!(error.elapsed(), ms(30));
    assert_eq!(number(error), Some(2));
}

#[test]
fn non_retryable_and_abort() {
    for (outcome, stop) in [
        (Outcome::non_retryable("bad_request"), "non_retryable"),
        (Outcome::abort("bad_request"), "abort"),
        (Outcome::unknown(), "abort"),
    ] {
        let scene = Scene::new();
        let judge = FixedClassifier::new(outcome.clone());
        let builder = scene.builder().classifier("judge", judge).policy(KEY, plain().classifier("judge"));
        let error = ended(&scene, builder, Script::fails(1), stop);
        assert_eq!(error.outcome_reason(), outcome.settled().reason.as_str());
        assert_eq!((error.attempts(), number(error)), (1, Some(0)));
    }
}

#[test]
fn an_error_that_the_classifier_accepts_is_a_success_for_everybody_but_the_caller() {
    let scene = Scene::new();
    let (budget, breaker) = (ScriptedBudget::allows(1), ScriptedBreaker::admits(1));
    let builder = scene
        .builder()
        .classifier("judge", FixedClassifier::new(Outcome::success()))
        .budget("b", budget.clone())
        .circuit_breaker("c", breaker.clone())
        .policy(KEY, plain().classifier("judge").retry_budget("b").circuit_breaker("c"));
    let error = ended(&scene, builder, Script::fails(1), "accepted");
    assert_eq!(number(error), Some(0));
    assert_eq!((scene.observer.successes().len(), scene.observer.failures().len()), (1, 0));
    expect(&scene.observer.last_timeline()).success().endings(["won"]);
    assert_eq!(breaker.votes(), [recourse::Health::Up]);
    budget.assert_all_released();
}

#[test]
fn budget_denied_keeps_the_previous_error() {
    let scene = Scene::new();
    let budget = ScriptedBudget::allows(2).then_denies(1);
    let builder = scene.builder().budget("b", budget).policy(KEY, plain().retry_budget("b"));
    let error = ended(&scene, builder, Script::fails(1), "budget_denied");
    assert_eq!((error.attempts(), number(error)), (2, Some(1)));
}

#[test]
fn budget_not_found() {
    let scene = Scene::new();
    let builder = scene.builder().late_registration().policy(KEY, plain().retry_budget("gone"));
    let error = ended(&scene, builder, Script::ok(7), "budget_not_found");
    assert_eq!((error.attempts(), number(error)), (0, None));
}

#[test]
fn circuit_open_and_its_probe_limit() {
    for (breaker, stop) in [
        (ScriptedBreaker::rejects(1), "circuit_open"),
        (ScriptedBreaker::rejects(1).half_open(), "circuit_half_open_probe_limit"),
    ] {
        let scene = Scene::new();
        let builder = scene.builder().circuit_breaker("c", breaker).policy(KEY, plain().circuit_breaker("c"));
        assert_eq!(ended(&scene, builder, Script::ok(7), stop).attempts(), 0);
    }
}

#[test]
fn breaker_not_found_names_the_breaker_and_what_there_is() {
    let scene = Scene::new();
    let builder = scene.builder().late_registration().policy(KEY, plain().circuit_breaker("gone"));
    let error = ended(&scene, builder, Script::ok(7), "breaker_not_found");
    let cause = error.cause().map(ToString::to_string).unwrap_or_default();
    for part in ["payments.Charge", "circuit.breaker_name", "\"gone\"", "consecutive_failures"] {
        assert!(cause.contains(part), "{part} is missing in: {cause}");
    }
}

#[test]
fn classifier_not_found_names_the_classifier() {
    let scene = Scene::new();
    let builder = scene.builder().missing_classifier(MissingClassifier::Deny);
    let builder = builder.policy(KEY, plain().classifier("gone"));
    let error = ended(&scene, builder, Script::ok(7), "classifier_not_found");
    assert!(error.to_string().contains("retry.classifier_name = \"gone\""), "{error}");
    expect(&scene.observer.last_timeline()).attribute("classifier_error", "classifier_not_found");
}

#[test]
fn no_policy_carries_the_cause() {
    let scene = Scene::new();
    let error = ended(&scene, scene.builder().provider(StaticProvider::new()), Script::ok(7), "no_policy");
    let cause = error.cause().and_then(|cause| cause.downcast_ref::<recourse::ProviderError>());
    assert_eq!(cause.map(|cause| cause.kind.as_str()), Some("policy_not_found"));
    assert!(std::error::Error::source(&error).is_some());
}

/// Has a policy for whatever it is asked, and doesn't count its changes.
struct Anything;

#[async_trait::async_trait]
impl PolicyProvider for Anything {
    async fn policy(&self, _: &Key) -> Result<ProvidedPolicy, ProviderError> {
        Ok(ProvidedPolicy::new(plain(), PolicySource::Remote))
    }
}

#[test]
fn an_invalid_key_never_runs_even_where_every_key_has_a_policy() {
    let scene = Scene::new();
    let executors = [
        built(scene.builder().default_policy(plain())),
        built(scene.builder().missing_policy(MissingPolicy::Fallback)),
        built(scene.builder().provider(Anything)),
    ];
    for executor in executors {
        for text in ["", "  ", ".", "...", " . "] {
            let operation = Script::ok(7).on(&scene.time);
            let error = scene.time.run(executor.run(text, |attempt| operation.call(attempt))).unwrap_err();
            assert_eq!(error.stop_reason(), StopReason::InvalidKey, "{text:?}: {error}");
            assert!(error.cause().is_some_and(|cause| cause.is::<recourse::KeyError>()), "{error:?}");
            assert_eq!(operation.count(), 0);
        }
    }
}

#[test]
fn overall_timeout_cuts_in_flight_and_keeps_the_last_real_error() {
    let script = Script::fails(1).takes(ms(5)).then_never();
    let error = simple(plain().overall_timeout(ms(100)), script, "overall_timeout");
    assert_eq!((error.attempts(), error.elapsed()), (2, ms(100)));
    assert_eq!(number(error), Some(0));
    let error = simple(plain().overall_timeout(ms(100)), Script::never(), "overall_timeout");
    assert_eq!((error.attempts(), number(error)), (1, None));
}

#[test]
fn deadline_would_pass_starts_no_wait() {
    let scene = Scene::new();
    let policy = plain().backoff(ms(50), ms(50)).overall_timeout(ms(60));
    let script = Script::fails(1).takes(ms(20));
    let error = ended(&scene, scene.builder().policy(KEY, policy), script, "deadline_would_pass");
    assert_eq!((error.attempts(), error.elapsed()), (1, ms(20)));
    assert_eq!(number(error), Some(0));
    assert_eq!(scene.time.elapsed(), ms(20));
}

#[test]
fn server_delay_too_long_ends_the_call_with_the_servers_error() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_server_delay(ms(500)));
    let busy = |_| async { Err::<u32, _>(HttpFailure::new(503, "GET").retry_after(ms(501))) };
    let (result, timeline) = scene.time.run(executor.call(KEY).run_captured(busy));
    let error = result.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::ServerDelayTooLong, 1));
    assert_eq!(error.inner().map(HttpFailure::status), Some(503));
    expect(&timeline).stop("server_delay_too_long").took(ms(0));
}

#[test]
fn a_plugins_panic_ends_the_call_with_the_component() {
    let scene = Scene::new();
    let sleeper = recourse_test::Panicking::only_in([recourse_test::PluginMethod::Sleep]);
    let builder = scene.builder().sleeper(sleeper).policy(KEY, plain());
    let error = ended(&scene, builder, Script::fails(1), "panic_in_sleeper");
    assert_eq!((error.attempts(), number(error)), (1, Some(0)));
}

#[test]
fn a_dropped_call_is_context_canceled() {
    let scene = Scene::new();
    let executor = scene.executor(plain());
    let operation = Script::<u32>::never().on(&scene.time);
    let mut call = scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
    assert!(call.poll().is_pending());
    drop(call);
    expect(&scene.observer.last_timeline()).failure().stop("context_canceled").endings(["cancelled"]);
}
