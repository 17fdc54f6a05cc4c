//! A budget is told whether a retry follows a timeout: when it is asked and when it ends.

use crate::stage::{AsTold, KEY, Stage, Told, ms, plain};
use futures::executor::block_on;
use recourse::budget::Quota;
use recourse::{
    Attempt, AttemptEnd, AttemptKind, Budget, BudgetRequest, Decision, Executor, Label, Outcome, Policy,
    reason,
};
use recourse_test::Script;
use std::future::ready;
use std::sync::{Arc, Mutex};

use AttemptKind::{Hedge, Retry};

/// What was said of an attempt, and whether it follows a timeout.
type Said = (&'static str, u32, AttemptKind, bool);

/// Allows everything, and writes down what it is asked and told.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<Said>>>);

impl Notes {
    fn note(&self, said: Said) {
        self.0.lock().expect("nobody panicked with it").push(said);
    }

    fn asked(&self, what: &'static str, request: &BudgetRequest<'_>) {
        self.note((what, request.attempt(), request.kind(), request.after_timeout()));
    }

    fn take(&self) -> Vec<Said> {
        std::mem::take(&mut *self.0.lock().expect("nobody panicked with it"))
    }
}

impl Budget for Notes {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        self.asked("ask", request);
        Decision::allow()
    }

    fn would_deny(&self, request: &BudgetRequest<'_>) -> Option<Label> {
        self.asked("peek", request);
        None
    }

    fn refund(&self, request: &BudgetRequest<'_>) {
        self.asked("refund", request);
    }

    fn on_outcome(&self, end: &AttemptEnd<'_>) {
        self.note(("end", end.attempt, end.kind, end.after_timeout));
    }
}

/// What the other side's own deadline is judged as.
fn late() -> Told {
    Told { name: "late", outcome: Outcome::retryable(reason::CONTEXT_DEADLINE_EXCEEDED) }
}

fn stage(policy: Policy, budget: impl Budget + 'static) -> Stage {
    Stage::with(policy.retry_budget("extras").hedge_budget("extras"), |builder| {
        builder.budget("extras", budget).default_classifier(AsTold)
    })
}

#[test]
fn a_retry_is_said_to_follow_a_timeout_and_the_next_one_not() {
    let notes = Notes::default();
    let script = Script::new().then_never().then_err(Told::retryable("down")).then_ok(7);
    stage(plain().timeout_per_attempt(ms(50)), notes.clone()).play(script);
    let wanted = [
        ("ask", 0, Retry, false),
        ("end", 0, Retry, false),
        ("peek", 1, Retry, true),
        ("ask", 1, Retry, true),
        ("end", 1, Retry, true),
        ("peek", 2, Retry, false),
        ("ask", 2, Retry, false),
        ("end", 2, Retry, false),
    ];
    assert_eq!(notes.take(), wanted);
}

#[test]
fn the_other_sides_deadline_is_a_timeout_too() {
    let notes = Notes::default();
    stage(plain(), notes.clone()).play(Script::new().then_err(late()).then_ok(7));
    assert_eq!(notes.take().pop(), Some(("end", 1, Retry, true)));
}

#[test]
fn hedges_follow_nothing_and_their_failures_change_nothing_for_the_retry_beside_them() {
    let notes = Notes::default();
    let policy = plain().timeout_per_attempt(ms(50)).hedge_after(ms(10)).max_hedges(1).max_attempts(2);
    // Both of the first group time out; then the retry's hedge fails, and the retry wins.
    let script =
        Script::new().then_never().then_never().then_ok(7).takes(ms(40)).then_err(Told::retryable("down"));
    stage(policy, notes.clone()).play(script);
    let said = notes.take();
    assert!(said.contains(&("ask", 1, Retry, true)), "{said:?}");
    assert!(said.contains(&("end", 1, Hedge, false)), "{said:?}");
    assert_eq!(said.last(), Some(&("end", 1, Retry, true)));
    assert!(said.iter().all(|(_, _, kind, after)| *kind == Retry || !after), "{said:?}");
}

#[test]
fn a_quota_charges_for_a_timeout_when_it_is_retried_and_refunds_that() {
    for (retry, left) in [(Script::never().then_ok(7), 500), (Script::never().then_never().then_ok(7), 490)] {
        let quota = Arc::new(Quota::default());
        stage(plain().timeout_per_attempt(ms(50)), quota.clone()).play(retry);
        assert_eq!(quota.tokens(), left);
    }
    let quota = Arc::new(Quota::default());
    stage(plain().timeout_per_attempt(ms(50)).max_attempts(1), quota.clone()).play(Script::<u32>::never());
    assert_eq!(quota.tokens(), 500, "what is not retried costs nothing");
}

#[test]
fn it_is_the_same_where_nobody_watches() {
    let notes = Notes::default();
    let builder = Executor::builder().budget("extras", notes.clone()).default_classifier(AsTold);
    let policy = plain().retry_budget("extras");
    let executor = builder.policy(KEY, policy).build().expect("nothing is wrong with it");
    let late_once = |attempt: Attempt| ready(if attempt.index() == 0 { Err(late()) } else { Ok(7) });
    assert_eq!(block_on(executor.run(KEY, late_once)).ok(), Some(7));
    let wanted = [
        ("ask", 0, Retry, false),
        ("end", 0, Retry, false),
        ("peek", 1, Retry, true),
        ("ask", 1, Retry, true),
        ("end", 1, Retry, true),
    ];
    assert_eq!(notes.take(), wanted);
}
