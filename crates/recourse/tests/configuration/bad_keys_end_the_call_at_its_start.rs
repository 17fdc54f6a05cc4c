//! A text that is no key: the call fails with a clear error, nothing is asked and nothing is kept.

use crate::scene::{Scene, ms, plain};
use crate::source::Source;
use recourse::{Executor, ExplainError, Key, KeyError, MissingPolicy, PolicySource, StopReason};
use recourse_test::{Script, VirtualTime, expect};
use std::error::Error;

const BAD: [&str; 6] = ["", " ", ".", "...", " . . ", "\t\n"];

#[test]
fn the_call_ends_before_the_operation_runs_and_the_error_shows_the_text() {
    for text in BAD {
        let scene = Scene::new();
        let executor = scene.builder().default_policy(plain()).build().unwrap();
        let operation = scene.fine();
        let (result, timeline) = scene.call_key(&executor, text, &operation);
        let error = result.unwrap_err();
        assert_eq!((error.stop_reason(), error.attempts()), (StopReason::InvalidKey, 0), "{text:?}");
        assert_eq!((operation.count(), error.inner()), (0, None));
        assert!(error.source().is_some_and(|source| source.is::<KeyError>()));
        let shown = error.to_string();
        for part in ["invalid_key", &format!("{text:?} is not a key"), "namespace.name"] {
            assert!(shown.contains(part), "{shown} lacks {part}");
        }
        expect(&timeline).failure().stop("invalid_key").attempts(0).well_formed();
    }
}

#[test]
fn nothing_of_it_stays_and_every_text_has_the_same_low_cardinality_key() {
    let scene = Scene::new();
    let executor = scene.builder().default_policy(plain()).build().unwrap();
    for text in BAD {
        let (_, timeline) = scene.call_key(&executor, text, &scene.fine());
        assert_eq!(timeline.key, Key::from_static("invalid_key"));
        assert!(timeline.attributes.is_empty(), "{}", timeline.attributes);
    }
    assert_eq!(executor.key_count(), 0);
    scene.observer.assert_one_end_per_start();
    assert!(scene.observer.state_capped().is_empty());
    assert_eq!(scene.observer.lines()[..2], ["start invalid_key", "failure invalid_key invalid_key"]);
}

#[test]
fn no_mode_for_missing_policies_makes_a_key_of_it() {
    for mode in [MissingPolicy::Deny, MissingPolicy::Allow, MissingPolicy::Fallback] {
        let scene = Scene::new();
        let executor = scene.builder().missing_policy(mode).build().unwrap();
        let (result, _) = scene.call_key(&executor, "..", &scene.fine());
        assert_eq!(result.unwrap_err().stop_reason(), StopReason::InvalidKey);
    }
}

#[test]
fn no_kind_of_provider_is_asked_and_none_makes_a_key_of_it() {
    let time = VirtualTime::new();
    let sources = [
        Source::at_once(),
        Source::counted(),
        Source::later(&time, ms(10)),
        Source::later_counted(&time, ms(10)),
    ];
    for source in sources {
        source.gives(plain(), PolicySource::Remote);
        let builder = Executor::builder().clock(time.clone()).sleeper(time.clone());
        let executor = builder.provider(source.clone()).build().unwrap();
        let operation = Script::ok(7).on(&time);
        let result = time.run(executor.run("..", |attempt| operation.call(attempt)));
        assert_eq!(result.map_err(|error| error.stop_reason()), Err(StopReason::InvalidKey));
        assert_eq!((source.asked(), operation.count()), (0, 0));
    }
}

#[test]
fn explain_and_circuit_state_refuse_it_too() {
    let executor = Scene::new().builder().default_policy(plain()).build().unwrap();
    for text in BAD {
        let error = executor.explain(text).unwrap_err();
        assert!(matches!(&error, ExplainError::Key(error) if error.given == text));
        assert!(error.to_string().contains(&format!("{text:?}")), "{error}");
        assert_eq!(executor.circuit_state(text), None);
    }
    assert_eq!(executor.key_count(), 0);
}

#[test]
fn a_real_key_of_that_name_is_a_key_like_any_other() {
    let scene = Scene::new();
    let executor = scene.builder().policy("invalid_key", plain()).build().unwrap();
    scene.call_key(&executor, "..", &scene.fine()).0.unwrap_err();
    assert_eq!(scene.call_key(&executor, "invalid_key", &scene.fine()).0.unwrap(), 7);
}
