//! [`AllOf`]: an attempt needs the consent of every budget.

use crate::error::BudgetConfigError;
use crate::members::{Members, Taken};
use recourse_core::{AttemptEnd, Budget, BudgetRequest, Decision, Label};
use std::fmt;
use std::sync::Arc;

/// Several budgets, all of which must allow an attempt.
///
/// They are asked in order. The first that denies decides, with its own reason; those before it get back what they gave,
/// by their release and [`Budget::refund`], also if the one that was asked panics. Ends and refunds go to all of them.
/// [`would_deny`](Budget::would_deny) is the first member's answer that is a denial.
///
/// Windowed budgets don't bound concurrency, and in-flight budgets don't bound the rate: this joins one of each.
/// Put the one that denies most often first. A budget that draws lots ([`AdaptiveThrottle`](crate::AdaptiveThrottle))
/// counts an attempt that is given back as never asked.
///
/// It allocates only where two or more members' decisions have a release of their own; the budgets of this crate have
/// none, apart from a rare one of [`AnyOf`](crate::AnyOf) and [`Observing`](crate::Observing).
///
/// ```
/// use recourse_budget::{AllOf, InFlight, RetryRatio};
/// use recourse_core::Budget;
/// use std::sync::Arc;
///
/// let ratio: Arc<dyn Budget> = Arc::new(RetryRatio::new(0.1)?);
/// let budget = AllOf::new([ratio, Arc::new(InFlight::default())])?;
/// # Ok::<(), recourse_budget::BudgetConfigError>(())
/// ```
pub struct AllOf {
    members: Members,
}

impl AllOf {
    /// All of these, asked in this order.
    ///
    /// # Errors
    ///
    /// [`BudgetConfigError`] if there are none, or more than 64.
    pub fn new(budgets: impl IntoIterator<Item = Arc<dyn Budget>>) -> Result<Self, BudgetConfigError> {
        Ok(AllOf { members: Members::new(budgets)? })
    }
}

impl Budget for AllOf {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let mut taken = Taken::nothing(&self.members, request);
        for (index, budget) in self.members.iter().enumerate() {
            let decision = budget.allow_attempt(request);
            if !decision.allowed {
                return decision;
            }
            taken.add(index, decision);
        }
        taken.allow()
    }

    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        self.members.iter().find_map(|budget| budget.would_deny(request))
    }

    fn refund(&self, request: &BudgetRequest<'_>) {
        self.members.refund(self.members.all(), request);
    }

    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        self.members.on_outcome(self.members.all(), end);
    }

    fn wants_outcomes(&self) -> bool {
        self.members.iter().any(|budget| budget.wants_outcomes())
    }

    fn wants_first_attempts(&self) -> bool {
        self.members.iter().any(|budget| budget.wants_first_attempts())
    }

    fn is_fed_by_first_attempts(&self) -> bool {
        self.members.iter().any(|budget| budget.is_fed_by_first_attempts())
    }
}

impl fmt::Debug for AllOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AllOf").field("budgets", &self.members.len()).finish()
    }
}
