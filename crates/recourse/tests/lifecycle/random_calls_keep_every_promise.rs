//! Random policies, scripts, plugins and drops: whatever a call does, it keeps what is promised of every call.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{DecisionMode, Ending, Error, Jitter, Policy, StopReason, Timeline};
use recourse_test::{
    Script, ScriptedBreaker, ScriptedBudget, ScriptedError, ScriptedOperation, SeededRandom, VirtualTime,
    expect,
};
use std::task::Poll;
use std::time::Duration;

const CALLS: u64 = 4_000;

fn policy(random: &mut SeededRandom) -> Policy {
    let mut policy = plain().max_attempts(random.number(1..=4) as u32);
    policy = policy.jitter(*random.pick(&Jitter::ALL)).backoff(ms(random.number(1..=20)), ms(40));
    if random.chance(0.5) {
        policy = policy.timeout_per_attempt(ms(random.number(1..=60)));
    }
    if random.chance(0.5) {
        policy = policy.overall_timeout(ms(random.number(1..=150)));
    }
    if random.chance(0.5) {
        policy = policy.hedge_after(ms(random.number(10..=40))).max_hedges(random.number(1..=3) as u32);
        policy = policy.cancel_on_first_terminal(random.chance(0.5));
    }
    if random.chance(0.5) {
        policy = policy.retry_budget("b");
    }
    if random.chance(0.5) {
        policy = policy.hedge_budget("b");
    }
    if random.chance(0.5) {
        policy = policy.circuit_breaker("c");
    }
    policy
}

fn operation(random: &mut SeededRandom, time: &VirtualTime) -> ScriptedOperation<u32> {
    let mut script = Script::<u32>::new();
    for _ in 0..random.number(1..=8) {
        script = match random.number(0..=3) {
            0 => script.then_ok(7),
            _ => script.then_fails(1),
        };
        if random.chance(0.6) {
            script = script.takes(ms(random.number(0..=60)));
        }
        script = script.yields(random.number(0..=2) as u32);
    }
    script.on(time)
}

fn budget(random: &mut SeededRandom) -> ScriptedBudget {
    let budget = ScriptedBudget::allows(random.number(0..=5) as u32);
    let budget = budget.then_denies(random.number(0..=1) as u32).then_allows(random.number(0..=3) as u32);
    if random.chance(0.5) { budget } else { budget.without_peek() }
}

fn breaker(random: &mut SeededRandom) -> ScriptedBreaker {
    let breaker = ScriptedBreaker::admits(random.number(0..=5) as u32);
    let breaker = breaker.then_rejects(random.number(0..=1) as u32).then_admits(random.number(1..=3) as u32);
    if random.chance(0.2) { breaker.half_open() } else { breaker }
}

/// What holds of every timeline.
#[track_caller]
fn assert_lawful(timeline: &Timeline, policy: &Policy, operation: &ScriptedOperation<u32>, scene: &Scene) {
    expect(timeline).well_formed().attempts(operation.count());
    assert!(timeline.launched() <= policy.worst_case_attempts() as usize, "{timeline}");
    let within = |limit: Option<Duration>, took: Duration| limit.is_none_or(|limit| took <= limit);
    assert!(within(policy.retry.overall_timeout, timeline.duration()), "{timeline}");
    for record in timeline.attempts() {
        assert!(within(policy.retry.timeout_per_attempt, record.duration()), "{timeline}");
        assert_eq!(record.ending == Ending::Denied, !record.budget_allowed, "{timeline}");
    }
    let seen = operation.calls();
    let launched: Vec<_> =
        timeline.attempts().iter().filter(|record| record.ending != Ending::Denied).collect();
    for (record, attempt) in launched.iter().zip(&seen) {
        assert_eq!(
            (record.attempt, record.hedge_index),
            (attempt.index(), attempt.hedge_index()),
            "{timeline}"
        );
        assert_eq!(record.is_hedge, attempt.is_hedge(), "{timeline}");
    }
    for event in scene.observer.budget_events() {
        assert_eq!((event.mode, event.budget.as_str()), (DecisionMode::Standard, "b"));
    }
}

/// What a result says is what its timeline says.
#[track_caller]
fn assert_agree(result: &Result<u32, Error<ScriptedError>>, timeline: &Timeline) {
    assert_eq!(result.is_ok(), timeline.is_success(), "{timeline}");
    let Err(error) = result else { return };
    assert_eq!(Some(error.stop_reason()), timeline.stop);
    assert_eq!(error.attempts() as usize, timeline.launched(), "{timeline}");
    let failed = timeline.attempts().iter().any(|record| record.ending == Ending::Failed);
    assert_eq!(error.inner().is_some(), failed, "{timeline}");
    assert_eq!(error.elapsed(), timeline.duration(), "{timeline}");
}

#[test]
fn whatever_a_call_does_it_keeps_its_promises() {
    let (mut dropped, mut failed, mut succeeded) = (0, 0, 0);
    SeededRandom::each(0..CALLS, |random| {
        let scene = Scene::new();
        let (policy, budget, breaker) = (policy(random), budget(random), breaker(random));
        let builder = scene.builder().budget("b", budget.clone()).circuit_breaker("c", breaker.clone());
        let executor = built(builder.seed(random.seed()).policy(KEY, policy.clone()));
        let operation = operation(random, &scene.time);
        let polls = if random.chance(0.4) { random.number(1..=12) as usize } else { usize::MAX };
        let mut call = scene.time.step(executor.call(KEY).run_captured(|attempt| operation.call(attempt)));
        let ended = call.poll_times(polls);
        drop(call);

        budget.assert_all_released();
        breaker.assert_all_reported();
        scene.observer.assert_one_end_per_start();
        assert_eq!((operation.in_flight(), scene.time.pending_sleeps()), (0, 0));
        let timeline = scene.observer.last_timeline();
        assert_lawful(&timeline, &policy, &operation, &scene);
        match ended {
            Poll::Ready((result, captured)) => {
                assert_eq!(captured, timeline);
                assert_agree(&result, &timeline);
                failed += usize::from(result.is_err());
                succeeded += usize::from(result.is_ok());
            }
            Poll::Pending => {
                dropped += 1;
                expect(&timeline).failure().stop(StopReason::ContextCanceled);
            }
        }
    });
    assert!(dropped > 500 && failed > 500 && succeeded > 500, "{dropped} {failed} {succeeded}");
}
