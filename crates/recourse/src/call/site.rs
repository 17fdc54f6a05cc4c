//! [`Site`]: what is known of a call before it starts, and the way to its plan.

use crate::call::nesting::Nesting;
use crate::plan::{Plan, PlanRef, Slot, Unkept};
use crate::shared::Shared;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

/// Where a call finds its plan, and what its call site said beside the key.
pub(crate) struct Site<'a> {
    /// Looked into by those calls alone that aren't over at once.
    pub(crate) shared: &'a Arc<Shared>,
    /// The key's place; a call without one says by itself where its plan is.
    pub(crate) slot: Option<&'a Slot>,
    /// Whether the operation may be repeated; `None` if the call site said nothing.
    pub(crate) idempotent: Option<bool>,
    /// The attempt that it says the call runs in.
    pub(crate) within: Nesting,
}

/// A plan that its provider gives later.
pub(crate) type LaterPlan<'a> = Pin<Box<dyn Future<Output = PlanRef<'a>> + Send + 'a>>;

impl<'a> Site<'a> {
    /// What runs round the call: what it was told, and what it sees.
    #[inline]
    pub(crate) fn around(&self) -> Nesting {
        self.within.and(Nesting::around())
    }

    /// The call's plan where it is the first of its key, as it mostly is.
    #[inline]
    pub(crate) fn first_plan(&self) -> Option<&'a Plan> {
        self.slot?.first_plan_if_fresh()
    }

    /// The call's plan, if it is at hand.
    #[inline(never)]
    pub(crate) fn plan_now(&self, unkept: Option<&Unkept>) -> Option<PlanRef<'a>> {
        let Shared { world, slots, .. } = &**self.shared;
        match (self.slot, unkept) {
            (Some(slot), _) => slot.plan_now(world),
            (None, Some(Unkept::New(key))) => slots.plan_of_new(key, world),
            (None, Some(Unkept::Invalid(plan))) => Some(PlanRef::Counted(plan.clone())),
            (None, None) => unreachable!("a call has its key's place, or its key"),
        }
    }

    /// The call's plan, as soon as its provider gives it.
    #[cold]
    pub(crate) fn plan_later(&self, unkept: Option<&Unkept>) -> LaterPlan<'a> {
        let Shared { world, slots, .. } = &**self.shared;
        match (self.slot, unkept) {
            (Some(slot), _) => Box::pin(slot.plan(world)),
            (None, Some(Unkept::New(key))) => match slots.get(key) {
                Some(slot) => Box::pin(slot.plan(world)),
                None => Box::pin(world.plan_without_state(key.clone())),
            },
            (None, Some(Unkept::Invalid(plan))) => Box::pin(ready(PlanRef::Counted(plan.clone()))),
            (None, None) => unreachable!("a call has its key's place, or its key"),
        }
    }
}
