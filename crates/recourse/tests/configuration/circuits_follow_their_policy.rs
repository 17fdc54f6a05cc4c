//! A circuit is there while the policy in force has it: what the executor says of it is true at any moment.

use crate::scene::{KEY, Scene, ms, plain};
use crate::source::Source;
use recourse::{CircuitMode, CircuitState, Executor, Key, Policy, PolicySource, StaticProvider, StopReason};

const CHARGE: Key = Key::from_static(KEY);

fn guarded() -> Policy {
    plain().max_attempts(1).circuit(1, ms(1_000))
}

/// An executor whose circuit is open, and its policies.
fn opened(scene: &Scene) -> (Executor, StaticProvider) {
    let provider = StaticProvider::new();
    provider.set(CHARGE, guarded());
    let executor = scene.builder().provider(provider.clone()).build().unwrap();
    scene.failure(&executor);
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open));
    (executor, provider)
}

#[test]
fn a_circuit_that_the_policy_switches_off_is_none_at_once() {
    let scene = Scene::new();
    let (executor, provider) = opened(&scene);
    let open = executor.circuit_status(KEY);
    provider.set(CHARGE, plain().max_attempts(1));
    let none = || {
        assert_eq!((executor.circuit_state(KEY), executor.circuit_status(KEY)), (None, None));
        assert_eq!(executor.explain(KEY).unwrap().circuit, None);
    };
    none();
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::AttemptsExhausted);
    none();
    provider.set(CHARGE, guarded());
    assert_eq!(executor.circuit_status(KEY), open, "switched on again it goes on from where it was");
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::CircuitOpen);
    scene.time.advance(ms(1_000));
    assert_eq!(scene.call(&executor, &scene.fine()).0.ok(), Some(7), "the cooldown ran on");
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Closed));
}

#[test]
fn a_key_that_loses_its_policy_has_no_circuit() {
    let scene = Scene::new();
    let (executor, provider) = opened(&scene);
    provider.remove(&CHARGE);
    assert_eq!(executor.circuit_state(KEY), None);
}

#[test]
fn a_circuit_that_is_off_takes_no_mode_and_keeps_the_one_that_it_has() {
    let scene = Scene::new();
    let (executor, provider) = opened(&scene);
    assert!(executor.set_circuit_mode(KEY, CircuitMode::ForcedClosed));
    provider.set(CHARGE, plain().max_attempts(1));
    let told = scene.observer.transitions().len();
    assert!(!executor.set_circuit_mode(KEY, CircuitMode::ForcedOpen));
    assert_eq!(scene.observer.transitions().len(), told);
    provider.set(CHARGE, guarded());
    let mode = executor.circuit_status(KEY).map(|status| status.mode);
    assert_eq!(mode, Some(CircuitMode::ForcedClosed));
}

#[test]
fn the_counts_of_a_window_over_time_are_those_of_now() {
    let scene = Scene::new();
    let policy = plain().max_attempts(1).circuit(5, ms(1_000)).circuit_breaker("failure_ratio_time");
    let executor = scene.executor(policy);
    (0..4).for_each(|_| _ = scene.failure(&executor));
    let counted = || executor.circuit_status(KEY).map(|status| (status.counted, status.failed));
    assert_eq!(counted(), Some((4, 4)));
    scene.time.advance(ms(3_600_000));
    assert_eq!(counted(), Some((0, 0)), "an hour later the next attempt finds none of them");
}

#[test]
fn an_observing_circuit_tells_the_timeline_what_it_would_have_rejected() {
    let scene = Scene::new();
    let executor = scene.executor(guarded());
    scene.call(&executor, &scene.fine()).0.unwrap();
    assert!(executor.set_circuit_mode(KEY, CircuitMode::Observing));
    let told = || {
        let (_, timeline) = scene.call(&executor, &scene.failing());
        timeline.attributes.get("circuit_observed_rejection").map(str::to_owned)
    };
    assert_eq!(told(), None, "this one opens it");
    assert_eq!((told().as_deref(), told().as_deref()), (Some("true"), Some("true")));
    assert_eq!(executor.circuit_status(KEY).map(|status| status.observed_rejections), Some(2));
    // Nobody watches, and it is counted as well.
    let failing = scene.failing();
    scene.time.run(executor.run(KEY, |attempt| failing.call(attempt))).unwrap_err();
    assert_eq!(executor.circuit_status(KEY).map(|status| status.observed_rejections), Some(3));
}

#[test]
fn looking_makes_no_circuit() {
    let scene = Scene::new();
    let executor = scene.executor(guarded());
    let handle = executor.handle(KEY).unwrap();
    assert_eq!((executor.circuit_state(KEY), executor.circuit_status(KEY)), (None, None));
    assert!(!executor.set_circuit_mode(KEY, CircuitMode::ForcedOpen));
    let fine = scene.fine();
    scene.time.run(handle.run(|attempt| fine.call(attempt))).unwrap();
    assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Closed));
}

#[test]
fn a_provider_that_answers_at_once_is_asked_and_one_that_answers_later_is_believed_as_of_the_last_call() {
    for later in [false, true] {
        let scene = Scene::new();
        let source = if later { Source::later(&scene.time, ms(5)) } else { Source::at_once() };
        source.gives(guarded(), PolicySource::Remote);
        let executor = scene.builder().provider(source.clone()).build().unwrap();
        scene.failure(&executor);
        source.gives(plain().max_attempts(1), PolicySource::Remote);
        assert_eq!(executor.circuit_state(KEY), later.then_some(CircuitState::Open));
        scene.failure(&executor);
        assert_eq!(executor.circuit_state(KEY), None);
    }
}
