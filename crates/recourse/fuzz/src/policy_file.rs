//! Texts as policy files, in both formats: a set of policies that can be written and read again, or an error that names
//! its place.

use crate::limits;
use recourse_core::policy::{Policy, PolicySet};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// Reads a text as a policy and as a set of them, from JSON and from TOML.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    for set in [read_json::<PolicySet>(text), read_toml(text)].into_iter().flatten() {
        set.default.iter().chain(set.policies.values()).for_each(limits::check);
        if set.default.iter().chain(set.policies.values()).all(can_be_written) {
            assert_eq!(again_as_json(&set), set);
            assert_eq!(again_as_toml(&set), set);
        }
    }
    for policy in [read_json::<Policy>(text), read_toml(text)].into_iter().flatten() {
        limits::check(&policy);
        if can_be_written(&policy) {
            assert_eq!(again_as_json(&policy), policy);
            assert_eq!(again_as_toml(&policy), policy);
        }
    }
}

/// JSON has no word for a factor that is no number, and such a factor is not even equal to itself.
pub(crate) fn can_be_written(policy: &Policy) -> bool {
    policy.retry.backoff_multiplier.is_finite()
}

fn read_json<T: DeserializeOwned>(text: &str) -> Option<T> {
    let error = match serde_json::from_str(text) {
        Ok(read) => return Some(read),
        Err(error) => error,
    };
    let lines = text.split('\n').count();
    assert!((1..=lines).contains(&error.line()), "line {} of {lines}: {error}", error.line());
    assert!(error.to_string().ends_with(&format!("at line {} column {}", error.line(), error.column())));
    None
}

fn read_toml<T: DeserializeOwned>(text: &str) -> Option<T> {
    let error = match toml::from_str(text) {
        Ok(read) => return Some(read),
        Err(error) => error,
    };
    let place = error.span().expect("an error has its place");
    assert!(place.start <= place.end && place.end <= text.len(), "{place:?} of {}: {error}", text.len());
    assert!(!error.message().is_empty());
    None
}

#[track_caller]
pub(crate) fn again_as_json<T: Serialize + DeserializeOwned + Debug>(value: &T) -> T {
    let text = serde_json::to_string(value).expect("it can be written as JSON");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[track_caller]
pub(crate) fn again_as_toml<T: Serialize + DeserializeOwned + Debug>(value: &T) -> T {
    let text = toml::to_string(value).expect("it can be written as TOML");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
