//! The atomics of this crate: the standard library's, or those of loom where its model checker runs the tests.

#[cfg(recourse_loom)]
pub(crate) use recourse_core::modelled::{AtomicU64, Ordering, fence};
#[cfg(not(recourse_loom))]
pub(crate) use std::sync::atomic::{AtomicU64, Ordering, fence};
