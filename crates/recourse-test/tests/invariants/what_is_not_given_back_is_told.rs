//! The plugins that watch others say what has not come back, came back twice, or was not told of.

use crate::assert_caught;
use recourse_core::{
    Admission, AdmissionRequest, AttemptEnd, AttemptKind, AttemptRecord, BreakerFactory, BreakerSettings,
    Budget, BudgetRequest, CallStart, CircuitBreaker, Ending, Health, Key, Moment, Now, Observer, Outcome,
    Policy, PolicySource, StopReason, Ticket, Timeline,
};
use recourse_test::{ScriptedBreaker, ScriptedBudget, WatchedBreakers, WatchedBudget, WatchedCalls};
use std::sync::Arc;
use std::time::Duration;

static KEY: Key = Key::from_static("svc.op");

fn request() -> BudgetRequest<'static> {
    BudgetRequest::new(&KEY, 1, AttemptKind::Retry, Now::at(Moment::ZERO))
}

fn end(budget: &WatchedBudget) {
    let (outcome, now) = (Outcome::success(), Now::at(Moment::ZERO));
    budget.on_outcome(&AttemptEnd::new(&KEY, 1, AttemptKind::Retry, Ending::Won, &outcome, &now));
}

fn watched() -> WatchedBudget {
    WatchedBudget::new(ScriptedBudget::allows(2).then_denies(1))
}

#[test]
fn a_permit_that_is_out_is_told() {
    let budget = watched();
    let decision = budget.allow_attempt(&request());
    assert_eq!((budget.allowed(), budget.outstanding()), (1, 1));
    assert_caught("1 permit(s) of 1 have not come back", || budget.assert_settled());
    drop(decision);
    assert_caught("came back without a word of how their attempts ended", || budget.assert_settled());
    end(&budget);
    budget.assert_settled();
}

#[test]
fn an_end_that_is_told_twice_or_too_late_is_told() {
    let budget = watched();
    drop(budget.allow_attempt(&request()));
    end(&budget);
    budget.refund(&request());
    assert_caught("told of a refund of an attempt that it did not get back", || budget.assert_settled());

    let budget = watched();
    let decisions = [budget.allow_attempt(&request()), budget.allow_attempt(&request())];
    drop(decisions);
    assert_caught("came back before the one before it was told of", || budget.assert_settled());
}

#[test]
fn a_denial_is_nothing_that_comes_back() {
    let budget = WatchedBudget::new(ScriptedBudget::denies(1));
    assert!(budget.would_deny(&request()).is_some());
    assert!(!budget.allow_attempt(&request()).allowed);
    budget.assert_settled();
}

fn breaker(kind: &WatchedBreakers) -> Arc<dyn CircuitBreaker> {
    kind.breaker(&KEY, &BreakerSettings::new(1, Duration::from_secs(1)))
}

fn admit(breaker: &dyn CircuitBreaker, kind: AttemptKind) -> Ticket {
    match breaker.admit(&AdmissionRequest::new(kind, Now::at(Moment::ZERO))) {
        Admission::Admitted(ticket, _) => ticket,
        other => panic!("it admits everything: {other:?}"),
    }
}

#[test]
fn an_admission_that_is_out_or_reported_twice_is_told() {
    let kind = WatchedBreakers::new(ScriptedBreaker::admits(1));
    let breaker = breaker(&kind);
    let ticket = admit(&*breaker, AttemptKind::Retry);
    assert_eq!(kind.outstanding(), 1);
    assert_caught("the breaker of svc.op was never told of admissions", || kind.assert_settled());
    breaker.report(ticket, Health::Up, &Now::at(Moment::ZERO));
    kind.assert_settled();
    breaker.abandon(ticket, &Now::at(Moment::ZERO));
    assert_caught("more often than it had admitted it", || kind.assert_settled());
    assert_eq!(kind.made().len(), 1);
}

#[test]
fn a_hedge_that_is_a_probe_is_told() {
    let kind = WatchedBreakers::new(ScriptedBreaker::admits(1).half_open());
    let breaker = breaker(&kind);
    let ticket = admit(&*breaker, AttemptKind::Hedge);
    breaker.report(ticket, Health::Up, &Now::at(Moment::ZERO));
    assert_caught("admitted a hedge as a probe", || kind.assert_settled());
}

fn started(calls: &WatchedCalls) {
    let effective = Policy::new().max_attempts(1).normalize(PolicySource::Static).unwrap();
    calls.on_start(&CallStart::new(&KEY, Some(&effective)));
}

fn failed(attempts: u32) -> Timeline {
    let mut timeline = Timeline::new(KEY.clone(), Moment::ZERO);
    timeline.stop = Some(StopReason::AttemptsExhausted);
    for attempt in 0..attempts {
        let mut record = AttemptRecord::new(attempt, Moment::ZERO);
        record.ending = Ending::Failed;
        timeline.push(record);
    }
    timeline
}

#[test]
fn calls_that_never_end_or_end_twice_are_told() {
    let calls = WatchedCalls::new();
    started(&calls);
    assert_caught("1 call(s) of svc.op have started and never ended", || calls.assert_settled());
    calls.on_failure(&failed(1));
    calls.assert_settled();
    assert_eq!((calls.started(), calls.succeeded(), calls.failed()), (1, 0, 1));
    calls.on_failure(&failed(1));
    assert_caught("the call ended more often than it started", || calls.assert_settled());
}

#[test]
fn calls_in_bad_form_are_told() {
    for (end, says) in [
        (failed(2), "2 attempts were launched, of 1 at most"),
        (Timeline::new(KEY.clone(), Moment::ZERO), "the call has no stop reason, and no attempt won"),
    ] {
        let calls = WatchedCalls::new();
        started(&calls);
        calls.on_failure(&end);
        assert_caught(says, || calls.assert_settled());
        assert_eq!(calls.faults().len(), 1);
    }
    let calls = WatchedCalls::new();
    started(&calls);
    calls.on_success(&failed(1));
    assert_caught("success and failure are mixed up", || calls.assert_settled());
}

#[test]
fn hedges_that_never_end_or_end_twice_are_told() {
    let mut hedge = AttemptRecord::new(0, Moment::ZERO);
    (hedge.is_hedge, hedge.hedge_index) = (true, 1);
    let calls = WatchedCalls::new();
    started(&calls);
    calls.on_failure(&failed(1));
    calls.on_hedge_spawn(&KEY, &hedge);
    assert_caught("1 hedge(s) of svc.op were launched and never ended", || calls.assert_settled());
    calls.on_attempt(&KEY, &hedge);
    calls.assert_settled();
    calls.on_attempt(&KEY, &hedge);
    assert_caught("ended more often than it was launched", || calls.assert_settled());
}
