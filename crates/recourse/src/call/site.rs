//! [`Site`]: what is known of a call before it starts, and the way to its plan.

use crate::plan::{PlanRef, Target};
use crate::shared::Shared;
use std::future::Future;
use std::pin::Pin;

/// Where a call finds its plan, and what its call site said beside the key.
pub(crate) struct Site<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) target: Target<'a>,
    /// Whether the operation may be repeated; `None` if the call site said nothing.
    pub(crate) idempotent: Option<bool>,
}

/// A plan that its provider gives later. Boxed, because every call's future holds a place for it.
pub(crate) type LaterPlan<'s> = Pin<Box<dyn Future<Output = PlanRef<'s>> + Send + 's>>;

impl Site<'_> {
    /// The call's plan, if it is at hand.
    #[inline]
    pub(crate) fn plan_now(&self) -> Option<PlanRef<'_>> {
        self.target.slot().plan_now(&self.shared.world)
    }

    /// The call's plan, as soon as its provider gives it.
    #[cold]
    pub(crate) fn plan_later(&self) -> LaterPlan<'_> {
        Box::pin(self.target.slot().plan(&self.shared.world))
    }
}
