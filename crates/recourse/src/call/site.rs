//! [`Site`]: what is known of a call before it starts, and the way to its plan.

use crate::call::nesting::Nesting;
use crate::plan::{Plan, PlanRef, Target, Unkept};
use crate::shared::Shared;
use std::future::{Future, ready};
use std::pin::Pin;

/// Where a call finds its plan, and what its call site said beside the key.
pub(crate) struct Site<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) target: Target<'a>,
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
        match &self.target {
            Target::Kept(slot) => slot.first_plan_if_fresh(),
            _ => None,
        }
    }

    /// The call's plan, if it is at hand.
    #[inline(never)]
    pub(crate) fn plan_now(&self) -> Option<PlanRef<'a>> {
        match &self.target {
            Target::Kept(slot) => slot.plan_now(&self.shared.world),
            Target::Unkept(unkept) => match &**unkept {
                Unkept::New(key) => self.shared.slots.plan_of_new(key, &self.shared.world),
                Unkept::Invalid(plan) => Some(PlanRef::Counted(plan.clone())),
            },
        }
    }

    /// The call's plan, as soon as its provider gives it.
    #[cold]
    pub(crate) fn plan_later(&self) -> LaterPlan<'a> {
        let (world, slots) = (&self.shared.world, &self.shared.slots);
        match &self.target {
            Target::Kept(slot) => Box::pin(slot.plan(world)),
            Target::Unkept(unkept) => match &**unkept {
                Unkept::New(key) => match slots.get(key) {
                    Some(slot) => Box::pin(slot.plan(world)),
                    None => Box::pin(world.plan_without_state(key.clone())),
                },
                Unkept::Invalid(plan) => Box::pin(ready(PlanRef::Counted(plan.clone()))),
            },
        }
    }
}
