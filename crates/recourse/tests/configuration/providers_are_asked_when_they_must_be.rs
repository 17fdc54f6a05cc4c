//! A provider that counts its changes is asked once a key and change, any other at every call; at once or later.

use crate::scene::{KEY, Scene, ms, plain};
use crate::source::Source;
use recourse::{Executor, ExplainError, Key, PolicySource, ProviderErrorKind, StopReason};
use recourse_test::expect;

fn executor(scene: &Scene, source: &Source) -> Executor {
    source.gives(plain().max_attempts(2), PolicySource::Remote);
    scene.builder().provider(source.clone()).build().unwrap()
}

#[test]
fn a_provider_that_does_not_count_is_asked_at_every_call() {
    let scene = Scene::new();
    let source = Source::at_once();
    let executor = executor(&scene, &source);
    for call in 1..=3 {
        assert_eq!((scene.attempts(&executor), source.asked()), (2, call));
    }
    source.gives(plain().max_attempts(4), PolicySource::Remote);
    assert_eq!((scene.attempts(&executor), source.asked()), (4, 4));
    source.fails(ProviderErrorKind::PolicyNotFound, "gone");
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::NoPolicy);
    let handle = executor.handle(KEY).unwrap();
    scene.time.run(handle.run(|attempt| scene.fine().call(attempt))).unwrap_err();
    assert_eq!(source.asked(), 6);
}

#[test]
fn a_provider_that_counts_is_asked_once_a_key_and_change() {
    let scene = Scene::new();
    let source = Source::counted();
    let executor = executor(&scene, &source);
    for _ in 0..3 {
        assert_eq!((scene.attempts(&executor), source.asked()), (2, 1));
    }
    scene.call_key(&executor, "another.Key", &scene.fine()).0.unwrap();
    assert_eq!(source.asked(), 2);
    source.gives(plain().max_attempts(4), PolicySource::Remote);
    for _ in 0..3 {
        assert_eq!((scene.attempts(&executor), source.asked()), (4, 3));
    }
}

#[test]
fn a_refusal_of_a_provider_that_counts_is_remembered_too() {
    let scene = Scene::new();
    let source = Source::counted();
    let executor = executor(&scene, &source);
    source.fails(ProviderErrorKind::PolicyNotFound, "gone");
    for _ in 0..3 {
        assert_eq!(scene.failure(&executor).stop_reason(), StopReason::NoPolicy);
    }
    assert_eq!(source.asked(), 1);
}

#[test]
fn a_provider_that_was_down_is_asked_again_though_it_counts() {
    for kind in [ProviderErrorKind::ProviderUnavailable, ProviderErrorKind::PolicyFetchFailed] {
        let scene = Scene::new();
        let source = Source::counted();
        let executor = executor(&scene, &source);
        source.fails(kind, "down");
        for call in 1..=3 {
            assert_eq!(scene.failure(&executor).stop_reason(), StopReason::NoPolicy);
            assert_eq!(source.asked(), call, "{kind:?}");
        }
    }
}

#[test]
fn an_answer_that_comes_later_is_awaited_and_the_wait_is_no_part_of_the_call() {
    let scene = Scene::new();
    let source = Source::later(&scene.time, ms(5_000));
    source.gives(plain().overall_timeout(ms(100)), PolicySource::Remote);
    let executor = scene.builder().provider(source.clone()).build().unwrap();
    let (result, timeline) = scene.call(&executor, &scene.fine());
    assert_eq!((result.unwrap(), scene.time.elapsed()), (7, ms(5_000)));
    expect(&timeline).success().took(ms(0)).attribute("policy_source", "remote");
    scene.call(&executor, &scene.fine()).0.unwrap();
    assert_eq!((source.asked(), source.answered_later()), (2, 2));
}

#[test]
fn a_provider_that_counts_and_answers_later_is_awaited_once_a_key_and_change() {
    let scene = Scene::new();
    let source = Source::later_counted(&scene.time, ms(50));
    let executor = executor(&scene, &source);
    for _ in 0..3 {
        assert_eq!((scene.attempts(&executor), source.answered_later()), (2, 1));
    }
    source.gives(plain().max_attempts(4), PolicySource::Remote);
    for _ in 0..3 {
        assert_eq!((scene.attempts(&executor), source.answered_later()), (4, 2));
    }
}

#[test]
fn a_policy_that_changes_while_it_is_awaited_is_asked_for_again_by_the_next_call() {
    let scene = Scene::new();
    let source = Source::later_counted(&scene.time, ms(50));
    let executor = executor(&scene, &source);
    let operation = scene.failing();
    let mut call = scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
    assert!(call.poll().is_pending());
    source.gives(plain().max_attempts(4), PolicySource::Remote);
    drop(call);
    assert_eq!(scene.attempts(&executor), 4);
}

#[test]
fn a_call_dropped_while_its_policy_is_awaited_has_not_started() {
    let scene = Scene::new();
    let executor = executor(&scene, &Source::later(&scene.time, ms(50)));
    let operation = scene.fine();
    let mut call = scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
    assert!(call.poll().is_pending());
    drop(call);
    assert_eq!((operation.count(), scene.time.pending_sleeps()), (0, 0));
    assert_eq!(scene.observer.lines(), [""; 0]);
}

#[test]
fn explain_needs_an_answer_at_hand_and_after_a_call_there_is_one() {
    let scene = Scene::new();
    let executor = executor(&scene, &Source::later(&scene.time, ms(50)));
    let error = executor.explain(KEY).unwrap_err();
    assert_eq!(error, ExplainError::NotAtHand(Key::from_static(KEY)));
    assert!(error.to_string().contains(KEY), "{error}");
    scene.call(&executor, &scene.fine()).0.unwrap();
    assert_eq!(executor.explain(KEY).unwrap().worst_case_attempts, 2);
}

#[test]
fn explain_asks_a_provider_that_answers_at_once() {
    let scene = Scene::new();
    let source = Source::at_once();
    let executor = executor(&scene, &source);
    assert_eq!(executor.explain(KEY).unwrap().worst_case_attempts, 2);
    source.gives(plain().max_attempts(4), PolicySource::Remote);
    assert_eq!((executor.explain(KEY).unwrap().worst_case_attempts, source.asked()), (4, 2));
}

#[test]
fn breakers_survive_a_provider_that_is_asked_at_every_call() {
    let scene = Scene::new();
    let source = Source::at_once();
    source.gives(plain().max_attempts(1).circuit(3, ms(1_000)), PolicySource::Remote);
    let executor = scene.builder().provider(source.clone()).build().unwrap();
    scene.failure(&executor);
    source.fails(ProviderErrorKind::ProviderUnavailable, "down");
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::NoPolicy);
    source.gives(plain().max_attempts(1).circuit(2, ms(1_000)), PolicySource::Remote);
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::AttemptsExhausted);
    assert_eq!(scene.failure(&executor).stop_reason(), StopReason::CircuitOpen);
}
