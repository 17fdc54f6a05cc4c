//! [`Generation`]: how a registry or a provider says that something has changed.

use crate::sync::{AtomicU64, Ordering};

/// Advances whenever any generation of the process advances: one load tells that nothing changed anywhere.
#[cfg(not(recourse_loom))]
static EPOCH: AtomicU64 = AtomicU64::new(1);

#[cfg(recourse_loom)]
loom::lazy_static! {
    /// The same, made anew for each execution of a model.
    static ref EPOCH: AtomicU64 = AtomicU64::new(1);
}

/// A counter that a registry or a policy provider owns and advances at every change.
///
/// Executors cache what names and keys resolve to. They compare one process-wide epoch at every call and look at
/// the single generations only when it has moved, so an unchanged world costs one read.
///
/// ```
/// use recourse_core::Generation;
///
/// let generation = Generation::new();
/// let (before, epoch) = (generation.current(), Generation::epoch());
/// generation.advance();
/// assert!(generation.current() > before && Generation::epoch() > epoch);
/// ```
#[derive(Debug, Default)]
pub struct Generation(AtomicU64);

impl Generation {
    /// A generation that has not advanced yet.
    #[cfg(not(recourse_loom))]
    #[must_use]
    pub const fn new() -> Self {
        Generation(AtomicU64::new(0))
    }

    /// A generation that has not advanced yet.
    #[cfg(recourse_loom)]
    #[must_use]
    pub fn new() -> Self {
        Generation(AtomicU64::new(0))
    }

    /// Says that something changed. Call it after the change can be read.
    pub fn advance(&self) {
        self.0.fetch_add(1, Ordering::Release);
        EPOCH.fetch_add(1, Ordering::Release);
    }

    /// How often this generation has advanced.
    #[must_use]
    #[inline]
    pub fn current(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Moves whenever any generation of the process advances.
    #[must_use]
    #[inline]
    pub fn epoch() -> u64 {
        EPOCH.load(Ordering::Acquire)
    }
}
