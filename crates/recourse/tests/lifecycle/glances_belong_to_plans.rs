//! A plan keeps the glance of its breaker, and asks for it when it is made.

use crate::scene::{KEY, Scene, built, ms, plain};
use crate::showing::{Showing, Told, each_shape};
use recourse::circuit::consecutive_failures;
use recourse::{Component, Health, Key, StaticProvider, SystemClock};
use recourse_test::Script;
use std::panic::{AssertUnwindSafe, catch_unwind};

#[test]
fn a_breaker_that_was_replaced_is_no_longer_looked_at() {
    let (scene, before, after) = (Scene::new(), Showing::default(), Showing::default());
    let policy = plain().circuit_breaker("b");
    let executor = built(scene.builder().circuit_breaker("b", before.clone()).policy(KEY, policy));
    before.glance.show_healthy(7);
    each_shape(&scene.time, &executor, &|| {});
    executor.circuit_breakers().replace("b", after.clone()).expect("it is there");
    let shapes = each_shape(&scene.time, &executor, &|| {});
    assert_eq!(before.told(), []);
    assert_eq!(after.told(), [Told::Asked, Told::Reported(99, Health::Up)].repeat(shapes));
    executor.circuit_breakers().replace("b", consecutive_failures).expect("it is there");
    each_shape(&scene.time, &executor, &|| {});
    assert_eq!((before.told(), after.told()), (vec![], vec![]));
}

#[test]
fn a_breaker_that_has_new_settings_is_looked_at_as_before() {
    let (scene, breaker, policies) = (Scene::new(), Showing::default(), StaticProvider::new());
    let builder = scene.builder().circuit_breaker("b", breaker.clone()).provider(policies.clone());
    let executor = built(builder);
    for threshold in 1..8 {
        policies.set(Key::from_static(KEY), plain().circuit(threshold, ms(1_000)).circuit_breaker("b"));
        breaker.glance.show_closed(7);
        let shapes = each_shape(&scene.time, &executor, &|| {});
        assert_eq!(breaker.told(), vec![Told::Reported(7, Health::Up); shapes]);
        breaker.glance.show_healthy(7);
        each_shape(&scene.time, &executor, &|| {});
        assert_eq!(breaker.told(), []);
    }
}

#[test]
fn one_that_panics_when_asked_for_its_glance_is_asked_and_told_all_the_same() {
    let (scene, breaker) = (Scene::new(), Showing::that_panics_when_asked_for_it());
    breaker.glance.show_healthy(7);
    let policy = plain().circuit_breaker("b");
    let builder = || scene.builder().circuit_breaker("b", breaker.clone()).policy(KEY, policy.clone());
    let executor = built(builder());
    let shapes = each_shape(&scene.time, &executor, &|| {});
    assert_eq!(breaker.told(), [Told::Asked, Told::Reported(99, Health::Up)].repeat(shapes));
    // A plan that a panic had a part in is not kept, so every call asks for it again.
    assert_eq!(executor.plugin_panics().count(Component::Breaker), shapes as u64);

    // With recovery off it unwinds to each caller, before anything has begun.
    let executor = built(builder().recover_panics(false));
    for _ in 0..2 {
        let operation = Script::ok(7).on(&scene.time);
        let call = executor.run(KEY, |attempt| operation.call(attempt));
        let panic = catch_unwind(AssertUnwindSafe(|| scene.time.run(call))).expect_err("it unwinds");
        assert_eq!(panic.downcast_ref(), Some(&"asked for a glance"));
        assert_eq!((operation.count(), breaker.told()), (0, vec![]));
    }
}

#[test]
fn one_that_is_looked_at_and_panics_when_told_is_fenced_as_others_are() {
    let (scene, breaker) = (Scene::new(), Showing::that_panics_when_told());
    breaker.glance.show_closed(7);
    let builders = [scene.builder(), scene.unwatched(), scene.unwatched().clock(SystemClock)];
    for builder in builders {
        let policy = plain().circuit_breaker("b");
        let executor = built(builder.circuit_breaker("b", breaker.clone()).policy(KEY, policy));
        let shapes = each_shape(&scene.time, &executor, &|| {});
        assert_eq!(breaker.told(), vec![Told::Reported(7, Health::Up); shapes]);
        assert_eq!(executor.plugin_panics().count(Component::Breaker), shapes as u64);
    }
}
