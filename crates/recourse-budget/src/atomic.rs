//! The word that every budget counts with: the standard library's, or loom's where a model is checked.
#![allow(unexpected_cfgs, reason = "`loom` is set by hand, for model checks alone")]

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
