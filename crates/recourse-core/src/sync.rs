//! The atomic and the lock of generations and registries: the standard library's, or loom's where a model is checked.

#[cfg(recourse_loom)]
pub(crate) use crate::modelled::{AtomicU64, Ordering};
#[cfg(recourse_loom)]
pub(crate) use loom::sync::RwLock;
#[cfg(not(recourse_loom))]
pub(crate) use std::sync::{
    RwLock,
    atomic::{AtomicU64, Ordering},
};
