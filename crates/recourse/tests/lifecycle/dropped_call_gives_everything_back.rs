//! A call that is dropped after 1, 2, 3 ... n polls leaves nothing behind, wherever it stood.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{
    CircuitState, Ending, ExecutorBuilder, Policy, PolicyProvider, PolicySource, ProvidedPolicy,
    ProviderError, StopReason,
};
use recourse_test::{Script, ScriptedBreaker, ScriptedBudget, ScriptedOperation, VirtualTime, expect};
use std::future::Future;
use std::sync::Arc;

/// What a scripted call may take.
struct Props {
    scene: Scene,
    budget: ScriptedBudget,
    breaker: ScriptedBreaker,
}

impl Props {
    fn new(breaker: ScriptedBreaker) -> Self {
        Props { scene: Scene::new(), budget: ScriptedBudget::allows(1), breaker }
    }

    fn builder(&self) -> ExecutorBuilder {
        let builder = self.scene.builder().budget("budget", self.budget.clone());
        builder.circuit_breaker("breaker", self.breaker.clone())
    }

    /// Everything that was taken has come back, and every start has its one end.
    #[track_caller]
    fn assert_clean(&self, operation: &ScriptedOperation<u32>, polls: usize) {
        self.budget.assert_all_released();
        self.breaker.assert_all_reported();
        self.scene.observer.assert_one_end_per_start();
        assert_eq!(operation.in_flight(), 0, "attempts in flight after {polls} polls");
        assert_eq!(self.scene.time.pending_sleeps(), 0, "timers after {polls} polls");
        for timeline in self.scene.observer.timelines() {
            expect(&timeline).well_formed();
        }
    }
}

fn guarded(policy: Policy) -> Policy {
    policy.retry_budget("budget").hedge_budget("budget").circuit_breaker("breaker")
}

/// Drops the same call after every number of polls up to its end; the answer is how many polls it takes.
#[track_caller]
fn drop_everywhere(
    policy: impl Fn() -> Policy,
    breaker: impl Fn() -> ScriptedBreaker,
    script: impl Fn(&VirtualTime) -> ScriptedOperation<u32>,
    captured: bool,
) -> usize {
    for polls in 1..200 {
        let props = Props::new(breaker());
        let executor = built(props.builder().policy(KEY, guarded(policy())));
        let operation = script(&props.scene.time);
        let call = executor.call(KEY);
        let over = if captured {
            let mut step = props.scene.time.step(call.run_captured(|attempt| operation.call(attempt)));
            step.poll_times(polls).is_ready()
        } else {
            let mut step = props.scene.time.step(call.run(|attempt| operation.call(attempt)));
            step.poll_times(polls).is_ready()
        };
        props.assert_clean(&operation, polls);
        assert_eq!(props.budget.released(), operation.count(), "permits after {polls} polls");
        if over {
            return polls;
        }
        let timeline = props.scene.observer.last_timeline();
        expect(&timeline).failure().stop(StopReason::ContextCanceled);
    }
    panic!("the call never ends");
}

#[test]
fn a_retry_with_backoff_may_be_dropped_anywhere() {
    for captured in [false, true] {
        let script = |time: &VirtualTime| Script::fails(2).then_ok(7).all_take(ms(5)).on(time);
        let polls = drop_everywhere(plain, || ScriptedBreaker::admits(1), script, captured);
        assert_eq!(polls, 6, "three attempts and two waits, each a poll, and the first poll");
    }
}

#[test]
fn attempts_that_wake_themselves_may_be_dropped_anywhere() {
    let script = |time: &VirtualTime| Script::fails(1).yields(3).then_ok(7).yields(4).on(time);
    let polls = drop_everywhere(plain, || ScriptedBreaker::admits(1), script, false);
    assert!(polls >= 8, "{polls} polls");
}

#[test]
fn a_hedged_call_with_losers_may_be_dropped_anywhere() {
    let policy = || plain().hedge_after(ms(10)).max_hedges(3).timeout_per_attempt(ms(200));
    for captured in [false, true] {
        let script = |time: &VirtualTime| {
            Script::never().then_never().then_fails(1).takes(ms(100)).then_ok(7).takes(ms(90)).on(time)
        };
        let polls = drop_everywhere(policy, || ScriptedBreaker::admits(1), script, captured);
        assert!(polls >= 5, "a first poll, three hedges, an end: {polls} polls");
    }
}

#[test]
fn a_probe_may_be_dropped_anywhere() {
    let policy = || plain().hedge_after(ms(10));
    let script = |time: &VirtualTime| Script::fails(2).then_ok(7).all_take(ms(50)).on(time);
    let polls = drop_everywhere(policy, || ScriptedBreaker::admits(1).half_open(), script, false);
    assert!(polls >= 6, "{polls} polls");
}

#[test]
fn a_call_with_every_timeout_may_be_dropped_anywhere() {
    let policy = || plain().max_attempts(4).timeout_per_attempt(ms(30)).overall_timeout(ms(120));
    let script = |time: &VirtualTime| Script::never().then_fails(1).takes(ms(20)).then_never().on(time);
    let polls = drop_everywhere(policy, || ScriptedBreaker::admits(1), script, true);
    assert!(polls >= 6, "{polls} polls");
}

#[test]
fn the_losers_of_a_hedged_call_are_closed_as_cancelled_when_it_is_dropped() {
    let props = Props::new(ScriptedBreaker::admits(1));
    let executor = built(props.builder().policy(KEY, guarded(plain().hedge_after(ms(10)).max_hedges(2))));
    let operation = Script::<u32>::never().on(&props.scene.time);
    let mut call = props.scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
    assert!(call.poll_times(3).is_pending());
    drop(call);
    let timeline = props.scene.observer.last_timeline();
    expect(&timeline).endings([Ending::Cancelled; 3]).reasons(["context_canceled"; 3]).took(ms(20));
    let cancels = props.scene.observer.hedge_cancels();
    assert_eq!(cancels.len(), 2);
    assert!(cancels.iter().all(|(_, reason)| reason == "cancelled"), "{cancels:?}");
}

#[test]
fn a_probe_of_a_real_breaker_gives_its_slot_back_when_it_is_dropped() {
    for polls in 1..=6 {
        let scene = Scene::new();
        let executor = scene.executor(plain().circuit(1, ms(100)).max_attempts(1));
        let broken = Script::<u32>::fails(1).on(&scene.time);
        assert!(scene.time.run(executor.run(KEY, |attempt| broken.call(attempt))).is_err());
        assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Open));
        scene.time.advance(ms(100));

        let slow = Script::ok(7).yields(20).on(&scene.time);
        let mut probe = scene.time.step(executor.run(KEY, |attempt| slow.call(attempt)));
        assert!(probe.poll_times(polls).is_pending());
        assert_eq!(executor.circuit_state(KEY), Some(CircuitState::HalfOpen));
        drop(probe);

        let quick = Script::ok(7).on(&scene.time);
        let next = scene.time.run(executor.run(KEY, |attempt| quick.call(attempt)));
        assert_eq!(next.ok(), Some(7), "the next probe after a drop at poll {polls}");
        assert_eq!(executor.circuit_state(KEY), Some(CircuitState::Closed));
        scene.observer.assert_one_end_per_start();
    }
}

/// Answers after a while, and never at once.
struct Remote(VirtualTime);

#[async_trait::async_trait]
impl PolicyProvider for Remote {
    async fn policy(&self, _: &recourse::Key) -> Result<ProvidedPolicy, ProviderError> {
        self.0.wait(ms(3)).await;
        self.0.wait(ms(3)).await;
        Ok(ProvidedPolicy::new(Arc::new(guarded(plain())), PolicySource::Remote))
    }
}

#[test]
fn a_call_that_awaits_its_policy_may_be_dropped_anywhere() {
    let mut starts = Vec::new();
    for polls in 1..100 {
        let props = Props::new(ScriptedBreaker::admits(1));
        let executor = built(props.builder().provider(Remote(props.scene.time.clone())));
        let operation = Script::fails(1).then_ok(7).all_take(ms(5)).on(&props.scene.time);
        let mut call = props.scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
        let over = call.poll_times(polls).is_ready();
        drop(call);
        props.assert_clean(&operation, polls);
        starts.push(props.scene.observer.starts().len());
        if over {
            break;
        }
    }
    assert_eq!(starts, [0, 0, 1, 1, 1, 1], "a call starts when its policy is there");
}

#[test]
fn a_call_that_was_never_polled_has_neither_start_nor_end() {
    let props = Props::new(ScriptedBreaker::admits(1));
    let executor = built(props.builder().policy(KEY, guarded(plain())));
    let operation = Script::ok(7).on(&props.scene.time);
    drop(executor.run(KEY, |attempt| operation.call(attempt)));
    assert!(props.scene.observer.events().is_empty());
    assert_eq!((operation.count(), props.budget.asks().len(), props.breaker.asks().len()), (0, 0, 0));
}

#[test]
fn the_twins_for_mutable_state_may_be_dropped_anywhere_too() {
    for with_state in [false, true] {
        for polls in 1..100 {
            let props = Props::new(ScriptedBreaker::admits(1));
            let executor = built(props.builder().policy(KEY, guarded(plain())));
            let operation = Script::fails(2).then_ok(7).all_take(ms(5)).on(&props.scene.time);
            let mut tries = 0;
            let over = if with_state {
                let call = executor.run_with(KEY, &mut tries, |tries, attempt| {
                    *tries += 1;
                    Box::pin(operation.call(attempt))
                });
                props.scene.time.step(call).poll_times(polls).is_ready()
            } else {
                let call = executor.run_mut(KEY, async |attempt| {
                    tries += 1;
                    operation.call(attempt).await
                });
                props.scene.time.step(call).poll_times(polls).is_ready()
            };
            props.assert_clean(&operation, polls);
            assert_eq!(tries, operation.count());
            if over {
                assert_eq!(polls, 6);
                break;
            }
        }
    }
}

/// A future that notices being dropped in the middle of a drop.
async fn nested(inner: impl Future<Output = ()>) -> Result<u32, std::io::Error> {
    inner.await;
    Ok(7)
}

#[test]
fn a_call_inside_a_dropped_call_gives_everything_back_too() {
    for polls in 1..=5 {
        let props = Props::new(ScriptedBreaker::admits(1));
        let builder = props.builder().policy(KEY, guarded(plain()));
        let executor = built(builder.policy("inner.Call", guarded(plain())));
        let inner = Script::fails(2).then_ok(1).all_take(ms(5)).on(&props.scene.time);
        let call = executor.run(KEY, |_| {
            nested(async {
                assert!(executor.run("inner.Call", |attempt| inner.call(attempt)).await.is_ok());
            })
        });
        let mut call = props.scene.time.step(call);
        assert!(call.poll_times(polls).is_pending());
        drop(call);
        props.assert_clean(&inner, polls);
        assert_eq!(props.scene.observer.failures().len(), 2, "dropped after {polls} polls");
    }
}
