//! How many attempts a call makes, and how long it waits between them.

use crate::stage::{KEY, Stage, ms, plain};
use recourse::{Executor, Jitter, Moment, Policy};
use recourse_test::{Script, VirtualTime, expect};
use std::time::Duration;

/// The waits of one call of ten attempts that all fail, drawn with this seed.
fn waits(policy: Policy, seed: u64) -> Vec<Duration> {
    let stage = Stage::with(policy.max_attempts(10), |builder| builder.seed(seed));
    let played = stage.play(Script::<u32>::fails(10));
    let waits: Vec<_> = played.timeline.attempts()[1..].iter().map(|record| record.backoff).collect();
    let slept: Vec<_> = waits.iter().copied().filter(|wait| !wait.is_zero()).collect();
    assert_eq!(stage.time.sleeps(), slept, "what the timeline says is what was slept");
    waits
}

#[test]
fn without_jitter_waits_double_up_to_the_cap() {
    let expected = [10, 20, 40, 80, 160, 250, 250, 250, 250].map(ms);
    assert_eq!(waits(plain(), 1), expected);
}

#[test]
fn a_multiplier_of_one_keeps_the_wait() {
    assert_eq!(waits(Policy::constant(ms(70)).unwrap(), 1), [ms(70); 9]);
}

#[test]
fn the_multiplier_is_the_policys() {
    let policy = plain().backoff(ms(1), ms(30_000)).backoff_multiplier(10.0);
    assert_eq!(waits(policy, 1)[..5], [1, 10, 100, 1_000, 10_000].map(ms));
}

#[test]
fn jittered_waits_stay_in_their_range_and_are_spread_over_it() {
    let capped = [10, 20, 40, 80, 160, 250, 250, 250, 250].map(ms);
    for (jitter, lowest) in [(Jitter::Full, 0), (Jitter::Equal, 2)] {
        let mut thirds = [0; 3];
        for seed in 0..200 {
            for (wait, top) in waits(plain().jitter(jitter), seed).into_iter().zip(capped) {
                let low = if lowest == 0 { Duration::ZERO } else { top / lowest };
                assert!((low..=top).contains(&wait), "{jitter} {wait:?} of {top:?}");
                let place = (wait - low).as_nanos() * 3 / ((top - low).as_nanos() + 1);
                thirds[usize::try_from(place).unwrap()] += 1;
            }
        }
        assert!(thirds.iter().all(|&third| third > 500), "{jitter}: {thirds:?}");
    }
}

#[test]
fn decorrelated_waits_grow_from_the_wait_before() {
    for seed in 0..200 {
        let mut before = ms(10);
        for wait in waits(plain().jitter(Jitter::Decorrelated), seed) {
            assert!((ms(10)..=(before * 3).min(ms(250))).contains(&wait), "{before:?} then {wait:?}");
            before = wait;
        }
    }
}

#[test]
fn one_seed_gives_the_same_waits_again_and_another_one_others() {
    let policy = || plain().jitter(Jitter::Full);
    assert_eq!(waits(policy(), 5), waits(policy(), 5));
    assert_ne!(waits(policy(), 5), waits(policy(), 6));
}

#[test]
fn executors_without_a_seed_do_not_march_in_step() {
    let waits = || {
        let time = VirtualTime::new();
        let policy = Policy::new().max_attempts(5);
        let builder = Executor::builder().clock(time.clone()).sleeper(time.clone()).policy(KEY, policy);
        let executor = builder.build().unwrap();
        let operation = Script::<u32>::fails(5).on(&time);
        assert!(time.run(executor.run(KEY, |attempt| operation.call(attempt))).is_err());
        time.sleeps()
    };
    assert_ne!(waits(), waits());
}

#[test]
fn max_attempts_counts_the_first_one() {
    for attempts in 1..=10 {
        let stage = Stage::new(plain().max_attempts(attempts));
        let played = stage.play(Script::<u32>::fails(99));
        assert_eq!(played.operation.count(), attempts as usize);
        expect(&played.timeline).stop("attempts_exhausted");
        assert_eq!(played.error().attempts(), attempts);
    }
}

#[test]
fn the_last_attempt_may_succeed() {
    let stage = Stage::new(plain());
    let played = stage.play(Script::fails(2).then_ok(7));
    assert_eq!(played.result.unwrap(), 7);
    expect(&played.timeline)
        .success()
        .endings(["failed", "failed", "won"])
        .indices([(0, 0), (1, 0), (2, 0)])
        .starts([ms(0), ms(10), ms(30)])
        .took(ms(30))
        .well_formed();
}

#[test]
fn a_wait_counts_from_the_end_of_the_attempt() {
    let stage = Stage::new(plain());
    let played = stage.play(Script::fails(1).takes(ms(35)).then_ok(7).takes(ms(5)));
    expect(&played.timeline).starts([ms(0), ms(45)]).durations([ms(35), ms(5)]).took(ms(50));
}

#[test]
fn an_attempt_that_times_out_is_tried_again() {
    let stage = Stage::new(plain().timeout_per_attempt(ms(30)));
    let played = stage.play(Script::never().then_ok(7).takes(ms(29)));
    assert_eq!(played.result.unwrap(), 7);
    expect(&played.timeline)
        .endings(["timed_out", "won"])
        .reasons(["context_deadline_exceeded", "success"])
        .durations([ms(30), ms(29)]);
    assert_eq!(played.operation.dropped(), 1, "the first one is dropped when its time is over");
}

#[test]
fn the_operation_sees_which_attempt_it_is_run_for() {
    let stage = Stage::new(plain().id("p-7").timeout_per_attempt(ms(60)).overall_timeout(ms(100)));
    let played = stage.play(Script::<u32>::fails(3).takes(ms(25)));
    let seen: Vec<_> = played.operation.calls().into_iter().map(|a| (a.index(), a.time_left())).collect();
    assert_eq!(seen, [(0, Some(ms(60))), (1, Some(ms(60))), (2, Some(ms(20)))]);
    assert!(played.operation.calls().iter().all(|a| a.policy_id() == "p-7" && !a.is_hedge()));
    expect(&played.timeline).policy_id("p-7").stop("overall_timeout").took(ms(100));
}

#[test]
fn calls_of_one_executor_do_not_share_their_progress() {
    let stage = Stage::new(plain().max_attempts(2));
    for round in 0..3 {
        let played = stage.play(Script::<u32>::fails(9));
        expect(&played.timeline).indices([(0, 0), (1, 0)]).backoffs([ms(10)]);
        assert_eq!(played.timeline.start, Moment::ZERO + ms(10) * round);
    }
    stage.observer.assert_one_end_per_start();
}
