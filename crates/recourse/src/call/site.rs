//! [`Site`]: what is known of a call before it starts, and the way to its plan.

use crate::plan::{PlanRef, Slot, Target};
use crate::shared::Shared;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// Where a call finds its plan, and what its call site said beside the key.
pub(crate) struct Site<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) target: Target<'a>,
    /// Whether the operation may be repeated; `None` if the call site said nothing.
    pub(crate) idempotent: Option<bool>,
}

/// A plan that its provider gives later.
pub(crate) type LaterPlan<'a> = Pin<Box<dyn Future<Output = PlanRef<'a>> + Send + 'a>>;

impl<'a> Site<'a> {
    /// The call's plan, if it is at hand.
    #[inline]
    pub(crate) fn plan_now(&self) -> Option<PlanRef<'a>> {
        match &self.target {
            Target::Kept(slot) => slot.plan_now(&self.shared.world),
            Target::Own(slot) => {
                slot.plan_now(&self.shared.world)?;
                slot.own_plan()
            }
        }
    }

    /// The call's plan, as soon as its provider gives it.
    #[cold]
    pub(crate) fn plan_later(&self) -> LaterPlan<'a> {
        let world = &self.shared.world;
        match &self.target {
            Target::Kept(slot) => Box::pin(slot.plan(world)),
            Target::Own(slot) => {
                let slot: Arc<Slot> = slot.clone();
                Box::pin(async move {
                    slot.plan(world).await;
                    slot.own_plan().unwrap_or_else(|| unreachable!("it was bound just now"))
                })
            }
        }
    }
}
