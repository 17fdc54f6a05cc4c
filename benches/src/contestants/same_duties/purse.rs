//! [`Purse`]: the budget of a row, or none.

use recourse::{AttemptKind, Budget, BudgetRequest, Key, Moment, Now, Release, StopReason, reason};
use std::sync::Arc;

/// Asked before each ask. A first attempt is not asked for: the row's budget spares them, as it says once.
pub(super) trait Purse: Send + Sync + 'static {
    /// Whether there is any.
    const PAYS: bool;

    /// What an allowed attempt holds, and gives back when it ends.
    type Permit: Send;

    /// Of a first attempt.
    fn first() -> Self::Permit;

    /// Why a retry is sure to be denied, if it is.
    fn peek(&self, ask: &Ask<'_>) -> Option<StopReason>;

    /// Whether it may start; else why its call ends.
    fn allow(&self, ask: &Ask<'_>) -> Result<Self::Permit, StopReason>;
}

/// A retry or a hedge that asks to start.
pub(super) struct Ask<'a> {
    pub(super) key: &'a Key,
    pub(super) index: u32,
    pub(super) kind: AttemptKind,
    pub(super) now: Moment,
    /// Whether it is a retry of an attempt that had no answer in time.
    pub(super) after_timeout: bool,
}

/// No budget.
pub(super) struct Free;

impl Purse for Free {
    const PAYS: bool = false;
    type Permit = ();

    #[inline]
    fn first() {}

    #[inline]
    fn peek(&self, _: &Ask<'_>) -> Option<StopReason> {
        None
    }

    #[inline]
    fn allow(&self, _: &Ask<'_>) -> Result<(), StopReason> {
        Ok(())
    }
}

/// The row's budget, and what an attempt costs there.
pub(super) struct Paid {
    budget: Arc<dyn Budget>,
    cost: u32,
}

impl Paid {
    /// # Panics
    ///
    /// If the budget has to do with first attempts or with how attempts end: no row has such a one.
    pub(super) fn of(budget: Arc<dyn Budget>) -> Self {
        assert!(!budget.wants_first_attempts() && !budget.wants_outcomes());
        Paid { budget, cost: 1 }
    }

    #[inline]
    fn request<'a>(&self, ask: &Ask<'a>) -> BudgetRequest<'a> {
        BudgetRequest::new(ask.key, ask.index, ask.kind, Now::at(ask.now))
            .with_cost(self.cost)
            .with_after_timeout(ask.after_timeout)
    }
}

impl Purse for Paid {
    const PAYS: bool = true;
    type Permit = Option<Release>;

    #[inline]
    fn first() -> Option<Release> {
        None
    }

    #[inline]
    fn peek(&self, ask: &Ask<'_>) -> Option<StopReason> {
        self.budget.would_deny(&self.request(ask)).map(|reason| stop(&reason))
    }

    #[inline]
    fn allow(&self, ask: &Ask<'_>) -> Result<Option<Release>, StopReason> {
        let decision = self.budget.allow_attempt(&self.request(ask));
        if decision.allowed { Ok(decision.release) } else { Err(stop(&decision.reason)) }
    }
}

/// A budget may be one that looks another up.
fn stop(reason: &str) -> StopReason {
    if reason == reason::BUDGET_NOT_FOUND { StopReason::BudgetNotFound } else { StopReason::BudgetDenied }
}
