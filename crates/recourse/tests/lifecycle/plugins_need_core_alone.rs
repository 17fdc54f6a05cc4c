//! The crate `business-hours` names `recourse-core` and nothing else, and its five plugins work in an executor.

use crate::scene::{KEY, Scene, built, ms, plain};
use business_hours::{BusinessHours, ByTheDoor, HalfPatience, Ledger, ShopClosed, Unhurried};
use recourse::{Ending, Executor, Policy};
use recourse_test::{Script, ScriptedOperation, expect};

struct Shop {
    scene: Scene,
    hours: BusinessHours,
    ledger: Ledger,
    executor: Executor,
}

fn shop() -> Shop {
    let scene = Scene::new();
    let (hours, ledger) = (BusinessHours::default(), Ledger::default());
    let policy: Policy = plain()
        .classifier("by_the_door")
        .retry_budget("hours")
        .hedge_budget("hours")
        .hedge_trigger("half_patience")
        .hedge_after(ms(40));
    let builder = scene
        .builder()
        .classifier("by_the_door", ByTheDoor)
        .budget("hours", hours.clone())
        .hedge_trigger("half_patience", HalfPatience)
        .observer(ledger.clone())
        .sleeper(Unhurried::new(3, scene.time.clone()));
    let executor = built(builder.policy(KEY, policy));
    Shop { scene, hours, ledger, executor }
}

fn run(shop: &Shop, operation: &ScriptedOperation<u32, ShopClosed>) -> Option<ShopClosed> {
    let ended = shop.scene.time.run(shop.executor.run(KEY, |attempt| operation.call(attempt)));
    assert_eq!(shop.hours.customers(), 0);
    ended.err().and_then(recourse::Error::into_inner)
}

#[test]
fn the_classifier_and_the_sleeper_decide_how_long_a_closed_shop_is_waited_for() {
    let shop = shop();
    let closed = ShopClosed { opens_in: Some(ms(700)) };
    let operation = Script::new().then_err(closed).then_ok(7).on(&shop.scene.time);
    assert_eq!(run(&shop, &operation), None);
    assert_eq!(shop.scene.time.sleeps(), [ms(2_100)]);
    expect(&shop.scene.observer.last_timeline()).success().reasons(["closed_for_now", "success"]);
    assert_eq!((shop.ledger.served(), shop.ledger.lost()), (1, 0));
}

#[test]
fn a_shop_that_closed_for_good_is_not_tried_again() {
    let shop = shop();
    let closed = ShopClosed { opens_in: None };
    let operation = Script::new().then_err(closed).on(&shop.scene.time);
    assert_eq!(run(&shop, &operation), Some(closed));
    expect(&shop.scene.observer.last_timeline()).stop("non_retryable").reasons(["closed_for_good"]);
    assert_eq!((shop.ledger.served(), shop.ledger.lost()), (0, 1));
}

#[test]
fn the_trigger_hedges_and_the_budget_forbids_it_in_business_hours() {
    for open in [false, true] {
        let shop = shop();
        shop.hours.set_open(open);
        let operation = Script::new().then_ok(7).takes(ms(900)).then_ok(8).takes(ms(5)).on(&shop.scene.time);
        assert_eq!(run(&shop, &operation), None);
        let endings = if open { [Ending::Won, Ending::Denied] } else { [Ending::Superseded, Ending::Won] };
        let timeline = shop.scene.observer.last_timeline();
        expect(&timeline).success().endings(endings).well_formed();
        if open {
            expect(&timeline).budget_reasons(["allowed", "business_hours"]);
        }
    }
}

#[test]
fn an_error_that_the_classifier_does_not_know_is_a_configuration_error() {
    let shop = shop();
    let call =
        shop.executor.call(KEY).run_captured(|_| async { Err::<u32, _>(std::io::Error::other("lost")) });
    let (result, timeline) = shop.scene.time.run(call);
    assert!(result.is_err());
    expect(&timeline).stop("non_retryable").reasons(["classifier_type_mismatch"]);
    let notes = &timeline.attempts()[0].outcome.attributes;
    assert_eq!(
        (notes.get("expected_type"), notes.get("got_type")),
        (Some("ShopClosed"), Some("std::io::error::Error"))
    );
}

#[test]
fn the_manifest_names_core_and_nothing_else() {
    let manifest = include_str!("../plugin-crate/Cargo.toml");
    let after = manifest.split("[dependencies]").nth(1).unwrap_or_default();
    let section = after.split("\n[").next().unwrap_or_default();
    let names: Vec<_> = section.lines().filter(|line| !line.trim().is_empty()).collect();
    assert_eq!(names, ["recourse-core.workspace = true"]);
    assert!(!manifest.contains("dev-dependencies") && !manifest.contains("build-dependencies"));
}
