//! The atomics and the lock that the shells are made of: real ones, or those of a model check.

#[cfg(not(recourse_loom))]
pub(crate) use parking_lot::Mutex;
#[cfg(recourse_loom)]
pub(crate) use recourse_core::modelled::{AtomicU64, Mutex, Ordering};
#[cfg(not(recourse_loom))]
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};
