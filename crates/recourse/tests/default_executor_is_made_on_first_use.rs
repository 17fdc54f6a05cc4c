//! The process-wide executor where none was set: a process of its own, for it is made once a process.
#![allow(clippy::unwrap_used, reason = "a test may")]

use recourse::{Executor, Policy, PolicySource, StopReason};
use std::io;

fn fine(value: u32) -> std::future::Ready<Result<u32, io::Error>> {
    std::future::ready(Ok(value))
}

#[test]
fn a_key_without_a_policy_gets_the_default_policy() {
    let (result, timeline) = futures::executor::block_on(recourse::call("any.Key").run_captured(|_| fine(7)));
    assert_eq!(result.unwrap(), 7);
    assert_eq!(timeline.attributes.get("policy_mode"), Some("fallback"));
    assert_eq!(timeline.attributes.get("policy_source"), Some("default"));
    assert!(timeline.attributes.get("policy_error").is_some_and(|error| error.contains("policy_not_found")));

    let explanation = recourse::default_executor().explain("another.Key").unwrap();
    let policy = explanation.policy.unwrap();
    assert_eq!((policy.policy, policy.source), (Policy::new(), PolicySource::Default));
    assert_eq!(explanation.worst_case_attempts, 3);
}

#[test]
fn there_is_one_executor_however_often_it_is_asked_for() {
    assert!(std::ptr::eq(recourse::default_executor(), recourse::default_executor()));
    assert_eq!(futures::executor::block_on(recourse::run("one.Key", |_| fine(1))).unwrap(), 1);
    assert!(recourse::default_executor().key_count() >= 1);
}

#[test]
fn a_text_that_is_no_key_is_still_an_error() {
    let error = futures::executor::block_on(recourse::run("..", |_| fine(1))).unwrap_err();
    assert_eq!(error.stop_reason(), StopReason::InvalidKey);
}

#[test]
fn after_its_first_use_another_is_refused_and_handed_back() {
    recourse::default_executor();
    for attempts in [5, 6] {
        let late =
            Executor::builder().policy("late.Key", Policy::new().max_attempts(attempts)).build().unwrap();
        let error = recourse::set_default(late).unwrap_err();
        assert!(error.to_string().contains("before the first call"), "{error}");
        let back = error.into_executor();
        assert_eq!(back.explain("late.Key").unwrap().worst_case_attempts, attempts);
    }
    assert_eq!(recourse::default_executor().explain("late.Key").unwrap().worst_case_attempts, 3);
}
