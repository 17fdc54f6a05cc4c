//! [`AnyOf`]: an attempt needs the consent of one budget.

use crate::codes::DENIED;
use crate::error::BudgetConfigError;
use crate::members::{Members, Taken};
use crate::routing::{Routes, both};
use recourse_core::{AttemptEnd, Budget, BudgetRequest, Decision, Label};
use std::fmt;
use std::sync::Arc;

/// Several budgets, one of which must allow an attempt.
///
/// Retries and hedges: asked in order, the first that allows decides, and those behind it are not asked. First attempts:
/// all are asked, so that each can count them, and one that allows is enough; each that allows keeps what it took. If
/// all deny, the reason is the first one's. [`would_deny`](Budget::would_deny) says so if all would.
///
/// A member that panics is none that denies: nobody knows what is wrong with it, so no other stands in for it. What was
/// taken is given back and the panic goes on, which for an executor is a denial, `panic_in_budget`.
///
/// # Who hears of the end
///
/// Ends and refunds go to the members that allowed the attempt, and to no other. Where that is the first member for an
/// extra, or all of them for a first attempt, nothing has to be remembered. Any other attempt carries a release, one
/// small allocation, that notes on its thread who had allowed it; the end or refund that follows takes the note. So the
/// release must run **right before** [`Budget::on_outcome`] or [`Budget::refund`], on the same thread, as the executor
/// does it. One that breaks this tells the wrong member, once.
///
/// ```
/// use recourse_budget::{AnyOf, RetryRatio, TokenBucket};
/// use recourse_core::Budget;
/// use std::sync::Arc;
///
/// // A tenth of the calls, or else one retry in ten seconds, so that a quiet client can retry at all.
/// let ratio: Arc<dyn Budget> = Arc::new(RetryRatio::new(0.1)?);
/// let budget = AnyOf::new([ratio, Arc::new(TokenBucket::new(1, 0.1)?)])?;
/// # Ok::<(), recourse_budget::BudgetConfigError>(())
/// ```
pub struct AnyOf {
    members: Members,
    routes: Routes,
}

impl AnyOf {
    /// Any of these, asked in this order.
    ///
    /// # Errors
    ///
    /// [`BudgetConfigError`] if there are none, or more than 64.
    pub fn new(budgets: impl IntoIterator<Item = Arc<dyn Budget>>) -> Result<Self, BudgetConfigError> {
        Ok(AnyOf { members: Members::new(budgets)?, routes: Routes::new() })
    }

    /// Who allows where nothing is noted.
    fn usual(&self, is_first_attempt: bool) -> u64 {
        if is_first_attempt { self.members.all() } else { 1 }
    }
}

impl Budget for AnyOf {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let is_first_attempt = request.is_first_attempt();
        let mut taken = Taken::nothing(&self.members, request);
        let mut denial = None;
        for (index, budget) in self.members.iter().enumerate() {
            let decision = budget.allow_attempt(request);
            if !decision.allowed {
                denial = denial.or(Some(decision));
                continue;
            }
            taken.add(index, decision);
            if !is_first_attempt {
                break;
            }
        }
        let bits = taken.bits();
        if bits == 0 {
            return denial.unwrap_or_else(|| Decision::deny(DENIED));
        }
        let mut decision = taken.allow();
        if bits != self.usual(is_first_attempt) {
            decision.release = both(decision.release.take(), Some(self.routes.note(bits)));
        }
        decision
    }

    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        let mut first = None;
        for budget in self.members.iter() {
            let denial = budget.would_deny(request)?;
            first = first.or(Some(denial));
        }
        first
    }

    fn refund(&self, request: &BudgetRequest<'_>) {
        let noted = self.routes.take();
        self.members.refund(noted.unwrap_or_else(|| self.usual(request.is_first_attempt())), request);
    }

    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        let noted = self.routes.take();
        self.members.on_outcome(noted.unwrap_or_else(|| self.usual(end.is_first_attempt())), end);
    }

    /// Always: the note of an attempt that has ended must be taken.
    fn wants_outcomes(&self) -> bool {
        true
    }

    fn wants_first_attempts(&self) -> bool {
        self.members.iter().any(|budget| budget.wants_first_attempts())
    }

    fn is_fed_by_first_attempts(&self) -> bool {
        self.members.iter().any(|budget| budget.is_fed_by_first_attempts())
    }
}

impl fmt::Debug for AnyOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyOf").field("budgets", &self.members.len()).finish()
    }
}
