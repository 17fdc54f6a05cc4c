//! A budget that pays for hedges alone hears of the calls' first attempts, which feed it; they are not its to deny.

use crate::stage::{Stage, ms, plain};
use recourse::budget::{AdaptiveThrottle, InFlight, RetryRatio, Throttle, TokenBucket};
use recourse::{AttemptKind, Budget, BudgetRequest, Decision, HttpFailure, Policy};
use recourse_test::{Script, ScriptedBudget, expect};
use std::sync::Arc;

fn hedged() -> Policy {
    plain().max_attempts(1).hedge_after(ms(10)).max_hedges(1).hedge_budget("h")
}

fn stage(policy: Policy, hedges: impl Budget + 'static) -> Stage {
    Stage::with(policy, |builder| {
        builder.budget("h", hedges).budget("r", TokenBucket::new(1, 0.0).expect("a bucket"))
    })
}

/// Hedges of so many calls that are slow enough for one.
fn hedges(stage: &Stage, calls: usize) -> usize {
    (0..calls).map(|_| stage.play(Script::ok(7).takes(ms(50))).operation.count() - 1).sum()
}

#[test]
fn a_ratio_of_first_attempts_allows_hedges_where_it_is_named_for_them_alone() {
    for policy in [hedged(), hedged().retry_budget("r"), hedged().retry_budget("h")] {
        let ratio = RetryRatio::new(0.05).expect("a ratio");
        assert_eq!(hedges(&stage(policy, ratio), 200), 10);
    }
}

#[test]
fn a_share_of_what_is_in_flight_counts_first_attempts_and_their_ends() {
    let share = Arc::new(InFlight::new(0.2, 0).expect("a share"));
    let stage = stage(hedged(), share.clone());
    let operation = Script::ok(7).takes(ms(50)).on(&stage.time);
    let call = || stage.executor.run(crate::stage::KEY, |attempt| operation.call(attempt));
    stage.time.run(futures::future::join_all((0..10).map(|_| call())));
    // Of 12 in flight, two are hedges.
    assert_eq!(operation.count(), 12);
    assert_eq!((share.first_attempts(), share.extras()), (0, 0));
}

#[test]
fn a_throttle_hears_how_first_attempts_end() {
    let throttle = Arc::new(Throttle::new(10, 0.1).expect("a throttle"));
    let stage = stage(hedged(), throttle.clone());
    for failures in 1..=5 {
        stage.play(Script::<u32, _>::new().then_fails_with(1, |_| HttpFailure::new(503, "GET")));
        assert_eq!(throttle.tokens(), f64::from(10 - failures));
    }
    assert_eq!(hedges(&stage, 1), 0, "not more than half of the tokens are left");
    assert_eq!(hedges(&stage, 1), 1, "that call's success gave a tenth of one");
}

/// Denies everything, and lives on first attempts.
struct Fed(ScriptedBudget);

impl Budget for Fed {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        self.0.allow_attempt(request)
    }
    fn is_fed_by_first_attempts(&self) -> bool {
        true
    }
}

#[test]
fn first_attempts_are_not_denied_for_it() {
    let budget = ScriptedBudget::denies(100);
    let gated = stage(hedged(), Fed(budget.clone()));
    let played = gated.play(Script::ok(7));
    expect(&played.timeline).success().budget_reasons(["no_budget"]);
    assert_eq!(budget.asks().len(), 1);
    assert!(gated.observer.budget_events().is_empty(), "that is no decision");

    let throttle = Arc::new(AdaptiveThrottle::new().with_seed(1));
    let busy = stage(hedged(), throttle.clone());
    for _ in 0..100 {
        let played = busy.play(Script::<u32, _>::new().then_fails_with(1, |_| HttpFailure::new(503, "GET")));
        expect(&played.timeline).stop("attempts_exhausted");
    }
    assert!(throttle.denial_probability(busy.time.now()) > 0.9, "they were counted");
}

#[test]
fn a_first_attempt_that_its_own_budget_denies_is_not_told() {
    let ratio = Arc::new(RetryRatio::new(1.0).expect("a ratio"));
    let policy = hedged().retry_budget("gate");
    let stage = Stage::with(policy, |builder| {
        let gate = TokenBucket::new(1, 0.0).expect("a bucket").gate_first_attempts();
        builder.budget("gate", gate).budget("h", ratio.clone())
    });
    expect(&stage.play(Script::ok(7)).timeline).success().budget_reasons(["allowed"]);
    expect(&stage.play(Script::ok(7)).timeline).stop("budget_denied");
    assert_eq!(ratio.available(stage.time.now()), 1);
}

#[test]
fn a_policy_without_hedging_tells_it_nothing() {
    let ratio = Arc::new(RetryRatio::new(1.0).expect("a ratio"));
    let stage = stage(plain().hedge_budget("h"), ratio.clone());
    stage.play(Script::ok(7));
    assert_eq!(ratio.available(stage.time.now()), 0);
    assert!(stage.executor.explain(crate::stage::KEY).expect("a policy").to_string().contains("no budget"));
}

#[test]
fn one_that_does_not_live_on_them_is_asked_about_hedges_alone() {
    let budget = ScriptedBudget::allows(1);
    let stage = stage(hedged(), budget.clone());
    stage.play(Script::ok(7).takes(ms(50)));
    assert_eq!(budget.asks().iter().map(|ask| ask.kind).collect::<Vec<_>>(), [AttemptKind::Hedge]);
}
