//! [`Flow`]: a level that refills with time, kept as what has left it.

use crate::atomic::{AtomicU64, Ordering::Relaxed};
use crate::refill::Refill;
use recourse_core::{BudgetRequest, Moment};

/// A level that is a function of the moment, less what was taken.
///
/// `outflow` alone decides: to take is one compare-and-exchange of it, and no more can be taken than has flowed in by a
/// moment that somebody saw. `seen` only keeps a clock that goes backwards from emptying the bucket; a thread that
/// stores an older moment there, between another's look and its own store, costs nobody a token.
pub(crate) struct Flow {
    refill: Refill,
    /// All that has left, in parts: taken, or spilled because there was no room.
    outflow: AtomicU64,
    /// The inflow by the latest moment at which somebody asked, in parts.
    seen: AtomicU64,
}

impl Flow {
    /// A level that is at its capacity at the clock's origin.
    pub(crate) fn full(refill: Refill) -> Self {
        Flow { seen: AtomicU64::new(refill.inflow(Moment::ZERO)), outflow: AtomicU64::new(0), refill }
    }

    /// A level that is zero at the clock's origin.
    pub(crate) fn empty(refill: Refill) -> Self {
        let first_filling = refill.inflow(Moment::ZERO);
        Flow { seen: AtomicU64::new(first_filling), outflow: AtomicU64::new(first_filling), refill }
    }

    /// Decides and takes the request's cost. Reads no clock where the cost exceeds the capacity.
    pub(crate) fn take(&self, request: &BudgetRequest<'_>) -> bool {
        let Some(parts) = self.refill.parts_of(request.cost()) else {
            return false;
        };
        let inflow = self.see(request.now());
        let mut outflow = self.outflow.load(Relaxed);
        while let Some(after) = self.after_taking(parts, inflow, outflow) {
            match self.outflow.compare_exchange_weak(outflow, after, Relaxed, Relaxed) {
                Ok(_) => return true,
                Err(current) => outflow = current,
            }
        }
        false
    }

    /// Whether [`take`](Self::take) would succeed; takes nothing.
    pub(crate) fn covers(&self, request: &BudgetRequest<'_>) -> bool {
        self.refill.parts_of(request.cost()).is_some_and(|parts| {
            let inflow = self.inflow_at(request.now());
            self.after_taking(parts, inflow, self.outflow.load(Relaxed)).is_some()
        })
    }

    /// Gives so many tokens back; there is never more than the capacity.
    pub(crate) fn give_back(&self, tokens: u32) {
        if let Some(parts) = self.refill.parts_of(tokens) {
            let less = |outflow: u64| Some(outflow.saturating_sub(parts));
            _ = self.outflow.fetch_update(Relaxed, Relaxed, less);
        }
    }

    /// Whole tokens at `now`.
    pub(crate) fn tokens(&self, now: Moment) -> u64 {
        self.refill.tokens_in(self.level(now))
    }

    /// What there is at `now`, in parts.
    pub(crate) fn level(&self, now: Moment) -> u64 {
        let inflow = self.inflow_at(now);
        inflow.saturating_sub(self.spilled(inflow, self.outflow.load(Relaxed)))
    }

    fn see(&self, now: Moment) -> u64 {
        let (by_now, seen) = (self.refill.inflow(now), self.seen.load(Relaxed));
        if by_now > seen {
            self.seen.store(by_now, Relaxed);
        }
        by_now.max(seen)
    }

    fn inflow_at(&self, now: Moment) -> u64 {
        self.refill.inflow(now).max(self.seen.load(Relaxed))
    }

    /// The outflow once so many parts are taken; `None` if there are fewer.
    fn after_taking(&self, parts: u64, inflow: u64, outflow: u64) -> Option<u64> {
        let after = self.spilled(inflow, outflow).checked_add(parts)?;
        (after <= inflow).then_some(after)
    }

    /// The outflow once what there is no room for has spilled over.
    fn spilled(&self, inflow: u64, outflow: u64) -> u64 {
        outflow.max(inflow.saturating_sub(self.refill.capacity))
    }
}
