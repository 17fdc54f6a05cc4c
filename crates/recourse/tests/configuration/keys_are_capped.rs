//! Keys that look high-cardinality can't eat memory: state is capped, calls past the cap run by their policy.

use crate::scene::{Scene, ms, plain};
use recourse::{
    BreakerSettings, CircuitBreaker, CircuitState, Executor, Key, Policy, Registry, StaticProvider,
    StopReason,
};
use recourse_test::{ScriptedBreaker, expect};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

fn guarded() -> Policy {
    plain().max_attempts(2).circuit(2, ms(1_000))
}

fn capped(scene: &Scene, keys: usize) -> Executor {
    scene.builder().default_policy(guarded()).max_keys(keys).build().unwrap()
}

#[test]
fn twelve_thousand_keys_all_work_and_ten_thousand_have_state() {
    let scene = Scene::new();
    let executor = scene.builder().default_policy(guarded()).build().unwrap();
    for number in 0..12_000 {
        let (result, timeline) = scene.call_key(&executor, &format!("users.u{number}"), &scene.failing());
        assert_eq!(result.unwrap_err().attempts(), 2);
        let (wanted, capped) = (number >= 10_000, timeline.attributes.get("state_capped"));
        assert_eq!(capped, wanted.then_some("true"), "{number}");
    }
    assert_eq!((executor.key_count(), scene.observer.state_capped().len()), (10_000, 2_000));
    scene.observer.clear();
    // The first keys have kept their state, and the last ones still have none.
    for (number, stop) in [
        (0, StopReason::CircuitOpen),
        (9_999, StopReason::CircuitOpen),
        (11_999, StopReason::AttemptsExhausted),
    ] {
        let (result, _) = scene.call_key(&executor, &format!("users.u{number}"), &scene.failing());
        assert_eq!(result.unwrap_err().stop_reason(), stop, "{number}");
    }
    assert_eq!(scene.observer.state_capped(), [Key::from_static("users.u11999")]);
}

#[test]
fn past_the_cap_a_call_has_no_breaker_and_the_observer_is_told_at_every_call() {
    let scene = Scene::new();
    let executor = capped(&scene, 1);
    scene.call_key(&executor, "first.Key", &scene.fine()).0.unwrap();
    for _ in 0..3 {
        let (result, timeline) = scene.call_key(&executor, "second.Key", &scene.failing());
        assert_eq!(result.unwrap_err().stop_reason(), StopReason::AttemptsExhausted);
        expect(&timeline).attempts(2).attribute("state_capped", "true").attribute("policy_source", "default");
    }
    assert_eq!(scene.observer.state_capped(), vec![Key::from_static("second.Key"); 3]);
    assert_eq!((executor.circuit_state("second.Key"), executor.key_count()), (None, 1));
    scene.observer.assert_one_end_per_start();
}

#[test]
fn a_cap_of_zero_leaves_every_key_without_state() {
    let scene = Scene::new();
    let executor = capped(&scene, 0);
    let (result, timeline) = scene.call_key(&executor, "first.Key", &scene.failing());
    assert_eq!((result.unwrap_err().attempts(), executor.key_count()), (2, 0));
    expect(&timeline).attribute("state_capped", "true");
}

#[test]
fn policies_of_their_own_and_changes_reach_keys_past_the_cap() {
    let scene = Scene::new();
    let provider = StaticProvider::new();
    provider.set(Key::from_static("a.Key"), plain().max_attempts(4));
    let executor = scene.builder().provider(provider.clone()).max_keys(0).build().unwrap();
    let end = || scene.call_key(&executor, "a.Key", &scene.failing()).0.unwrap_err();
    assert_eq!(end().attempts(), 4);
    provider.set(Key::from_static("a.Key"), plain().max_attempts(1));
    assert_eq!(end().attempts(), 1);
    provider.remove(&Key::from_static("a.Key"));
    assert_eq!(end().stop_reason(), StopReason::NoPolicy);
}

#[test]
fn no_more_breakers_are_made_than_keys_have_state() {
    let made: Arc<Mutex<BTreeMap<Key, usize>>> = Arc::default();
    let count = Arc::clone(&made);
    let factory = move |key: &Key, _: &BreakerSettings| -> Arc<dyn CircuitBreaker> {
        *count.lock().unwrap().entry(key.clone()).or_default() += 1;
        Arc::new(ScriptedBreaker::admits(1))
    };
    let scene = Scene::new();
    let builder = scene.builder().circuit_breaker("counted", factory).max_keys(100);
    let executor = builder.default_policy(plain().circuit_breaker("counted")).build().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..300 {
                    let key = format!("users.u{number}");
                    futures::executor::block_on(executor.run(&key, |_| async { Ok::<_, std::io::Error>(1) }))
                        .unwrap();
                }
            });
        }
    });
    let made = made.lock().unwrap();
    assert_eq!((made.len(), executor.key_count()), (100, 100));
    assert!(made.values().all(|&times| times == 1), "{made:?}");
}

#[test]
fn explain_says_that_a_key_is_past_the_cap() {
    let scene = Scene::new();
    let executor = capped(&scene, 0);
    let explanation = executor.explain("a.Key").unwrap();
    assert_eq!((explanation.attributes.get("state_capped"), explanation.circuit), (Some("true"), None));
    assert!(explanation.to_string().contains("state_capped=true"), "{explanation}");
}

#[test]
fn looking_at_keys_takes_no_place_from_keys_that_are_called() {
    let scene = Scene::new();
    let executor = capped(&scene, 10);
    for number in 0..20 {
        assert_eq!(executor.circuit_state(&format!("looked.At{number}")), None);
    }
    assert_eq!(executor.key_count(), 0, "circuit_state only looks");
    for number in 0..20 {
        executor.explain(&format!("looked.At{number}")).unwrap();
    }
    scene.call_key(&executor, "really.Called", &scene.failing()).0.unwrap_err();
    assert_eq!(executor.circuit_state("really.Called"), Some(CircuitState::Open), "explain only looks");
}

#[test]
fn state_comes_back_with_the_registry_and_not_with_the_number_of_changes() {
    // A thousand changes of plugins make a thousand plans and not one place more.
    let scene = Scene::new();
    let budgets = Registry::new();
    let executor =
        scene.builder().budgets(budgets.clone()).default_policy(guarded()).max_keys(1).build().unwrap();
    for number in 0..1_000 {
        budgets.register(format!("b{number}"), recourse::budget::Unlimited).unwrap();
        scene.call_key(&executor, "a.Key", &scene.fine()).0.unwrap();
    }
    assert_eq!((executor.key_count(), scene.observer.state_capped().len()), (1, 0));
}

#[test]
fn keys_without_a_policy_do_not_push_out_those_that_have_one() {
    let scene = Scene::new();
    let provider = recourse::StaticProvider::new();
    let executor = scene.builder().provider(provider.clone()).max_keys(16).build().unwrap();
    for number in 0..100 {
        scene.call_key(&executor, &format!("made.Up{number}"), &scene.fine()).0.unwrap_err();
    }
    assert_eq!(executor.key_count(), 2, "one place in eight");
    provider.set(recourse::Key::from_static("really.Used"), guarded());
    provider.set(recourse::Key::from_static("made.Up99"), guarded());
    for key in ["really.Used", "made.Up99"] {
        scene.call_key(&executor, key, &scene.failing()).0.unwrap_err();
        assert_eq!(executor.circuit_state(key), Some(CircuitState::Open), "{key} has a circuit of its own");
    }
    assert_eq!(executor.key_count(), 4);
}
