//! However a call site spells its key, the key has one policy, one breaker, one place.

use crate::scene::{KEY, Scene, ms, plain};
use recourse::{CircuitState, Key, KeyRef, StopReason};
use recourse_test::expect;

const SPELLINGS: [&str; 6] = [
    "payments.Charge",
    " payments . Charge ",
    "payments. Charge",
    "\tpayments.Charge\n",
    "payments .Charge",
    "\u{a0}payments\u{2003}.\u{3000}Charge",
];

#[test]
fn every_spelling_finds_the_policy_and_the_timeline_shows_the_key_trimmed() {
    let scene = Scene::new();
    let executor = scene.builder().policy(SPELLINGS[1], plain().max_attempts(2)).build().unwrap();
    for spelling in SPELLINGS {
        let (result, timeline) = scene.call_key(&executor, spelling, &scene.failing());
        let error = result.unwrap_err();
        assert_eq!((error.attempts(), error.key().as_str()), (2, KEY), "{spelling:?}");
        assert_eq!(timeline.key, Key::from_static(KEY));
    }
    assert_eq!(executor.key_count(), 1);
}

#[test]
fn failures_under_every_spelling_open_one_circuit() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(1).circuit(6, ms(1_000)));
    for spelling in SPELLINGS {
        assert_eq!(executor.circuit_state(KEY).unwrap_or(CircuitState::Closed), CircuitState::Closed);
        scene.call_key(&executor, spelling, &scene.failing()).0.unwrap_err();
    }
    for spelling in SPELLINGS {
        assert_eq!(executor.circuit_state(spelling), Some(CircuitState::Open), "{spelling:?}");
        let (result, timeline) = scene.call_key(&executor, spelling, &scene.fine());
        assert_eq!(result.unwrap_err().stop_reason(), StopReason::CircuitOpen);
        expect(&timeline).attribute("circuit_state", "open");
    }
}

#[test]
fn texts_strings_keys_and_handles_are_one_way_in() {
    static FIXED: Key = Key::from_static(KEY);
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(1).circuit(5, ms(1_000)));
    let parsed = Key::new(SPELLINGS[1]).unwrap();
    let text = String::from(SPELLINGS[2]);
    let ways: [KeyRef<'_>; 5] =
        [KEY.into(), (&text).into(), (&FIXED).into(), FIXED.clone().into(), parsed.into()];
    for way in ways {
        let operation = scene.failing();
        scene.time.run(executor.call(way).run(|attempt| operation.call(attempt))).unwrap_err();
    }
    assert_eq!((executor.circuit_state(&FIXED), executor.key_count()), (Some(CircuitState::Open), 1));
}

#[test]
fn a_dot_in_front_and_none_at_all_are_the_same_key_and_one_behind_is_another() {
    let scene = Scene::new();
    let executor =
        scene.builder().default_policy(plain()).policy("Charge", plain().max_attempts(2)).build().unwrap();
    for (spelling, attempts) in
        [("Charge", 2), (".Charge", 2), (" . Charge", 2), ("Charge.", 3), ("charge", 3)]
    {
        let (result, _) = scene.call_key(&executor, spelling, &scene.failing());
        assert_eq!(result.unwrap_err().attempts(), attempts, "{spelling:?}");
    }
}

#[test]
fn explain_and_handles_take_every_spelling_too() {
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(2));
    for spelling in SPELLINGS {
        assert_eq!(executor.explain(spelling).unwrap().worst_case_attempts, 2);
        assert_eq!(executor.handle(spelling).unwrap().key().as_str(), KEY);
    }
    assert_eq!(executor.key_count(), 1);
}

#[test]
fn a_call_in_the_making_shows_its_key_whether_or_not_that_was_called_before() {
    let scene = Scene::new();
    let executor = scene.executor(plain());
    let shown = || SPELLINGS.map(|spelling| format!("{:?}", executor.call(spelling).idempotent(true)));
    let expected = format!("Call {{ key: {:?}, idempotent: Some(true) }}", Key::from_static(KEY));
    assert!(shown().iter().all(|shown| *shown == expected), "{:?}", shown());
    scene.call_key(&executor, KEY, &scene.fine()).0.unwrap();
    assert!(shown().iter().all(|shown| *shown == expected), "{:?}", shown());
}
