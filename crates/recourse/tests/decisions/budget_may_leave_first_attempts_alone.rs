//! A budget that doesn't want first attempts is not asked about them, and hears how they end.

use crate::stage::{KEY, Stage, ms, plain};
use futures::executor::block_on;
use recourse::{
    Attempt, AttemptEnd, AttemptKind, Budget, BudgetRequest, Decision, Ending, Executor, Policy, Release,
};
use recourse_test::{Script, ScriptedBreaker, expect};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard};

use AttemptKind::{Hedge, Retry};

/// Allows everything, and writes down what it is asked and told.
#[derive(Clone, Default)]
struct Extras(Arc<Mutex<Log>>);

#[derive(Default)]
struct Log {
    asked: Vec<(u32, AttemptKind)>,
    ended: Vec<(u32, AttemptKind, Ending)>,
    refunded: usize,
    held: usize,
}

impl Extras {
    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().expect("nobody panicked with it")
    }
}

impl Budget for Extras {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let mut log = self.log();
        log.asked.push((request.attempt(), request.kind()));
        log.held += 1;
        let extras = self.clone();
        let mut decision = Decision::allow();
        decision.release = Some(Release::new(move || extras.log().held -= 1));
        decision
    }

    fn refund(&self, _: &BudgetRequest<'_>) {
        self.log().refunded += 1;
    }

    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        self.log().ended.push((end.attempt, end.kind, end.ending));
    }

    fn wants_first_attempts(&self) -> bool {
        false
    }
}

fn stage(policy: Policy, budget: &Extras) -> Stage {
    Stage::with(policy, |builder| builder.budget("extras", budget.clone()))
}

#[test]
fn retries_alone_are_asked_about_and_every_end_is_told() {
    let budget = Extras::default();
    let played = stage(plain().retry_budget("extras"), &budget).play(Script::fails(2).then_ok(7));
    expect(&played.timeline).success().budget_reasons(["allowed"; 3]);
    let log = budget.log();
    assert_eq!(log.asked, [(1, Retry), (2, Retry)]);
    assert_eq!(log.ended, [(0, Retry, Ending::Failed), (1, Retry, Ending::Failed), (2, Retry, Ending::Won)]);
    assert_eq!((log.held, log.refunded), (0, 0));
}

#[test]
fn hedges_of_the_first_group_are_asked_about() {
    let budget = Extras::default();
    let policy = plain().hedge_after(ms(10)).max_hedges(1).retry_budget("extras").hedge_budget("extras");
    stage(policy, &budget).play(Script::never().then_ok(7));
    assert_eq!(budget.log().asked, [(0, Hedge)]);
    assert_eq!(budget.log().ended, [(0, Hedge, Ending::Won), (0, Retry, Ending::Superseded)]);
    assert_eq!(budget.log().held, 0);
}

#[test]
fn a_first_attempt_that_the_circuit_rejects_is_not_refunded() {
    let budget = Extras::default();
    let breaker = ScriptedBreaker::rejects(9);
    let policy = plain().retry_budget("extras").circuit_breaker("breaker");
    let stage = Stage::with(policy, |builder| {
        builder.budget("extras", budget.clone()).circuit_breaker("breaker", breaker.clone())
    });
    expect(&stage.play(Script::ok(7)).timeline).stop("circuit_open").attempts(0);
    let log = budget.log();
    assert_eq!((log.asked.len(), log.refunded), (0, 0));
}

#[test]
fn it_is_the_same_where_nobody_watches() {
    let budget = Extras::default();
    let builder = Executor::builder().budget("extras", budget.clone());
    let executor =
        builder.policy(KEY, plain().retry_budget("extras")).build().expect("nothing is wrong with it");
    let fails_once = |attempt: Attempt| {
        ready(if attempt.index() == 0 { Err(std::io::Error::other("down")) } else { Ok(7) })
    };
    assert_eq!(block_on(executor.run(KEY, fails_once)).ok(), Some(7));
    assert_eq!(block_on(executor.run(KEY, |_| ready(Ok::<_, std::io::Error>(7)))).ok(), Some(7));
    let log = budget.log();
    assert_eq!(log.asked, [(1, Retry)]);
    assert_eq!(log.ended, [(0, Retry, Ending::Failed), (1, Retry, Ending::Won), (0, Retry, Ending::Won)]);
    assert_eq!(log.held, 0);
}

#[test]
fn a_dropped_first_attempt_is_told_too() {
    let budget = Extras::default();
    let builder = Executor::builder().budget("extras", budget.clone());
    let executor =
        builder.policy(KEY, plain().retry_budget("extras")).build().expect("nothing is wrong with it");
    let call = executor.run(KEY, |_| std::future::pending::<Result<u32, std::io::Error>>());
    assert!(futures::FutureExt::now_or_never(call).is_none());
    assert_eq!(budget.log().ended, [(0, Retry, Ending::Cancelled)]);
    assert!(budget.log().asked.is_empty());
}
