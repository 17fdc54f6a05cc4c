//! The trigger says when a hedge starts and when to ask again; the executor keeps the count.

use crate::stage::{KEY, Stage, ms, plain};
use recourse::{Component, Executor, HedgeDecision, HedgeState, MissingTrigger, Moment, Policy};
use recourse_test::{Panicking, PluginMethod, Script, ScriptedTrigger, VirtualTime, expect};

fn scripted(policy: Policy, trigger: &ScriptedTrigger) -> Stage {
    Stage::with(policy.hedge_trigger("scripted"), |builder| {
        builder.hedge_trigger("scripted", trigger.clone())
    })
}

fn at(millis: u64) -> Moment {
    Moment::ZERO + ms(millis)
}

/// A primary that takes this long, with hedges that never end.
fn slow(takes: u64) -> Script<u32> {
    Script::ok(7).takes(ms(takes)).then_never()
}

#[test]
fn by_fixed_delay_hedge_n_starts_at_n_times_the_delay() {
    for policy in [plain().hedge_after(ms(20)), plain().hedge_after(ms(20)).hedge_trigger("fixed_delay")] {
        let stage = Stage::new(policy.max_hedges(3));
        let played = stage.play(slow(500));
        expect(&played.timeline).hedges(3).starts([0, 20, 40, 60].map(ms)).took(ms(500));
    }
}

#[test]
fn a_primary_that_never_waits_is_not_hedged_and_the_trigger_not_asked() {
    let trigger = ScriptedTrigger::new(HedgeDecision::spawn());
    let stage = scripted(plain(), &trigger);
    expect(&stage.play(Script::fails(2).then_ok(7)).timeline).success().hedges(0);
    assert!(trigger.states().is_empty());
}

#[test]
fn the_trigger_sees_the_state_of_the_group() {
    let trigger = ScriptedTrigger::new(HedgeDecision::check_in(ms(5)))
        .then(HedgeDecision::spawn_and_check_in(ms(7)))
        .then(HedgeDecision::never())
        .then(HedgeDecision::never());
    let stage = scripted(plain().max_attempts(2).hedge_after(ms(80)).max_hedges(3), &trigger);
    stage.time.advance(ms(1_000));
    stage.play(Script::<u32>::fails(9).takes(ms(100)));
    let view = |state: &HedgeState| (state.now(), state.group_started(), state.elapsed(), state.launched());
    let seen: Vec<_> = trigger.states().iter().map(view).collect();
    // The first group ends with its hedge, at 105 ms; the second starts after the backoff of 10 ms.
    assert_eq!(
        seen,
        [
            (at(1_000), at(1_000), ms(0), 1),
            (at(1_005), at(1_000), ms(5), 1),
            (at(1_012), at(1_000), ms(12), 2),
            (at(1_115), at(1_115), ms(0), 1),
        ]
    );
    for state in trigger.states() {
        assert_eq!((state.call_started(), state.max_hedges(), state.hedge_delay()), (at(1_000), 3, ms(80)));
        assert!(state.latency().is_none());
    }
}

#[test]
fn the_trigger_sees_when_the_call_started_also_when_nobody_watches() {
    // The first result is a value that is classified retryable: ready at once, then a wait, then a slow attempt.
    let started = |watched: bool| {
        let (time, trigger) = (VirtualTime::new(), ScriptedTrigger::new(HedgeDecision::never()));
        let builder = Executor::builder().clock(time.clone()).sleeper(time.clone());
        let builder =
            if watched { builder.observer(recourse_test::RecordingObserver::new()) } else { builder };
        let classifier = recourse_test::FixedClassifier::new(recourse::Outcome::retryable("not_yet"))
            .then(recourse::Outcome::success());
        let executor = builder
            .policy(KEY, plain().hedge_trigger("scripted"))
            .hedge_trigger("scripted", trigger.clone())
            .default_classifier(classifier)
            .build()
            .unwrap();
        let operation = Script::ok(1).then_ok(2).takes(ms(5)).on(&time);
        assert_eq!(time.run(executor.run(KEY, |attempt| operation.call(attempt))).unwrap(), 2);
        let state = trigger.states()[0];
        (state.call_started(), state.group_started())
    };
    assert_eq!(started(true), (at(0), at(10)));
    assert_eq!(started(false), (at(0), at(10)));
}

#[test]
fn the_first_look_at_each_group_is_told_however_long_the_primary_ran_before_it_waited() {
    for keeps_latencies in [false, true] {
        let time = VirtualTime::new();
        let trigger = ScriptedTrigger::new(HedgeDecision::check_in(ms(3)));
        let trigger = if keeps_latencies { trigger.wanting_latency() } else { trigger };
        let builder = Executor::builder().clock(time.clone()).sleeper(time.clone());
        let builder = builder.hedge_trigger("scripted", trigger.clone());
        let executor =
            builder.policy(KEY, plain().max_attempts(2).hedge_trigger("scripted")).build().unwrap();
        let operation = Script::<u32>::fails(9).takes(ms(5)).on(&time);
        let call = executor.run(KEY, |attempt| {
            time.advance(ms(2));
            operation.call(attempt)
        });
        assert!(time.run(call).is_err());
        let looks: Vec<_> = trigger.states().iter().map(HedgeState::is_first_look).collect();
        assert_eq!(looks, [true, false, true, false], "latencies: {keeps_latencies}");
    }
}

#[test]
fn at_most_one_hedge_is_launched_an_evaluation_and_never_more_than_allowed() {
    let trigger = ScriptedTrigger::new(HedgeDecision::spawn_and_check_in(ms(4)));
    for hedges in 1..=3 {
        let stage = scripted(plain().max_hedges(hedges), &trigger);
        let played = stage.play(slow(50));
        let starts = [0, 0, 4, 8].map(ms);
        expect(&played.timeline).hedges(hedges as usize).starts(starts.into_iter().take(hedges as usize + 1));
    }
}

#[test]
fn a_trigger_is_not_asked_again_once_every_hedge_is_launched() {
    let trigger = ScriptedTrigger::new(HedgeDecision::spawn_and_check_in(ms(4)));
    scripted(plain().max_hedges(2), &trigger).play(slow(50));
    assert_eq!(trigger.states().len(), 2);
}

#[test]
fn a_next_check_of_zero_means_a_millisecond_later() {
    let trigger = ScriptedTrigger::new(HedgeDecision::check_in(ms(0)));
    scripted(plain(), &trigger).play(slow(5));
    let asked: Vec<_> = trigger.states().iter().map(HedgeState::elapsed).collect();
    assert_eq!(asked, [0, 1, 2, 3, 4].map(ms));
    let greedy = ScriptedTrigger::new(HedgeDecision::spawn_and_check_in(ms(0)));
    let played = scripted(plain().max_hedges(3), &greedy).play(slow(50));
    expect(&played.timeline).starts([0, 0, 1, 2].map(ms));
}

#[test]
fn without_a_next_check_the_trigger_is_not_asked_again_in_the_group() {
    for (decision, hedges) in [(HedgeDecision::never(), 0), (HedgeDecision::spawn(), 1)] {
        let trigger = ScriptedTrigger::new(decision);
        let played = scripted(plain().max_hedges(3), &trigger).play(slow(5_000));
        expect(&played.timeline).hedges(hedges);
        assert_eq!(trigger.states().len(), 1);
    }
}

#[test]
fn a_trigger_that_names_a_far_moment_does_not_keep_the_call() {
    let trigger = ScriptedTrigger::new(HedgeDecision::check_in(std::time::Duration::MAX));
    let played = scripted(plain(), &trigger).play(slow(40));
    expect(&played.timeline).success().took(ms(40));
    assert_eq!(trigger.states().len(), 1);
}

#[test]
fn a_trigger_that_panics_hedges_nothing() {
    for method in [PluginMethod::ShouldSpawnHedge, PluginMethod::WantsLatency] {
        let stage = Stage::with(plain().hedge_trigger("broken"), |builder| {
            builder.hedge_trigger("broken", Panicking::only_in([method]))
        });
        expect(&stage.play(slow(50)).timeline).success().hedges(0);
        assert_eq!(stage.executor.plugin_panics().count(Component::Trigger), 1, "{method}");
    }
}

#[test]
fn a_missing_trigger_falls_back_to_the_fixed_delay_and_the_timeline_says_so() {
    let policy = plain().hedge_after(ms(20)).max_hedges(1).hedge_trigger("nowhere");
    let stage = Stage::with(policy, |builder| builder.missing_trigger(MissingTrigger::Fallback));
    let played = stage.play(slow(50));
    expect(&played.timeline).starts([ms(0), ms(20)]).attribute("trigger_not_found", "nowhere");
}

#[test]
fn a_missing_trigger_can_mean_no_hedge() {
    let policy = plain().hedge_after(ms(20)).hedge_trigger("nowhere");
    let stage = Stage::with(policy, |builder| builder.missing_trigger(MissingTrigger::Deny));
    expect(&stage.play(slow(500)).timeline).hedges(0).attribute("trigger_not_found", "nowhere");
    assert_eq!(stage.executor.explain(KEY).unwrap().worst_case_attempts, 3);
}
