//! The latency triggers in an executor, fed by the latencies of its own calls.

use crate::stage::{KEY, Stage, ms, plain};
use futures::future::join;
use recourse::hedge::Quantile;
use recourse::{HedgeDecision, Policy};
use recourse_test::{Script, ScriptedTrigger, expect};
use std::time::Duration;

fn hedged(trigger: &'static str, hedges: u32) -> Policy {
    plain().max_attempts(1).hedge_trigger(trigger).max_hedges(hedges)
}

/// Calls of 1 to 100 ms, in an order that no hedge could meet: the slowest first, each below what was seen.
fn hundred_calls(stage: &Stage) {
    for takes in (1..=100).rev() {
        stage.play(Script::ok(0).takes(ms(takes)));
    }
}

/// When the hedges of a call that takes for ever start.
fn hedge_starts(stage: &Stage) -> Vec<Duration> {
    let played = stage.play(Script::ok(7).takes(ms(20_000)).then_never());
    let start = played.timeline.start;
    played.timeline.attempts()[1..].iter().map(|record| record.start.since(start)).collect()
}

#[test]
fn without_samples_nothing_is_hedged_however_slow() {
    for trigger in ["p50", "p90", "p95", "p99"] {
        assert_eq!(hedge_starts(&Stage::new(hedged(trigger, 3))), [], "{trigger}");
    }
}

#[test]
fn a_hedge_starts_once_the_recent_quantile_is_exceeded() {
    for (trigger, quantile) in [("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99)] {
        let stage = Stage::new(hedged(trigger, 1));
        hundred_calls(&stage);
        let starts = hedge_starts(&stage);
        // A quantile is off by a sixteenth at most.
        let range = ms(quantile)..ms(quantile) * 17 / 16 + ms(1);
        assert!(starts.len() == 1 && range.contains(&starts[0]), "{trigger}: {starts:?}");
        assert!(starts[0] > ms(quantile), "{trigger}: not before it is exceeded");
    }
}

#[test]
fn several_hedges_are_spaced_and_not_fired_back_to_back() {
    let stage = Stage::new(hedged("p50", 3));
    for _ in 0..20 {
        stage.play(Script::ok(0).takes(ms(40)));
    }
    let starts = hedge_starts(&stage);
    assert_eq!(starts.len(), 3);
    let gaps: Vec<_> = starts.iter().zip(&starts[1..]).map(|(one, next)| *next - *one).collect();
    assert!(gaps.iter().all(|gap| *gap >= ms(40)), "{starts:?}");
}

#[test]
fn hedges_that_are_overdue_together_are_spaced_too() {
    let stage = Stage::with(hedged("first", 3).hedge_after(ms(200)), |builder| {
        builder.hedge_trigger("first", Quantile::P90.with_min_samples(1))
    });
    let (slow, quick) = (
        Script::ok(1).takes(ms(5_000)).then_never().on(&stage.time),
        Script::ok(2).takes(ms(30)).on(&stage.time),
    );
    let slow_call = stage.executor.call(KEY).run_captured(|attempt| slow.call(attempt));
    let quick_call = stage.executor.run(KEY, |attempt| quick.call(attempt));
    let ((_, timeline), _) = stage.time.run(join(slow_call, quick_call));
    let starts: Vec<_> =
        timeline.attempts().iter().map(|record| record.start.since(timeline.start)).collect();
    assert_eq!(starts[..2], [ms(0), ms(200)], "the sample of the other call is seen at the next look");
    let gaps: Vec<_> = starts[1..].iter().zip(&starts[2..]).map(|(one, next)| *next - *one).collect();
    assert!(gaps.len() == 2 && gaps.iter().all(|gap| *gap >= ms(30)), "{starts:?}");
}

#[test]
fn failures_are_no_samples() {
    let stage = Stage::new(hedged("p50", 1));
    for _ in 0..10 {
        stage.play(Script::<u32>::fails(1).takes(ms(20)));
    }
    assert_eq!(hedge_starts(&stage), []);
}

#[test]
fn a_call_that_its_hedge_wins_counts_from_the_primarys_start() {
    let trigger = ScriptedTrigger::new(HedgeDecision::check_in(ms(30)))
        .then(HedgeDecision::spawn())
        .then(HedgeDecision::never())
        .wanting_latency();
    let stage =
        Stage::with(hedged("scripted", 1), |builder| builder.hedge_trigger("scripted", trigger.clone()));
    stage.play(Script::never().then_ok(7).takes(ms(10)));
    stage.play(Script::ok(7).takes(ms(1)));
    let states = trigger.states();
    assert!(states[0].latency().is_none() && states[1].latency().is_none());
    let latency = states[2].latency().expect("one call has ended");
    assert_eq!((latency.samples, latency.p50), (1, ms(40)));
}

#[test]
fn a_retried_call_counts_its_successful_group_alone() {
    let trigger = ScriptedTrigger::new(HedgeDecision::never()).wanting_latency();
    let stage = Stage::with(hedged("scripted", 1).max_attempts(2), |builder| {
        builder.hedge_trigger("scripted", trigger.clone())
    });
    stage.play(Script::fails(1).takes(ms(300)).then_ok(7).takes(ms(20)));
    stage.play(Script::ok(7).takes(ms(1)));
    let latency = *trigger.states()[2].latency().expect("one call has ended");
    assert_eq!((latency.samples, latency.p99), (1, ms(20)));
}

#[test]
fn a_dropped_call_counts_for_as_long_as_it_ran() {
    let trigger = ScriptedTrigger::new(HedgeDecision::never()).wanting_latency();
    let stage =
        Stage::with(hedged("scripted", 1), |builder| builder.hedge_trigger("scripted", trigger.clone()));
    let operation = Script::<u32>::never().on(&stage.time);
    let mut call = stage.time.step(stage.executor.run(KEY, |attempt| operation.call(attempt)));
    assert!(call.poll().is_pending());
    stage.time.advance(ms(60));
    drop(call);
    stage.play(Script::ok(7).takes(ms(1)));
    let latency = *trigger.states()[1].latency().expect("a call was dropped");
    assert_eq!((latency.samples, latency.p50), (1, ms(60)));
}

#[test]
fn a_call_that_its_deadline_cuts_counts_for_as_long_as_it_ran() {
    let trigger = ScriptedTrigger::new(HedgeDecision::never()).wanting_latency();
    let stage = Stage::with(hedged("scripted", 1).overall_timeout(ms(80)), |builder| {
        builder.hedge_trigger("scripted", trigger.clone())
    });
    expect(&stage.play(Script::<u32>::never()).timeline).stop("overall_timeout");
    stage.play(Script::ok(7).takes(ms(1)));
    let latency = *trigger.states()[1].latency().expect("a call was cut");
    assert_eq!((latency.samples, latency.p50), (1, ms(80)));
}

#[test]
fn a_trigger_that_reads_no_latencies_is_shown_none() {
    let trigger = ScriptedTrigger::new(HedgeDecision::never());
    let stage =
        Stage::with(hedged("scripted", 1), |builder| builder.hedge_trigger("scripted", trigger.clone()));
    for _ in 0..3 {
        stage.play(Script::ok(7).takes(ms(20)));
    }
    assert!(trigger.states().iter().all(|state| state.latency().is_none()));
}

#[test]
fn latencies_are_forgotten_after_a_minute() {
    let stage = Stage::new(hedged("p50", 1));
    for _ in 0..2 {
        stage.play(Script::ok(0).takes(ms(40)));
    }
    assert_eq!(hedge_starts(&stage).len(), 1);
    stage.time.advance(Duration::from_secs(61));
    assert_eq!(hedge_starts(&stage), []);
}

#[test]
fn each_key_has_latencies_of_its_own() {
    let stage = Stage::with(hedged("p50", 1), |builder| builder.policy("shop.Sell", hedged("p50", 1)));
    for _ in 0..2 {
        stage.play(Script::ok(0).takes(ms(40)));
    }
    assert_eq!(hedge_starts(&stage).len(), 1, "this key is hedged");
    let operation = Script::ok(7).takes(ms(500)).on(&stage.time);
    let call = stage.executor.call("shop.Sell").run_captured(|attempt| operation.call(attempt));
    expect(&stage.time.run(call).1).success().hedges(0);
}
