//! A hedge trigger that is not registered: the fixed delay decides, or nothing is hedged.

use crate::scene::{KEY, Scene, ms, plain};
use recourse::{Executor, HedgeDecision, MissingTrigger, Policy};
use recourse_test::{Script, ScriptedTrigger, expect};

fn hedging() -> Policy {
    plain().hedge_trigger("slow").hedge_after(ms(40)).max_hedges(1)
}

fn executor(scene: &Scene, mode: Option<MissingTrigger>) -> Executor {
    let builder = scene.builder().policy(KEY, hedging()).late_registration();
    mode.into_iter().fold(builder, |builder, mode| builder.missing_trigger(mode)).build().unwrap()
}

#[test]
fn by_default_the_fixed_delay_decides_and_the_timeline_says_so() {
    for mode in [None, Some(MissingTrigger::Fallback)] {
        let scene = Scene::new();
        let operation = Script::ok(7).takes(ms(100)).on(&scene.time);
        let (result, timeline) = scene.call(&executor(&scene, mode), &operation);
        assert_eq!(result.unwrap(), 7);
        expect(&timeline).hedges(1).starts([ms(0), ms(40)]).attribute("trigger_not_found", "slow");
    }
}

#[test]
fn deny_launches_no_hedge_and_the_timeline_says_so() {
    let scene = Scene::new();
    let operation = Script::ok(7).takes(ms(100)).on(&scene.time);
    let (result, timeline) = scene.call(&executor(&scene, Some(MissingTrigger::Deny)), &operation);
    assert_eq!((result.unwrap(), operation.max_in_flight()), (7, 1));
    expect(&timeline).success().attempts(1).hedges(0).attribute("trigger_not_found", "slow");
    assert!(scene.observer.hedge_spawns().is_empty());
}

#[test]
fn a_trigger_that_is_there_decides_and_nothing_is_said() {
    let scene = Scene::new();
    let trigger = ScriptedTrigger::new(HedgeDecision::never());
    let builder = scene.builder().policy(KEY, hedging()).hedge_trigger("slow", trigger.clone());
    let operation = Script::ok(7).takes(ms(100)).on(&scene.time);
    let (_, timeline) = scene.call(&builder.build().unwrap(), &operation);
    expect(&timeline).hedges(0).no_attribute("trigger_not_found");
    assert_eq!(trigger.states().len(), 1);
}

#[test]
fn without_a_name_the_fixed_delay_decides_and_nothing_is_missing() {
    let scene = Scene::new();
    let builder = scene.builder().missing_trigger(MissingTrigger::Deny);
    let executor = builder.policy(KEY, plain().hedge_after(ms(40)).max_hedges(1)).build().unwrap();
    let operation = Script::ok(7).takes(ms(100)).on(&scene.time);
    let (_, timeline) = scene.call(&executor, &operation);
    expect(&timeline).starts([ms(0), ms(40)]).no_attribute("trigger_not_found");
}

#[test]
fn a_trigger_of_a_policy_that_does_not_hedge_is_not_missed() {
    let scene = Scene::new();
    let mut policy = hedging();
    policy.hedge.enabled = false;
    let executor = scene.builder().policy(KEY, policy).late_registration().build().unwrap();
    let (_, timeline) = scene.call(&executor, &scene.fine());
    expect(&timeline).no_attribute("trigger_not_found");
}

#[test]
fn one_that_is_registered_later_decides_in_the_next_call() {
    let scene = Scene::new();
    let executor = executor(&scene, Some(MissingTrigger::Deny));
    let operation = Script::ok(7).all_take(ms(100)).on(&scene.time);
    expect(&scene.call(&executor, &operation).1).hedges(0);
    executor.hedge_triggers().register("slow", ScriptedTrigger::new(HedgeDecision::spawn())).unwrap();
    expect(&scene.call(&executor, &operation).1).hedges(1).no_attribute("trigger_not_found");
    executor.hedge_triggers().remove("slow").unwrap();
    expect(&scene.call(&executor, &operation).1).hedges(0).attribute("trigger_not_found", "slow");
}
