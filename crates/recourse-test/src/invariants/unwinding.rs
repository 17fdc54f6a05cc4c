//! A plugin that panics, told with what it was asked.

use std::any::Any;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a plugin; its panic becomes one that says what it was asked.
#[track_caller]
pub(super) fn survives<R>(asked: impl Display, plugin: impl FnOnce() -> R) -> R {
    match catch_unwind(AssertUnwindSafe(plugin)) {
        Ok(answer) => answer,
        Err(panic) => panic!("it panicked in {asked}: {}", text(&*panic)),
    }
}

/// What somebody panicked with, if it is text.
pub(super) fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}
