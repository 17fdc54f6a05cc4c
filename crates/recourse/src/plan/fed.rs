//! [`feeding`]: a call's first attempt is told to the budget of its hedges too.
//!
//! A budget that is fed by first attempts, or by how they end, would otherwise know nothing where it pays for hedges alone,
//! and deny them all.

use super::plan::BoundBudget;
use recourse_budget::{AllOf, Observing};
use recourse_core::{AttemptEnd, Budget, BudgetRequest, Decision, Label};
use std::sync::Arc;

/// The budget of primaries, which has the budget of hedges hear of first attempts where it lives on them and is another one.
pub(super) fn feeding(primaries: BoundBudget, hedges: &BoundBudget) -> BoundBudget {
    let BoundBudget::Found { plugin: fed, hears_ends, asked_first, cost, is_fed: true, .. } = hedges else {
        return primaries;
    };
    let fed = Arc::new(FirstAttempts(Observing::new(fed.clone())));
    match primaries {
        BoundBudget::None => BoundBudget::Found {
            plugin: fed,
            name: Label::EMPTY,
            cost: *cost,
            hears_ends: *hears_ends,
            asked_first: *asked_first,
            is_fed: true,
        },
        BoundBudget::Found { plugin, name, cost, hears_ends: hears, asked_first: asked, .. }
            if !hedges.is(&plugin) =>
        {
            BoundBudget::Found {
                plugin: AllOf::new([plugin.clone(), fed]).map_or(plugin, |both| Arc::new(both)),
                name,
                cost,
                hears_ends: hears || *hears_ends,
                asked_first: asked || *asked_first,
                is_fed: true,
            }
        }
        primaries => primaries,
    }
}

/// A budget that is told of first attempts, and asked about nothing: they are not its to deny.
struct FirstAttempts(Observing<Arc<dyn Budget>>);

impl Budget for FirstAttempts {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        if request.is_first_attempt() { self.0.allow_attempt(request) } else { Decision::allow() }
    }

    fn refund(&self, request: &BudgetRequest<'_>) {
        if request.is_first_attempt() {
            self.0.refund(request);
        }
    }

    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        if end.is_first_attempt() {
            self.0.on_outcome(end);
        }
    }
}
