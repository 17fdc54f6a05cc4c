//! A key without a policy: denied with the cause, allowed a single attempt, or given the default policy.

use crate::scene::{KEY, Scene, plain};
use crate::source::Source;
use recourse::{Executor, MissingPolicy, PolicySource, ProviderError, ProviderErrorKind, StopReason};
use recourse_test::{PluginMethod, expect};
use std::error::Error;

const KINDS: [(ProviderErrorKind, &str); 3] = [
    (ProviderErrorKind::PolicyNotFound, "policy_not_found"),
    (ProviderErrorKind::ProviderUnavailable, "provider_unavailable"),
    (ProviderErrorKind::PolicyFetchFailed, "policy_fetch_failed"),
];

fn executor(scene: &Scene, kind: ProviderErrorKind, mode: Option<MissingPolicy>) -> Executor {
    let source = Source::at_once();
    source.fails(kind, "the reason why");
    let builder = scene.builder().provider(source);
    mode.into_iter().fold(builder, |builder, mode| builder.missing_policy(mode)).build().unwrap()
}

#[test]
fn by_default_the_call_is_denied_and_carries_the_providers_error() {
    for (kind, code) in KINDS {
        for mode in [None, Some(MissingPolicy::Deny)] {
            let scene = Scene::new();
            let operation = scene.fine();
            let (result, timeline) = scene.call(&executor(&scene, kind, mode), &operation);
            let error = result.unwrap_err();
            assert_eq!((error.stop_reason(), error.attempts()), (StopReason::NoPolicy, 0));
            assert_eq!((operation.count(), error.inner()), (0, None));
            let cause = error.cause().and_then(|cause| cause.downcast_ref::<ProviderError>()).unwrap();
            assert_eq!((cause.kind, cause.message.as_str()), (kind, "the reason why"));
            assert!(error.source().is_some_and(|source| source.is::<ProviderError>()));
            let text = error.to_string();
            for part in [KEY, "no_policy", code, "the reason why"] {
                assert!(text.contains(part), "{text} lacks {part}");
            }
            expect(&timeline).failure().stop("no_policy").attempts(0).attribute("policy_mode", "deny");
            expect(&timeline).attribute("policy_error", code);
            assert!(
                timeline.error.as_ref().is_some_and(|error| error.contains("the reason why")),
                "{timeline}"
            );
        }
    }
}

#[test]
fn observers_hear_a_denied_call_start_without_a_policy_and_fail() {
    let scene = Scene::new();
    let executor = executor(&scene, ProviderErrorKind::PolicyNotFound, None);
    scene.call(&executor, &scene.fine()).0.unwrap_err();
    assert_eq!(scene.observer.lines(), ["start payments.Charge", "failure payments.Charge no_policy"]);
    assert_eq!(scene.observer.policies(), [None]);
}

#[test]
fn allow_gives_a_single_attempt_without_anything_else() {
    for (kind, code) in KINDS {
        let scene = Scene::new();
        let executor = executor(&scene, kind, Some(MissingPolicy::Allow));
        assert_eq!(scene.call(&executor, &scene.fine()).0.unwrap(), 7);
        let (result, timeline) = scene.call(&executor, &scene.failing());
        let error = result.unwrap_err();
        assert_eq!((error.stop_reason(), error.attempts()), (StopReason::AttemptsExhausted, 1));
        assert!(error.inner().is_some());
        expect(&timeline).attempts(1).budget_reasons(["no_budget"]);
        expect(&timeline).attribute("policy_mode", "allow").attribute("policy_source", "unknown");
        assert!(timeline.attributes.get("policy_error").unwrap().contains(code));
        let policy = scene.observer.policies().pop().flatten().unwrap();
        assert_eq!((policy.policy.retry.max_attempts, policy.policy.hedge.enabled), (1, false));
        assert_eq!((policy.policy.retry.overall_timeout, policy.policy.circuit.enabled), (None, false));
    }
}

#[test]
fn fallback_gives_the_default_policy() {
    for (kind, code) in KINDS {
        let scene = Scene::new();
        let executor = executor(&scene, kind, Some(MissingPolicy::Fallback));
        let (result, timeline) = scene.call(&executor, &scene.failing());
        assert_eq!(result.unwrap_err().attempts(), 3);
        expect(&timeline).attribute("policy_mode", "fallback").attribute("policy_source", "default");
        assert!(timeline.attributes.get("policy_error").unwrap().contains(code));
        let policy = scene.observer.policies().pop().flatten().unwrap();
        assert_eq!((policy.policy, policy.source), (recourse::Policy::new(), PolicySource::Default));
    }
}

#[test]
fn a_provider_that_panics_has_no_policy_either() {
    let scene = Scene::new();
    let panicking = recourse_test::Panicking::only_in([PluginMethod::PolicyNow]);
    let executor = scene.builder().provider(panicking).build().unwrap();
    let (result, timeline) = scene.call(&executor, &scene.fine());
    let error = result.unwrap_err();
    assert_eq!(error.stop_reason(), StopReason::NoPolicy);
    let panic = error.cause().and_then(|cause| cause.downcast_ref::<recourse::PanicError>()).unwrap();
    assert_eq!(panic.component, recourse::Component::Provider);
    expect(&timeline).stop("no_policy").attempts(0);
}

#[test]
fn a_policy_that_comes_back_is_obeyed_again() {
    let scene = Scene::new();
    let source = Source::counted();
    let executor = scene.builder().provider(source.clone()).build().unwrap();
    for attempts in [2, 4] {
        source.fails(ProviderErrorKind::ProviderUnavailable, "down");
        assert_eq!(scene.failure(&executor).stop_reason(), StopReason::NoPolicy);
        source.gives(plain().max_attempts(attempts), PolicySource::Remote);
        assert_eq!(scene.attempts(&executor), attempts);
    }
}
