//! No hedge that can't be expected back before the call's deadline, where the key's latencies are known.

use crate::stage::{Stage, ms, plain};
use recourse::Policy;
use recourse::hedge::{ExtraLoad, OnFailure, Quantile};
use recourse_test::{Script, expect};
use std::time::Duration;

const QUANTILES: [&str; 4] = ["p50", "p90", "p95", "p99"];

/// A hundred calls that took 40 ms each; from then on a call has until this deadline.
fn known(stage: &Stage) {
    for _ in 0..100 {
        stage.play(Script::ok(0).takes(ms(40)));
    }
}

fn hedged(trigger: &'static str, deadline: Duration) -> Policy {
    plain().max_attempts(1).hedge_trigger(trigger).max_hedges(1).overall_timeout(deadline)
}

fn stage(trigger: &'static str, deadline: Duration) -> Stage {
    Stage::with(hedged(trigger, deadline), |builder| {
        builder
            .hedge_trigger("p95_late", Quantile::P95.ignore_deadline())
            .hedge_trigger("extra", ExtraLoad::percent(50.0).expect("a share"))
            .hedge_trigger("extra_late", ExtraLoad::percent(50.0).expect("a share").ignore_deadline())
            .hedge_trigger("failed", OnFailure::new(Quantile::P95))
    })
}

/// How many hedges a call launches whose primary never answers.
fn hedges(stage: &Stage) -> usize {
    let played = stage.play(Script::<u32>::never());
    expect(&played.timeline).stop("overall_timeout");
    played.timeline.attempts().len() - 1
}

#[test]
fn a_registered_quantile_hedges_while_half_of_the_calls_would_be_back() {
    for trigger in QUANTILES {
        let roomy = stage(trigger, ms(90));
        known(&roomy);
        assert_eq!(hedges(&roomy), 1, "{trigger}: due just after 40 to 43 ms, and 40 to 43 are enough");
        let tight = stage(trigger, ms(75));
        known(&tight);
        assert_eq!(hedges(&tight), 0, "{trigger}: 35 ms are not");
    }
}

#[test]
fn a_quantile_that_ignores_the_deadline_hedges_as_long_as_there_is_time() {
    let tight = stage("p95_late", ms(50));
    known(&tight);
    assert_eq!(hedges(&tight), 1);
}

#[test]
fn the_fixed_delay_has_a_name_for_it_and_another_without() {
    let at = |trigger, deadline| {
        let stage = Stage::new(hedged(trigger, ms(deadline)).hedge_after(ms(60)));
        known(&stage);
        hedges(&stage)
    };
    assert_eq!(at("fixed_delay_within_deadline", 110), 1);
    assert_eq!(at("fixed_delay_within_deadline", 90), 0);
    assert_eq!(at("fixed_delay", 90), 1, "it keeps no latencies");
}

#[test]
fn an_extra_load_keeps_latencies_and_heeds_them() {
    let at = |trigger, deadline| {
        let stage = stage(trigger, ms(deadline));
        known(&stage);
        hedges(&stage)
    };
    assert_eq!(at("extra", 1_000), 1);
    assert_eq!(at("extra", 45), 0);
    assert_eq!(at("extra_late", 45), 1);
}

#[test]
fn a_failure_launches_none_that_would_be_late() {
    let at = |fails_after| {
        let stage = stage("failed", ms(100));
        known(&stage);
        let script = Script::fails(1).takes(ms(fails_after)).then_ok(7).takes(ms(40));
        stage.play(script).timeline.attempts().len()
    };
    assert_eq!((at(10), at(38)), (2, 2));
    let late = stage("failed", ms(45));
    known(&late);
    let played = late.play(Script::fails(1).takes(ms(10)).then_ok(7).takes(ms(40)));
    expect(&played.timeline).failure().attempts(1);
}

#[test]
fn what_is_not_known_refuses_nothing_and_calls_without_a_deadline_are_hedged_as_ever() {
    let unknown = Stage::new(hedged("fixed_delay_within_deadline", ms(50)).hedge_after(ms(45)));
    assert_eq!(hedges(&unknown), 1);
    let policy = plain().max_attempts(1).hedge_trigger("p95").max_hedges(1);
    let endless = Stage::new(policy);
    known(&endless);
    let played = endless.play(Script::never().then_ok(7).takes(ms(40)));
    expect(&played.timeline).success().hedges(1);
}

#[test]
fn a_hedge_that_is_due_at_the_deadline_itself_is_not_launched() {
    for trigger in ["fixed_delay", "fixed_delay_within_deadline"] {
        let stage = Stage::new(hedged(trigger, ms(50)).hedge_after(ms(50)));
        assert_eq!(hedges(&stage), 0, "{trigger}");
    }
}
