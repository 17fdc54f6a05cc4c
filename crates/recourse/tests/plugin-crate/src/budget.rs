//! [`BusinessHours`]: a budget.

use recourse_core::{AttemptKind, Budget, BudgetRequest, Decision};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Denies hedges while the shop is open, for then its staff is busy. Clones share the hours.
#[derive(Clone, Debug, Default)]
pub struct BusinessHours(Arc<Shop>);

#[derive(Debug, Default)]
struct Shop {
    open: AtomicBool,
    customers: AtomicUsize,
}

impl BusinessHours {
    /// Opens or closes the shop.
    pub fn set_open(&self, open: bool) {
        self.0.open.store(open, Ordering::Relaxed);
    }

    /// Attempts that are in the shop now.
    #[must_use]
    pub fn customers(&self) -> usize {
        self.0.customers.load(Ordering::Relaxed)
    }
}

impl Budget for BusinessHours {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        if request.kind() == AttemptKind::Hedge && self.0.open.load(Ordering::Relaxed) {
            return Decision::deny("business_hours");
        }
        let shop = Arc::clone(&self.0);
        shop.customers.fetch_add(1, Ordering::Relaxed);
        Decision::allow().with_release(move || {
            shop.customers.fetch_sub(1, Ordering::Relaxed);
        })
    }
}
