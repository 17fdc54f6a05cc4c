//! [`Unlimited`]: the budget that allows everything.

use recourse_core::{Budget, BudgetRequest, Decision};

/// Allows every attempt and keeps no state.
///
/// For a policy that must name a budget where none is wanted, and for tests. A policy without a budget name needs no
/// such thing.
///
/// ```
/// use recourse_budget::Unlimited;
/// use recourse_core::{AttemptKind, Budget, BudgetRequest, Key, Moment, Now};
///
/// let key = Key::from_static("svc.op");
/// let hedge = BudgetRequest::new(&key, 0, AttemptKind::Hedge, Now::at(Moment::ZERO)).with_cost(u32::MAX);
/// assert!(Unlimited.allow_attempt(&hedge).allowed);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unlimited;

impl Budget for Unlimited {
    fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
        Decision::allow()
    }

    fn wants_outcomes(&self) -> bool {
        false
    }

    fn wants_first_attempts(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::{AttemptKind, Key, Moment, Now, reason};

    #[test]
    fn everything_is_allowed_at_any_cost() {
        let key = Key::from_static("svc.op");
        for (attempt, kind) in [(0, AttemptKind::Retry), (9, AttemptKind::Retry), (0, AttemptKind::Hedge)] {
            let request = BudgetRequest::new(&key, attempt, kind, Now::at(Moment::ZERO)).with_cost(u32::MAX);
            let decision = Unlimited.allow_attempt(&request);
            assert!(decision.allowed && decision.reason == reason::ALLOWED && decision.release.is_none());
            assert_eq!(Unlimited.would_deny(&request), None);
        }
    }
}
