//! The worst case of `explain` is an upper bound: no call launches more attempts or takes longer.

use crate::scene::{KEY, Scene, ms, plain};
use recourse::{HedgeDecision, Jitter, Outcome, Policy, Timeline};
use recourse_test::{FixedClassifier, Script, ScriptedOperation, ScriptedTrigger, SeededRandom};

/// Runs a call and compares it with what was explained before.
#[track_caller]
fn compare(scene: &Scene, policy: Policy, judge: Outcome, operation: &ScriptedOperation<u32>) -> Timeline {
    let trigger = ScriptedTrigger::new(HedgeDecision::check_in(ms(90))).then(HedgeDecision::spawn());
    let builder =
        scene.builder().default_classifier(FixedClassifier::new(judge)).hedge_trigger("late", trigger);
    let executor = builder.policy(KEY, policy).build().unwrap();
    let explanation = executor.explain(KEY).unwrap();
    let (_, timeline) = scene.call(&executor, operation);
    let launched = u32::try_from(timeline.launched()).unwrap();
    assert!(launched <= explanation.worst_case_attempts, "{explanation}\n{timeline}");
    let worst = explanation.worst_case_duration.unwrap();
    assert!(timeline.duration() <= worst, "{:?} is longer than {worst:?}:\n{timeline}", timeline.duration());
    timeline
}

fn never(scene: &Scene) -> ScriptedOperation<u32> {
    Script::never().on(&scene.time)
}

#[test]
fn a_call_whose_attempts_all_time_out_takes_as_long_as_promised() {
    let scene = Scene::new();
    let policy = plain().timeout_per_attempt(ms(100)).max_server_delay(ms(1));
    let timeline = compare(&scene, policy.clone(), Outcome::retryable(""), &never(&scene));
    assert_eq!((timeline.launched(), timeline.duration()), (3, ms(330)));
    let executor = scene.executor(policy);
    assert_eq!(executor.explain(KEY).unwrap().worst_case_duration, Some(ms(330)));
}

#[test]
fn hedges_that_begin_late_also_end_late() {
    for hedges in 1..=3 {
        let scene = Scene::new();
        let policy = plain().max_attempts(2).timeout_per_attempt(ms(100)).max_server_delay(ms(1));
        let policy = policy.hedge_after(ms(60)).max_hedges(hedges);
        let timeline = compare(&scene, policy, Outcome::retryable(""), &never(&scene));
        assert_eq!(timeline.launched(), 2 * (1 + hedges as usize));
    }
}

#[test]
fn hedges_of_a_trigger_with_a_will_of_its_own_end_late_too() {
    let scene = Scene::new();
    let policy = plain().max_attempts(1).timeout_per_attempt(ms(100)).max_server_delay(ms(1));
    let policy = policy.hedge_trigger("late").max_hedges(2);
    compare(&scene, policy, Outcome::retryable(""), &never(&scene));
}

#[test]
fn a_server_that_asks_for_the_longest_wait_every_time_is_counted_in() {
    let scene = Scene::new();
    let policy = plain().timeout_per_attempt(ms(100)).max_server_delay(ms(4_000));
    let asking = Outcome::retryable("busy").with_backoff(ms(4_000));
    let timeline = compare(&scene, policy, asking, &never(&scene));
    assert_eq!(timeline.duration(), ms(8_300));
}

#[test]
fn the_overall_timeout_bounds_everything() {
    let scene = Scene::new();
    let policy =
        plain().timeout_per_attempt(ms(100)).overall_timeout(ms(150)).hedge_after(ms(10)).max_hedges(3);
    let timeline = compare(&scene, policy, Outcome::retryable(""), &never(&scene));
    assert_eq!(timeline.duration(), ms(150));
}

#[test]
fn unhedged_policies_of_every_shape_keep_the_promise() {
    let mut random = SeededRandom::new(5);
    for number in 0..300 {
        let scene = Scene::new();
        let jitter = Jitter::ALL[number % 4];
        let mut policy = Policy::new()
            .max_attempts(u32::try_from(random.number(1..=10)).unwrap())
            .backoff(ms(random.number(1..=50)), ms(random.number(1..=500)))
            .backoff_multiplier(1.0 + random.number(0..=90) as f64 / 10.0)
            .jitter(jitter)
            .max_server_delay(ms(random.number(1..=300)))
            .timeout_per_attempt(ms(random.number(1..=200)));
        if number % 3 == 0 {
            policy = policy.overall_timeout(ms(random.number(1..=1_000)));
        }
        let asks =
            [Outcome::retryable(""), Outcome::retryable("busy").with_backoff(policy.retry.max_server_delay)];
        let [plain, busy] = asks;
        compare(&scene, policy, if number % 2 == 0 { plain } else { busy }, &never(&scene));
    }
}
