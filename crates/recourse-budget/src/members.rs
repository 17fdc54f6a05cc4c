//! [`Members`]: the budgets that another one holds, and [`Taken`]: what some of them have granted so far.

use crate::error::BudgetConfigError;
use crate::routing::{Turns, both};
use recourse_core::{AttemptEnd, Budget, BudgetRequest, Decision, Label, Release};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// 1 to 64 budgets: one bit each.
pub(crate) struct Members(Box<[Arc<dyn Budget>]>);

impl Members {
    pub(crate) fn new(budgets: impl IntoIterator<Item = Arc<dyn Budget>>) -> Result<Self, BudgetConfigError> {
        let budgets = Box::from_iter(budgets);
        if !(1..=64).contains(&budgets.len()) {
            return Err(BudgetConfigError::new("budgets", budgets.len(), "1 to 64 budgets"));
        }
        Ok(Members(budgets))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The bits of all.
    pub(crate) fn all(&self) -> u64 {
        u64::MAX >> (64 - self.0.len())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &dyn Budget> {
        self.0.iter().map(|budget| &**budget)
    }

    /// Every one is told, also if one before it panics; then the first panic goes on.
    pub(crate) fn on_outcome(&self, bits: u64, end: &AttemptEnd<'_>) {
        self.each(bits, |budget| budget.on_outcome(end));
    }

    /// The same for refunds.
    pub(crate) fn refund(&self, bits: u64, request: &BudgetRequest<'_>) {
        self.each(bits, |budget| budget.refund(request));
    }

    fn each(&self, bits: u64, tell: impl Fn(&dyn Budget)) {
        let mut turns = Turns::default();
        self.at(bits).for_each(|budget| turns.take(|| tell(budget)));
        turns.end();
    }

    fn at(&self, bits: u64) -> impl Iterator<Item = &dyn Budget> {
        self.iter().enumerate().filter(move |(index, _)| bits >> index & 1 == 1).map(|(_, budget)| budget)
    }
}

/// What members have granted for an attempt that isn't decided yet. Dropped, also by a panic in a later member, it
/// gives everything back.
pub(crate) struct Taken<'a> {
    members: &'a Members,
    request: &'a BudgetRequest<'a>,
    bits: u64,
    reason: Label,
    release: Option<Release>,
}

impl<'a> Taken<'a> {
    pub(crate) fn nothing(members: &'a Members, request: &'a BudgetRequest<'a>) -> Self {
        Taken { members, request, bits: 0, reason: Label::EMPTY, release: None }
    }

    /// Member `index` has allowed the attempt.
    pub(crate) fn add(&mut self, index: usize, decision: Decision) {
        if self.bits == 0 {
            self.reason = decision.reason;
        }
        self.bits |= 1 << index;
        self.release = both(self.release.take(), decision.release);
    }

    /// The members that have allowed it, as bits.
    pub(crate) fn bits(&self) -> u64 {
        self.bits
    }

    /// The attempt may start; the reason is that of the first member that allowed it.
    pub(crate) fn allow(mut self) -> Decision {
        self.bits = 0;
        let mut decision = Decision::allow();
        decision.reason = std::mem::replace(&mut self.reason, Label::EMPTY);
        decision.release = self.release.take();
        decision
    }

    fn give_back(&mut self) {
        let (release, bits) = (self.release.take(), std::mem::take(&mut self.bits));
        let mut turns = Turns::default();
        turns.take(|| drop(release));
        turns.take(|| self.members.refund(bits, self.request));
        turns.end();
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.give_back();
            return;
        }
        // A second panic would end the process; the one that is on its way tells enough.
        _ = catch_unwind(AssertUnwindSafe(|| self.give_back()));
    }
}
