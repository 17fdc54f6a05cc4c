//! What the plans of keys are kept with: atomics, locks and cells, real ones or those of a model check.

#[cfg(recourse_loom)]
mod modelled;

#[cfg(recourse_loom)]
pub(crate) use self::modelled::{ArcSwap, OnceLock};
#[cfg(not(recourse_loom))]
pub(crate) use arc_swap::ArcSwap;
#[cfg(not(recourse_loom))]
pub(crate) use parking_lot::{Mutex, RwLock};
#[cfg(recourse_loom)]
pub(crate) use recourse_core::modelled::{AtomicU64, AtomicUsize, Mutex, Ordering, RwLock};
#[cfg(not(recourse_loom))]
pub(crate) use std::sync::{
    OnceLock,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};
