//! Hedging begins anew in every attempt group, and the groups together stay within the policy's worst case.

use crate::stage::{KEY, Stage, Told, ms, plain};
use recourse::{CircuitState, Policy};
use recourse_test::{Script, ScriptedBreaker, expect};

fn hedged(attempts: u32, hedges: u32) -> Policy {
    plain().max_attempts(attempts).hedge_after(ms(20)).max_hedges(hedges)
}

#[test]
fn every_group_is_hedged() {
    let stage = Stage::new(hedged(2, 1));
    let played = stage.play(Script::<u32>::fails(9).takes(ms(50)));
    expect(&played.timeline)
        .stop("attempts_exhausted")
        .indices([(0, 0), (0, 1), (1, 0), (1, 1)])
        .endings(["failed"; 4])
        .starts([ms(0), ms(20), ms(80), ms(100)])
        .backoffs([ms(10)])
        .took(ms(150))
        .well_formed();
    assert_eq!(played.operation.max_in_flight(), 2);
    assert_eq!(played.error().attempts(), 4);
}

#[test]
fn launched_attempts_stay_within_max_attempts_times_one_plus_max_hedges() {
    for attempts in 1..=3 {
        for hedges in 1..=3 {
            let stage = Stage::new(hedged(attempts, hedges));
            let played = stage.play(Script::<u32>::fails(99).takes(ms(500)));
            let worst = attempts * (1 + hedges);
            assert_eq!(played.operation.count(), worst as usize);
            assert_eq!(stage.executor.explain(KEY).unwrap().worst_case_attempts, worst);
            assert_eq!(played.operation.max_in_flight(), 1 + hedges as usize);
            assert_eq!(played.error().attempts(), worst);
        }
    }
}

#[test]
fn the_second_group_may_be_won_by_its_hedge() {
    let stage = Stage::new(hedged(3, 1));
    let played = stage.play(Script::fails(1).then_never().then_ok(7));
    assert_eq!(played.result.unwrap(), 7);
    expect(&played.timeline)
        .indices([(0, 0), (1, 0), (1, 1)])
        .endings(["failed", "superseded", "won"])
        .starts([ms(0), ms(10), ms(30)])
        .well_formed();
}

#[test]
fn a_group_that_waited_leaves_no_timer_behind_for_the_next() {
    let stage = Stage::told(hedged(2, 1).timeout_per_attempt(ms(1_000)));
    let script = Script::new().then_err(Told::retryable("r")).takes(ms(5)).then_ok(7).takes(ms(15));
    let played = stage.play(script);
    expect(&played.timeline).endings(["failed", "won"]).starts([ms(0), ms(15)]).took(ms(30));
    assert_eq!(stage.time.pending_sleeps(), 0);
}

#[test]
fn the_result_of_the_last_group_counts() {
    let stage = Stage::told(hedged(2, 1));
    let script = Script::<u32, _>::new()
        .then_err(Told::retryable("first"))
        .takes(ms(30))
        .then_err(Told::retryable("first_hedge"))
        .takes(ms(30))
        .then_err(Told::retryable("second"))
        .takes(ms(30))
        .then_err(Told::retryable("second_hedge"))
        .takes(ms(5));
    let played = stage.play(script);
    expect(&played.timeline).error("second").attempts(4);
    assert_eq!(played.error().into_inner().unwrap().name, "second");
}

#[test]
fn an_operation_that_borrows_mutably_is_retried_but_not_hedged_and_the_timeline_says_so() {
    let stage = Stage::new(hedged(2, 2));
    let (time, mut runs) = (&stage.time, 0);
    let call = stage.executor.call(KEY).run_mut_captured(async |_| {
        runs += 1;
        time.wait(ms(100)).await;
        if runs == 1 { Err(std::io::Error::other("down")) } else { Ok(runs) }
    });
    let (result, timeline) = stage.time.run(call);
    assert_eq!(result.unwrap(), 2);
    expect(&timeline).success().hedges(0).attempts(2).attribute("hedging", "off_one_at_a_time");
}

#[test]
fn a_probe_is_not_hedged_and_the_timeline_says_so() {
    let breaker = ScriptedBreaker::admits(1).half_open();
    let stage = Stage::with(hedged(1, 2).circuit_breaker("s"), |builder| {
        builder.circuit_breaker("s", breaker.clone())
    });
    let played = stage.play(Script::ok(7).takes(ms(500)));
    expect(&played.timeline).success().hedges(0).attribute("hedging", "off_half_open");
    assert_eq!(stage.executor.circuit_state(KEY), Some(CircuitState::HalfOpen));
    breaker.assert_all_reported();
}
