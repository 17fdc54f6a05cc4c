//! Asking, ending and refunding allocate nothing. A binary of its own, for its allocator counts.
#![allow(clippy::unwrap_used, reason = "a test may")]

use allocation_counter::measure;
use recourse_budget::{
    AdaptiveThrottle, AllOf, AnyOf, InFlight, Observing, Quota, RetryRatio, Throttle, TokenBucket, Unlimited,
};
use recourse_core::{AttemptEnd, AttemptKind, Budget, BudgetRequest, Ending, Key, Moment, Now, Outcome};
use std::sync::Arc;

static KEY: Key = Key::from_static("svc.op");

fn request(attempt: u32, nanos: u64) -> BudgetRequest<'static> {
    BudgetRequest::new(&KEY, attempt, AttemptKind::Retry, Now::at(Moment::from_nanos(nanos)))
}

/// Calls with one retry each: asked for, ended or given back.
fn allocations(budget: &dyn Budget) -> u64 {
    let (success, failure, now) = (Outcome::success(), Outcome::retryable("http_5xx"), Now::at(Moment::ZERO));
    let counted = measure(|| {
        for turn in 0..1_000 {
            for attempt in [0, 1] {
                let request = request(attempt, turn * 10_000_000);
                let peeked = budget.would_deny(&request);
                let decision = budget.allow_attempt(&request);
                drop(peeked);
                if !decision.allowed {
                    continue;
                }
                drop(decision);
                if turn % 7 == 0 {
                    budget.refund(&request);
                    continue;
                }
                let outcome = if turn % 3 == 0 { &failure } else { &success };
                let ending = if turn % 3 == 0 { Ending::Failed } else { Ending::Won };
                budget.on_outcome(&AttemptEnd::new(&KEY, attempt, AttemptKind::Retry, ending, outcome, &now));
            }
        }
    });
    counted.count_total
}

#[test]
fn whatever_the_answer() {
    let all = || -> Vec<Arc<dyn Budget>> {
        vec![
            Arc::new(TokenBucket::new(10, 1.0).unwrap()),
            Arc::new(RetryRatio::new(0.1).unwrap().with_reserve(1.0).unwrap()),
            Arc::new(Throttle::new(10, 0.1).unwrap()),
            Arc::new(Quota::default()),
            Arc::new(InFlight::default()),
            Arc::new(AdaptiveThrottle::new().with_seed(1)),
            Arc::new(Unlimited),
        ]
    };
    for budget in all() {
        assert_eq!(allocations(&budget), 0);
        assert_eq!(allocations(&Observing::new(Unlimited)), 0);
    }
    assert_eq!(allocations(&AllOf::new(all()).unwrap()), 0);
}

#[test]
fn any_of_and_observing_unless_an_attempt_goes_another_way_than_usual() {
    let any = AnyOf::new([Arc::new(Unlimited) as Arc<dyn Budget>, Arc::new(Quota::default())]).unwrap();
    assert_eq!(allocations(&any), 0);
    // Each retry is allowed by the second member, and carries a release.
    let nothing = TokenBucket::new(1, 0.0).unwrap();
    assert!(nothing.allow_attempt(&request(1, 0)).allowed);
    let any = AnyOf::new([Arc::new(nothing) as Arc<dyn Budget>, Arc::new(Unlimited)]).unwrap();
    // The 143 refunds find the first member's attempt usual.
    assert!(allocations(&any) <= 1_000);
}
