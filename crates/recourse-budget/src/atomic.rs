//! The word that every budget counts with: the standard library's, or loom's where a model is checked.
#[cfg(recourse_loom)]
pub(crate) use recourse_core::modelled::{AtomicU64, Ordering};
#[cfg(not(recourse_loom))]
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
