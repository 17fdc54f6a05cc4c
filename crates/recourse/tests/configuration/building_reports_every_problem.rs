//! `build()` finds everything that is wrong with static policies and names, all at once, and says it clearly.

use crate::scene::{KEY, Scene, ms, plain};
use crate::source::Source;
use recourse::budget::Unlimited;
use recourse::{
    BuildError, Executor, ExecutorBuilder, Key, MissingBreaker, MissingBudget, MissingClassifier,
    MissingTrigger, Outcome, Policy, Problem, StaticProvider,
};
use recourse_test::{FixedClassifier, ScriptedBreaker, ScriptedTrigger};

/// Sets a mode.
type Set = fn(ExecutorBuilder) -> ExecutorBuilder;

fn problems(builder: ExecutorBuilder) -> Vec<String> {
    let problems = builder.build().map_or_else(|error| error.problems().to_vec(), |_| Vec::new());
    problems.iter().map(ToString::to_string).collect()
}

/// A policy that names one plugin of every kind.
fn naming() -> Policy {
    Policy::new()
        .classifier("judge")
        .retry_budget("retries")
        .hedge_budget("hedges")
        .hedge_trigger("slow")
        .circuit_breaker("ratio")
}

#[test]
fn every_name_that_nothing_is_registered_under_is_reported_with_key_field_and_value() {
    let found = problems(Executor::builder().policy(KEY, naming()).budget("retires", Unlimited));
    for (field, name, known) in [
        ("retry.classifier_name", "judge", "registered: always auto grpc http"),
        ("retry.budget.name", "retries", "registered: retires"),
        ("hedge.budget.name", "hedges", "registered: retires"),
        ("hedge.trigger_name", "slow", "registered: fixed_delay fixed_delay_within_deadline p50 p90 p95 p99"),
        (
            "circuit.breaker_name",
            "ratio",
            "registered: consecutive_failures failure_ratio_count failure_ratio_time slow_calls",
        ),
    ] {
        let wanted = format!("policy {KEY:?}: {field} = {name:?} is not registered; {known}");
        assert!(found.contains(&wanted), "{wanted}\nis not among\n{}", found.join("\n"));
    }
    assert_eq!(found.len(), 5);
}

#[test]
fn names_that_something_is_registered_under_are_no_problem() {
    let builder = Executor::builder()
        .policy(KEY, naming())
        .classifier("judge", FixedClassifier::new(Outcome::success()))
        .budget("retries", Unlimited)
        .budget("hedges", Unlimited)
        .hedge_trigger("slow", ScriptedTrigger::new(recourse::HedgeDecision::never()))
        .circuit_breaker("ratio", ScriptedBreaker::admits(1));
    assert_eq!(problems(builder), [""; 0]);
    let builtin = ["always", "auto", "grpc", "http"].map(|name| Policy::new().classifier(name));
    for policy in builtin.into_iter().chain([
        Policy::new().hedge_trigger("p99").circuit_breaker("consecutive_failures"),
        Policy::new().hedge_trigger("fixed_delay"),
    ]) {
        assert_eq!(problems(Executor::builder().policy(KEY, policy)), [""; 0]);
    }
}

#[test]
fn a_mode_that_was_set_silences_its_own_kind_and_no_other_even_where_it_is_the_default() {
    let silenced: [(&str, Set, usize); 8] = [
        ("retry.classifier_name", |b| b.missing_classifier(MissingClassifier::Fallback), 4),
        ("retry.classifier_name", |b| b.missing_classifier(MissingClassifier::Deny), 4),
        ("budget.name", |b| b.missing_budget(MissingBudget::Deny), 3),
        ("budget.name", |b| b.missing_budget(MissingBudget::AllowUnsafe), 3),
        ("hedge.trigger_name", |b| b.missing_trigger(MissingTrigger::Fallback), 4),
        ("hedge.trigger_name", |b| b.missing_trigger(MissingTrigger::Deny), 4),
        ("circuit.breaker_name", |b| b.missing_breaker(MissingBreaker::Deny), 4),
        ("circuit.breaker_name", |b| b.missing_breaker(MissingBreaker::Fallback), 4),
    ];
    for (field, set, left) in silenced {
        let found = problems(set(Executor::builder().policy(KEY, naming())));
        assert!(!found.iter().any(|problem| problem.contains(field)), "{field}: {found:?}");
        assert_eq!(found.len(), left, "{field}: {found:?}");
    }
}

#[test]
fn late_registration_silences_the_search_for_names_and_nothing_else() {
    assert_eq!(problems(Executor::builder().policy(KEY, naming()).late_registration()), [""; 0]);
    let bad = naming().backoff_multiplier(f64::NAN);
    let found = problems(Executor::builder().policy(KEY, bad).policy("..", plain()).late_registration());
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn parts_that_are_off_name_nothing() {
    let mut off = naming();
    (off.hedge.enabled, off.circuit.enabled) = (false, false);
    let builder = Executor::builder().policy(KEY, off).budget("retries", Unlimited);
    let builder = builder.classifier("judge", FixedClassifier::new(Outcome::success()));
    assert_eq!(problems(builder), [""; 0]);
}

#[test]
fn policies_of_a_provider_are_not_looked_into() {
    let provider = StaticProvider::new();
    provider.set(Key::from_static(KEY), naming().backoff_multiplier(f64::NAN));
    assert_eq!(problems(Executor::builder().provider(provider)), [""; 0]);
}

#[test]
fn the_default_policy_is_checked_like_any_other() {
    let found = problems(Executor::builder().default_policy(Policy::new().retry_budget("retries")));
    assert_eq!(found, ["default policy: retry.budget.name = \"retries\" is not registered; nothing is"]);
    let found = problems(Executor::builder().default_policy(Policy::new().backoff_multiplier(-1.0)));
    assert_eq!(
        found,
        ["default policy: retry.backoff_multiplier = -1 is not allowed: 1 to 10; 0 means the default"]
    );
}

#[test]
fn a_key_with_two_policies_is_an_error_also_in_two_spellings() {
    for second in [KEY, " payments . Charge ", "payments.Charge "] {
        let builder = Executor::builder().policy(KEY, plain()).policy(second, plain().max_attempts(4));
        let error = builder.build().unwrap_err();
        assert!(matches!(error.problems(), [Problem::DuplicatePolicy(_)]), "{error}");
        assert!(error.to_string().contains("\"payments.Charge\""), "{error}");
    }
}

#[test]
fn a_text_that_is_no_key_is_an_error_that_shows_it() {
    for text in ["", "  ", "..", " . "] {
        let error = Executor::builder().policy(text, plain()).build().unwrap_err();
        assert!(matches!(error.problems(), [Problem::Key(error)] if error.given == text), "{error}");
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
    }
}

#[test]
fn numbers_that_are_none_are_errors_with_key_field_value_and_what_is_allowed() {
    for (bad, shown) in
        [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf"), (-2.5, "-2.5")]
    {
        let found = problems(Executor::builder().policy(KEY, plain().backoff_multiplier(bad)));
        let wanted = format!(
            "policy {KEY:?}: retry.backoff_multiplier = {shown} is not allowed: 1 to 10; 0 means the default"
        );
        assert_eq!(found, [wanted]);
    }
}

#[test]
fn names_that_a_registry_refuses_are_errors() {
    let budget = |name: &'static str| Executor::builder().budget(name, Unlimited).budget("taken", Unlimited);
    assert_eq!(problems(budget("free")), [""; 0]);
    for (builder, wanted) in [
        (budget("taken"), "budget: the name \"taken\" is taken"),
        (budget(" "), "budget: a plugin needs a name"),
        (
            Executor::builder().classifier("http", FixedClassifier::new(Outcome::success())),
            "classifier: the name \"http\"",
        ),
        (
            Executor::builder().circuit_breaker("", ScriptedBreaker::admits(1)),
            "circuit breaker: a plugin needs",
        ),
        (
            Executor::builder().hedge_trigger("p95", ScriptedTrigger::new(recourse::HedgeDecision::never())),
            "hedge trigger: the name \"p95\"",
        ),
    ] {
        let found = problems(builder);
        assert!(found.len() == 1 && found[0].starts_with(wanted), "{wanted}: {found:?}");
    }
}

#[test]
fn a_provider_beside_static_policies_is_an_error() {
    for builder in [Executor::builder().policy(KEY, plain()), Executor::builder().default_policy(plain())] {
        let error = builder.provider(Source::at_once()).build().unwrap_err();
        assert_eq!(error.problems(), [Problem::ProviderAndPolicies]);
    }
}

#[test]
fn a_cap_of_keys_beyond_reason_is_an_error_that_says_what_is_allowed() {
    let found = problems(Executor::builder().max_keys(usize::MAX));
    assert_eq!(found, [format!("max_keys = {} is not allowed: 0 to 4194304", usize::MAX)]);
    assert_eq!(problems(Executor::builder().max_keys(4_194_304)), [""; 0]);
}

#[test]
fn all_problems_are_told_together_one_a_line() {
    let builder = Executor::builder()
        .policy("..", plain())
        .policy(KEY, plain().retry_budget("retries"))
        .policy(KEY, plain())
        .policy("a.b", plain().backoff_multiplier(f64::NAN))
        .max_keys(usize::MAX);
    let error: BuildError = builder.build().unwrap_err();
    let text = error.to_string();
    assert_eq!((error.problems().len(), text.lines().count()), (5, 6), "{text}");
    assert!(text.starts_with("5 problems:"), "{text}");
    let _: &dyn std::error::Error = &error;
}

#[test]
fn a_second_default_policy_never_wins_in_silence() {
    // Two policies for one key are an error; so are two for every other key.
    let given = Executor::builder().default_policy(plain().max_attempts(4)).default_policy(plain());
    assert!(matches!(given.build(), Err(error) if error.problems().len() == 1));
}

#[cfg(feature = "serde")]
#[test]
fn policies_of_a_file_are_checked_beside_those_in_code() {
    let file = |policy: Policy| {
        let mut set = recourse::policy::PolicySet::default();
        set.policies.insert(Key::from_static(KEY), policy);
        set
    };
    let executor = Executor::builder().policies(file(plain().max_attempts(4))).policy("a.b", plain()).build();
    assert_eq!(executor.unwrap().explain(KEY).unwrap().worst_case_attempts, 4);
    let twice = Executor::builder().policies(file(plain())).policy(KEY, plain()).build().unwrap_err();
    assert!(matches!(twice.problems(), [Problem::DuplicatePolicy(_)]), "{twice}");
    assert_eq!(problems(Executor::builder().policies(file(naming()))).len(), 5);

    let mut defaults = recourse::policy::PolicySet::default();
    defaults.default = Some(plain().max_attempts(5));
    let executor = Executor::builder().policies(defaults).build().unwrap();
    assert_eq!(executor.explain("any.key").unwrap().worst_case_attempts, 5);
}

#[test]
fn a_builder_without_anything_builds_and_denies_every_key() {
    let scene = Scene::new();
    let executor = scene.builder().build().unwrap();
    let (result, _) = scene.call(&executor, &scene.fine());
    assert_eq!(result.unwrap_err().stop_reason(), recourse::StopReason::NoPolicy);
    assert_eq!(scene.time.elapsed(), ms(0));
}
