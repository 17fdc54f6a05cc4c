//! `explain` as data and in words: policy, source, changes, plugins, state, and what the worst case costs.

use crate::scene::{KEY, Scene, ms, plain};
use crate::source::Source;
use recourse::budget::Unlimited;
use recourse::{
    CircuitState, Executor, Explanation, MissingBreaker, MissingBudget, MissingClassifier, MissingPolicy,
    MissingTrigger, Outcome, Policy, PolicySource, ProviderErrorKind, Resolved, StopReason,
};
use recourse_test::FixedClassifier;

fn explain(policy: Policy) -> Explanation {
    Scene::new().executor(policy).explain(KEY).unwrap()
}

fn plugin<'e>(explanation: &'e Explanation, field: &str) -> Option<&'e Resolved> {
    explanation.plugins.iter().find(|(known, _)| *known == field).map(|(_, resolved)| resolved)
}

/// Every part stands in the words of the explanation.
#[track_caller]
fn says(explanation: &Explanation, parts: &[&str]) {
    let text = explanation.to_string();
    for part in parts {
        assert!(text.contains(part), "{text}\nlacks {part:?}");
    }
}

#[test]
fn the_effective_policy_its_source_and_what_was_changed() {
    let explanation = explain(plain().id("charge-v3").max_attempts(99).backoff(ms(20), ms(10)));
    let policy = explanation.policy.as_ref().unwrap();
    assert_eq!((policy.policy.retry.max_attempts, policy.source), (10, PolicySource::Static));
    assert_eq!(policy.changed_fields().collect::<Vec<_>>(), ["retry.max_attempts", "retry.max_backoff"]);
    assert_eq!((explanation.key.as_str(), &explanation.stop), (KEY, &None));
    says(&explanation, &[KEY, "policy from: static", "id charge-v3", "retry.max_attempts = 99 became 10"]);
    says(
        &explanation,
        &["attempts: 10, backoff 20ms to 20ms x2 with none jitter", "hedging: off", "circuit: off"],
    );
}

#[test]
fn the_plugins_that_names_resolve_to() {
    let policy = plain().retry_budget("retries").hedge_trigger("p95").hedge_budget("hedges");
    let policy = policy.classifier("http").circuit_breaker("consecutive_failures");
    let builder = Scene::new().builder().budget("retries", Unlimited).budget("hedges", Unlimited);
    let explanation = builder.policy(KEY, policy).build().unwrap().explain(KEY).unwrap();
    for (field, name) in [
        ("retry.classifier_name", "http"),
        ("retry.budget.name", "retries"),
        ("hedge.trigger_name", "p95"),
        ("hedge.budget.name", "hedges"),
        ("circuit.breaker_name", "consecutive_failures"),
    ] {
        assert_eq!(plugin(&explanation, field), Some(&Resolved::Registered(name.into())), "{field}");
        says(&explanation, &[&format!("{field}: {name}")]);
    }
}

#[test]
fn the_defaults_where_no_name_is_given() {
    let explanation = explain(plain().hedge_after(ms(50)).circuit(5, ms(1_000)));
    let wanted = [
        ("retry.classifier_name", "auto"),
        ("retry.budget.name", "no budget"),
        ("hedge.trigger_name", "fixed_delay"),
        ("hedge.budget.name", "no budget"),
        ("circuit.breaker_name", "consecutive_failures"),
    ];
    assert_eq!(explanation.plugins, wanted.map(|(field, name)| (field, Resolved::Default(name))));
    says(&explanation, &["hedging: at most 2", "50ms", "opens after 5 failed attempts in a row, for 1s"]);
    let off = explain(plain());
    assert_eq!((plugin(&off, "hedge.trigger_name"), plugin(&off, "circuit.breaker_name")), (None, None));
}

#[test]
fn a_default_classifier_of_the_executors_own_is_not_called_auto() {
    let builder = Scene::new().builder().default_classifier(FixedClassifier::new(Outcome::success()));
    let explanation = builder.policy(KEY, plain()).build().unwrap().explain(KEY).unwrap();
    assert_ne!(plugin(&explanation, "retry.classifier_name"), Some(&Resolved::Default("auto")));
}

#[test]
fn what_happens_instead_of_a_missing_plugin_by_every_mode() {
    let policy =
        plain().classifier("x").retry_budget("x").hedge_budget("x").hedge_trigger("x").circuit_breaker("x");
    let lenient = Scene::new()
        .builder()
        .policy(KEY, policy.clone())
        .missing_classifier(MissingClassifier::Fallback)
        .missing_budget(MissingBudget::AllowUnsafe)
        .missing_trigger(MissingTrigger::Fallback)
        .missing_breaker(MissingBreaker::Fallback);
    let lenient = lenient.build().unwrap().explain(KEY).unwrap();
    assert_eq!(lenient.stop, None);
    says(
        &lenient,
        &["x is not registered: the default classifier judges", "x is not registered: attempts go unguarded"],
    );
    says(
        &lenient,
        &["x is not registered: the fixed delay decides", "x is not registered: consecutive failures decide"],
    );

    let strict = Scene::new()
        .builder()
        .policy(KEY, policy)
        .missing_classifier(MissingClassifier::Deny)
        .missing_budget(MissingBudget::Deny)
        .missing_trigger(MissingTrigger::Deny)
        .missing_breaker(MissingBreaker::Deny);
    let strict = strict.build().unwrap().explain(KEY).unwrap();
    assert_eq!(strict.stop.as_ref().map(|(stop, _)| *stop), Some(StopReason::ClassifierNotFound));
    assert_eq!((strict.worst_case_attempts, strict.worst_case_extra_load), (0, 0.0));
    says(&strict, &["every call fails at its start: classifier_not_found", "\"x\" is not registered"]);
    says(&strict, &["x is not registered: no hedge is launched"]);
}

#[test]
fn a_missing_retry_budget_ends_every_call_and_the_worst_case_knows() {
    let builder = Scene::new().builder().policy(KEY, plain().retry_budget("x")).late_registration();
    let explanation = builder.build().unwrap().explain(KEY).unwrap();
    says(&explanation, &["retry.budget.name: x is not registered: every call fails"]);
    assert_eq!(explanation.worst_case_attempts, 0, "{explanation}");
    assert_eq!(explanation.worst_case_duration, Some(ms(0)), "{explanation}");
}

#[test]
fn a_missing_hedge_budget_launches_no_hedge_and_the_worst_case_knows() {
    let policy = plain().hedge_after(ms(10)).hedge_budget("x");
    let builder = Scene::new().builder().policy(KEY, policy).late_registration();
    let explanation = builder.build().unwrap().explain(KEY).unwrap();
    says(&explanation, &["hedge.budget.name: x is not registered: no hedge is launched"]);
    assert_eq!(explanation.worst_case_attempts, 3, "{explanation}");
}

#[test]
fn a_key_without_a_policy_by_every_mode() {
    let explain = |mode| {
        let source = Source::at_once();
        source.fails(ProviderErrorKind::ProviderUnavailable, "connection refused");
        let builder = Scene::new().builder().provider(source).missing_policy(mode);
        builder.build().unwrap().explain(KEY).unwrap()
    };
    let denied = explain(MissingPolicy::Deny);
    assert_eq!((&denied.policy, denied.worst_case_attempts), (&None, 0));
    assert_eq!(denied.stop.as_ref().map(|(stop, _)| *stop), Some(StopReason::NoPolicy));
    says(&denied, &[KEY, "no_policy", "provider_unavailable: connection refused"]);
    for (mode, attempts, source) in
        [(MissingPolicy::Allow, 1, "unknown"), (MissingPolicy::Fallback, 3, "default")]
    {
        let explanation = explain(mode);
        assert_eq!((&explanation.stop, explanation.worst_case_attempts), (&None, attempts));
        says(&explanation, &[&format!("policy from: {source}"), "connection refused", mode.mode().as_str()]);
    }
}

#[test]
fn the_worst_case_in_attempts_time_and_load() {
    let policy = plain().max_attempts(2).timeout_per_attempt(ms(1_000)).max_server_delay(ms(1));
    let explanation = explain(policy.clone());
    assert_eq!((explanation.worst_case_attempts, explanation.worst_case_extra_load), (2, 1.0));
    assert_eq!(explanation.worst_case_duration, Some(ms(2_010)));
    says(&explanation, &["worst case: 2 attempts, 2.01s, 1x extra load"]);
    // A server may ask for a longer wait than the policy would compute.
    let polite = explain(policy.clone().max_server_delay(ms(5_000)));
    assert_eq!(polite.worst_case_duration, Some(ms(7_000)));
    let bounded = explain(policy.clone().overall_timeout(ms(1_500)));
    assert_eq!(bounded.worst_case_duration, Some(ms(1_500)));
    let hedged = explain(policy.hedge_after(ms(100)).max_hedges(3).overall_timeout(ms(1_500)));
    assert_eq!((hedged.worst_case_attempts, hedged.worst_case_extra_load), (8, 7.0));
    let unbounded = explain(plain());
    assert_eq!(unbounded.worst_case_duration, None);
    says(&unbounded, &["worst case: 3 attempts, no time limit, 2x extra load"]);
}

#[test]
fn the_state_of_the_circuit() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(1).circuit(1, ms(1_000)));
    assert_eq!(executor.explain(KEY).unwrap().circuit, Some(CircuitState::Closed));
    scene.failure(&executor);
    let explanation = executor.explain(KEY).unwrap();
    assert_eq!(explanation.circuit, Some(CircuitState::Open));
    says(&explanation, &["now open"]);
    assert_eq!(scene.executor(plain()).explain(KEY).unwrap().circuit, None);
}

#[test]
fn explaining_runs_nothing_and_tells_no_observer() {
    let scene = Scene::new();
    let executor: Executor = scene.executor(plain());
    executor.explain(KEY).unwrap();
    assert!(scene.observer.events().is_empty() && scene.time.sleeps().is_empty());
}

#[test]
fn a_breaker_that_panics_when_it_is_looked_at_does_no_harm() {
    let scene = Scene::new();
    let panicking = recourse_test::Panicking::only_in([recourse_test::PluginMethod::State]);
    let builder = scene.builder().circuit_breaker("odd", panicking);
    let executor = builder.policy(KEY, plain().circuit_breaker("odd")).build().unwrap();
    scene.call(&executor, &scene.fine()).0.unwrap();
    let explained =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| executor.explain(KEY).unwrap().circuit));
    assert_eq!(explained.ok(), Some(None), "the panic of a plugin unwinds through explain");
}
