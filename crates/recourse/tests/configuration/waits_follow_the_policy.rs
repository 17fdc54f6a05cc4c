//! Backoff and jitter as a caller meets them: cap first, jitter after, inside its range, and no two clients in step.

use crate::scene::{KEY, Scene, ms};
use recourse::{Executor, Jitter, Policy};
use recourse_test::{SeededRandom, expect};
use std::time::Duration;

/// 100 ms, 200 ms, then the cap of 250 ms.
fn policy(jitter: Jitter) -> Policy {
    Policy::new().max_attempts(4).backoff(ms(100), ms(250)).jitter(jitter)
}

/// The waits of many calls, each as the three waits of one call.
fn waits(policy: Policy) -> Vec<[Duration; 3]> {
    let scene = Scene::new();
    let executor = scene.builder().policy(KEY, policy).seed(7).build().unwrap();
    let calls = (0..400).map(|_| {
        let (_, timeline) = scene.call(&executor, &scene.failing());
        [1, 2, 3].map(|attempt| timeline.attempts()[attempt].backoff)
    });
    calls.collect()
}

/// All of these lie in `[low, high]`, and they come near both ends and to the middle.
#[track_caller]
fn spread(waits: impl Iterator<Item = Duration>, low: Duration, high: Duration) {
    let waits: Vec<Duration> = waits.collect();
    let tenth = (high - low) / 10;
    let (least, most) = (*waits.iter().min().unwrap(), *waits.iter().max().unwrap());
    assert!(low <= least && most <= high, "{least:?} to {most:?} is outside {low:?} to {high:?}");
    assert!(
        least < low + tenth && most > high - tenth,
        "{least:?} to {most:?} is not all of {low:?} to {high:?}"
    );
    let mean = waits.iter().sum::<Duration>() / u32::try_from(waits.len()).unwrap();
    let middle = (low + high) / 2;
    assert!(mean.abs_diff(middle) < tenth, "the mean {mean:?} is far from {middle:?}");
}

fn nth(waits: &[[Duration; 3]], wait: usize) -> impl Iterator<Item = Duration> {
    waits.iter().map(move |waits| waits[wait])
}

#[test]
fn without_jitter_every_wait_is_the_capped_exponential() {
    assert!(waits(policy(Jitter::None)).iter().all(|waits| *waits == [100, 200, 250].map(ms)));
}

#[test]
fn full_jitter_is_uniform_from_nothing_to_the_capped_exponential() {
    let waits = waits(policy(Jitter::Full));
    for (wait, b) in [100, 200, 250].into_iter().enumerate() {
        spread(nth(&waits, wait), ms(0), ms(b));
    }
}

#[test]
fn equal_jitter_is_uniform_over_the_upper_half() {
    let waits = waits(policy(Jitter::Equal));
    for (wait, b) in [100, 200, 250].into_iter().enumerate() {
        spread(nth(&waits, wait), ms(b / 2), ms(b));
    }
}

#[test]
fn decorrelated_jitter_is_uniform_from_the_first_backoff_to_three_times_the_wait_before() {
    let wide = policy(Jitter::Decorrelated).backoff(ms(100), ms(30_000));
    let wide = waits(wide);
    spread(nth(&wide, 0), ms(100), ms(300));
    for [first, second, third] in wide {
        assert!((ms(100)..=3 * first).contains(&second), "{second:?} after {first:?}");
        assert!((ms(100)..=3 * second).contains(&third), "{third:?} after {second:?}");
    }
    let capped = waits(policy(Jitter::Decorrelated));
    assert!(capped.iter().flatten().all(|wait| (ms(100)..=ms(250)).contains(wait)));
}

#[test]
fn a_policy_that_says_nothing_of_jitter_is_jittered_in_full() {
    let waits = waits(Policy::new().max_attempts(4).backoff(ms(100), ms(250)));
    spread(nth(&waits, 0), ms(0), ms(100));
}

#[test]
fn a_multiplier_of_one_waits_the_same_and_of_ten_meets_the_cap_at_once() {
    for (multiplier, wanted) in [(1.0, [100, 100, 100]), (1.5, [100, 150, 225]), (10.0, [100, 250, 250])] {
        let scene = Scene::new();
        let executor = scene.executor(policy(Jitter::None).backoff_multiplier(multiplier));
        expect(&scene.call(&executor, &scene.failing()).1).backoffs(wanted.map(ms));
    }
}

#[test]
fn the_steepest_policy_overflows_at_no_attempt() {
    let scene = Scene::new();
    let policy = Policy::new().max_attempts(10).backoff(ms(30_000), ms(30_000)).backoff_multiplier(10.0);
    let executor = scene.executor(policy.jitter(Jitter::None));
    expect(&scene.call(&executor, &scene.failing()).1).backoffs([ms(30_000); 9]).took(ms(270_000));
}

#[test]
fn whatever_the_policy_no_wait_is_longer_than_its_cap() {
    let mut random = SeededRandom::new(11);
    for jitter in Jitter::ALL {
        for _ in 0..50 {
            let scene = Scene::new();
            let (initial, max) = (ms(random.number(1..=2_000)), ms(random.number(1..=30_000)));
            let policy = Policy::new().max_attempts(10).backoff(initial, max).jitter(jitter);
            let executor =
                scene.executor(policy.backoff_multiplier(1.0 + random.number(0..=90) as f64 / 10.0));
            let (_, timeline) = scene.call(&executor, &scene.failing());
            for record in timeline.attempts() {
                assert!(record.backoff <= max.max(initial), "{jitter}: {:?}\n{timeline}", record.backoff);
            }
        }
    }
}

#[test]
fn the_same_seed_waits_the_same_and_another_seed_does_not() {
    let waited = |builder: recourse::ExecutorBuilder| {
        let scene = Scene::new();
        let builder = builder.clock(scene.time.clone()).sleeper(scene.time.clone());
        let executor = builder.policy(KEY, policy(Jitter::Full)).build().unwrap();
        scene.call(&executor, &scene.failing()).0.unwrap_err();
        scene.time.sleeps()
    };
    let seeded = |seed| waited(Executor::builder().seed(seed));
    assert_eq!(seeded(1), seeded(1));
    assert_ne!(seeded(1), seeded(2));
    assert_ne!(waited(Executor::builder()), waited(Executor::builder()));
}

#[test]
fn a_wait_of_nothing_is_no_sleep() {
    let scene = Scene::new();
    let executor = scene.executor(Policy::new().max_attempts(10).backoff(ms(1), ms(1)));
    scene.call(&executor, &scene.failing()).0.unwrap_err();
    assert!(scene.time.sleeps().iter().all(|sleep| !sleep.is_zero()));
}
