//! Each check catches the plugins that it is there for, and says what is wrong with them.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod bad_breakers_are_caught;
mod bad_budgets_are_caught;
mod bad_classifiers_are_caught;
mod bad_sleepers_are_caught;
mod bad_triggers_are_caught;
mod other_bad_plugins_are_caught;
mod what_is_not_given_back_is_told;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The message with which a check fails.
#[track_caller]
fn message(check: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(check)).expect_err("the check must fail");
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap()
}

/// Asserts that a check fails with a message that says this.
#[track_caller]
fn assert_caught(says: &str, check: impl FnOnce()) {
    let message = message(check);
    assert!(message.contains(says), "it should say {says:?}, and says: {message}");
}
