//! [`Site`]: what is known of a call before it starts, and the way to its plan.

use crate::plan::{PlanRef, Target};
use crate::shared::Shared;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Where a call finds its plan, and what its call site said beside the key.
pub(crate) struct Site<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) target: Target<'a>,
    /// Whether the operation may be repeated; `None` if the call site said nothing.
    pub(crate) idempotent: Option<bool>,
}

/// What a call starts with.
pub(crate) struct Start<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) plan: PlanRef,
    pub(crate) idempotent: Option<bool>,
}

impl<'a> Site<'a> {
    /// What the call starts with, as soon as its plan is there.
    pub(crate) fn start(self) -> Starting<'a> {
        Starting::Unasked(Some(self))
    }

    fn with(self, plan: PlanRef) -> Start<'a> {
        Start { shared: self.shared, plan, idempotent: self.idempotent }
    }
}

/// A call that finds its plan when it is first polled. Small, because every call's future holds a place for it.
pub(crate) enum Starting<'a> {
    Unasked(Option<Site<'a>>),
    Later(Pin<Box<dyn Future<Output = Start<'a>> + Send + 'a>>),
}

impl<'a> Future for Starting<'a> {
    type Output = Start<'a>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Start<'a>> {
        let starting = self.get_mut();
        if let Starting::Unasked(site) = starting {
            let Some(site) = site.take() else { return Poll::Pending };
            match site.target.slot().plan_now(&site.shared.world) {
                Some(plan) => return Poll::Ready(site.with(plan)),
                None => {
                    *starting = Starting::Later(Box::pin(async move {
                        let plan = site.target.slot().plan(&site.shared.world).await;
                        site.with(plan)
                    }));
                }
            }
        }
        match starting {
            Starting::Later(start) => start.as_mut().poll(cx),
            Starting::Unasked(_) => Poll::Pending,
        }
    }
}
