//! [`Plans`]: the plans that a key has had, the last of which is good.
//!
//! A call must keep its plan while another may replace it. Counting references would have every call write to one
//! shared cache line; so the first few plans of a key are simply kept, and a call borrows one. A key whose policy
//! changes more often than that has its further plans behind an [`ArcSwap`], where a call counts its reference and a
//! replaced plan is freed.

use super::plan::Plan;
use crate::sync::{ArcSwap, OnceLock};
use std::ops::Deref;
use std::sync::Arc;

/// Plans of a key that are kept as long as the key: enough for the reloads of a service's life, few enough to bound
/// its memory.
const KEPT: usize = if cfg!(recourse_loom) { 2 } else { 4 };

#[derive(Default)]
pub(super) struct Plans {
    /// Filled from the front.
    kept: [OnceLock<Arc<Plan>>; KEPT],
    further: OnceLock<ArcSwap<Plan>>,
}

/// A plan that a call keeps. Taking one of the first writes no shared cache line.
pub(crate) enum PlanRef<'s> {
    Kept(&'s Plan),
    Counted(Arc<Plan>),
}

impl Deref for PlanRef<'_> {
    type Target = Plan;

    #[inline]
    fn deref(&self) -> &Plan {
        match self {
            PlanRef::Kept(plan) => plan,
            PlanRef::Counted(plan) => plan,
        }
    }
}

impl Plans {
    /// The plan that was found good at this epoch, if there is one. A plan that was replaced never is again.
    #[inline]
    pub(super) fn fresh(&self, epoch: u64) -> Option<PlanRef<'_>> {
        for kept in &self.kept {
            let plan = kept.get()?;
            if plan.is_fresh(epoch) {
                return Some(PlanRef::Kept(plan));
            }
        }
        let plan = self.further.get()?.load_full();
        plan.is_fresh(epoch).then_some(PlanRef::Counted(plan))
    }

    /// The first plan, if it is the one that was found good at this epoch.
    #[inline]
    pub(super) fn first_if_fresh(&self, epoch: u64) -> Option<&Plan> {
        self.kept[0].get().map(|plan| &**plan).filter(|plan| plan.is_fresh(epoch))
    }

    /// The newest plan, good or not.
    pub(super) fn last(&self) -> Option<PlanRef<'_>> {
        match self.further.get() {
            Some(further) => Some(PlanRef::Counted(further.load_full())),
            None => self.kept.iter().map_while(OnceLock::get).last().map(|plan| PlanRef::Kept(plan)),
        }
    }

    /// Adds a plan behind the others. One at a time: the caller holds a lock.
    pub(super) fn push(&self, plan: Plan) -> PlanRef<'_> {
        let mut plan = Arc::new(plan);
        for kept in &self.kept {
            match kept.set(plan) {
                Ok(()) => {
                    return PlanRef::Kept(kept.get().unwrap_or_else(|| unreachable!("it was set just now")));
                }
                Err(taken) => plan = taken,
            }
        }
        match self.further.get() {
            Some(further) => further.store(plan),
            None => drop(self.further.set(ArcSwap::new(plan))),
        }
        self.last().unwrap_or_else(|| unreachable!("one was added just now"))
    }
}
