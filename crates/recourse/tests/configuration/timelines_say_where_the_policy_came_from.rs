//! The timeline's attributes of policy resolution: mode, source, error, normalised fields.

use crate::scene::{KEY, Scene, plain};
use crate::source::Source;
use recourse::{MissingPolicy, Policy, PolicySource, ProviderErrorKind, Timeline};
use recourse_test::expect;

/// The timeline of a call by this policy, from this source.
fn given(policy: Policy, source: PolicySource) -> Timeline {
    let scene = Scene::new();
    let provider = Source::at_once();
    provider.gives(policy, source);
    let executor = scene.builder().provider(provider).build().unwrap();
    scene.call(&executor, &scene.fine()).1
}

/// The timeline of a call whose provider is down.
fn missing(mode: MissingPolicy) -> Timeline {
    let scene = Scene::new();
    let provider = Source::at_once();
    provider.fails(ProviderErrorKind::ProviderUnavailable, "connection refused");
    let executor = scene.builder().provider(provider).missing_policy(mode).build().unwrap();
    scene.call(&executor, &scene.fine()).1
}

#[test]
fn a_policy_as_it_was_written_has_a_source_and_no_normalised_fields() {
    for (source, name) in [
        (PolicySource::Static, "static"),
        (PolicySource::Remote, "remote"),
        (PolicySource::LastKnownGood, "lkg"),
    ] {
        let timeline = given(plain().max_attempts(2), source);
        expect(&timeline).attribute("policy_source", name);
        expect(&timeline).no_attribute("policy_normalized_fields").no_attribute("policy_error");
    }
}

#[test]
fn a_policy_that_was_found_is_told_as_standard() {
    expect(&given(plain(), PolicySource::Static)).attribute("policy_mode", "standard");
    expect(&given(plain(), PolicySource::LastKnownGood)).attribute("policy_mode", "standard");
}

#[test]
fn normalised_fields_are_told_by_their_dotted_paths_in_the_order_of_the_table() {
    let timeline = given(plain().max_attempts(0), PolicySource::Static);
    expect(&timeline).attribute("policy_normalized_fields", "retry.max_attempts");
    let timeline = given(plain().hedge_cost(0).retry_cost(0).max_attempts(0), PolicySource::Static);
    expect(&timeline)
        .attribute("policy_normalized_fields", "retry.max_attempts,retry.budget.cost,hedge.budget.cost");
}

#[test]
fn a_policy_that_stands_in_for_a_missing_one_is_told_with_the_reason_as_a_code() {
    for (mode, name, source, attempts) in
        [(MissingPolicy::Fallback, "fallback", "default", 1), (MissingPolicy::Allow, "allow", "unknown", 1)]
    {
        let timeline = missing(mode);
        expect(&timeline).success().attempts(attempts);
        expect(&timeline).attribute("policy_mode", name).attribute("policy_source", source);
        expect(&timeline).attribute("policy_error", "provider_unavailable");
        expect(&timeline).no_attribute("policy_normalized_fields");
    }
}

#[test]
fn a_denied_call_tells_mode_and_error() {
    let timeline = missing(MissingPolicy::Deny);
    expect(&timeline).failure().stop("no_policy").attempts(0).attribute("policy_mode", "deny");
    expect(&timeline).attribute("policy_error", "provider_unavailable");
    assert!(timeline.error.as_ref().is_some_and(|error| error.contains("connection refused")), "{timeline}");
}

#[test]
fn a_denied_call_has_a_source_too_and_it_is_unknown() {
    expect(&missing(MissingPolicy::Deny)).attribute("policy_source", "unknown");
}

#[test]
fn the_default_of_static_policies_is_told_as_default() {
    let scene = Scene::new();
    let executor = scene.builder().policy(KEY, plain()).default_policy(plain()).build().unwrap();
    expect(&scene.call(&executor, &scene.fine()).1).attribute("policy_source", "static");
    let (_, timeline) = scene.call_key(&executor, "another.Key", &scene.fine());
    expect(&timeline).attribute("policy_source", "default").no_attribute("policy_error");
}

#[test]
fn observers_and_captures_are_told_the_same() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(0).id("v1"));
    let (_, captured) = scene.call(&executor, &scene.failing());
    assert_eq!(scene.observer.last_timeline(), captured);
    expect(&captured).policy_id("v1").attribute("policy_normalized_fields", "retry.max_attempts");
}
