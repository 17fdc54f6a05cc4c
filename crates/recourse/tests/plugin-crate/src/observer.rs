//! [`Ledger`]: an observer.

use recourse_core::{Observer, Timeline};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts served and lost customers. Clones share the book.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<[AtomicUsize; 2]>);

impl Ledger {
    /// Calls that succeeded.
    #[must_use]
    pub fn served(&self) -> usize {
        self.0[0].load(Ordering::Relaxed)
    }

    /// Calls that failed or were dropped.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.0[1].load(Ordering::Relaxed)
    }
}

impl Observer for Ledger {
    fn on_success(&self, _: &Timeline) {
        self.0[0].fetch_add(1, Ordering::Relaxed);
    }

    fn on_failure(&self, _: &Timeline) {
        self.0[1].fetch_add(1, Ordering::Relaxed);
    }
}
