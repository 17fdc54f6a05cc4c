//! A breaker that shows that its circuit is closed is not asked, and told only what counts; one that shows nothing always is.

use crate::scene::{KEY, Scene, built, ms, plain};
use crate::showing::{Showing, Told, each_shape, later, one_shape};
use recourse::budget::TokenBucket;
use recourse::{Executor, Health, Policy, StopReason, SystemClock};
use recourse_test::Script;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What stands beside the breaker in a policy.
fn policies() -> Vec<Policy> {
    let plain = plain();
    vec![
        plain.clone().max_attempts(1),
        plain.clone(),
        plain.clone().hedge_after(ms(10)).max_hedges(2),
        plain.clone().hedge_trigger("p95"),
        plain.clone().timeout_per_attempt(ms(50)).overall_timeout(ms(90)),
        plain.retry_budget("bucket"),
    ]
}

/// Executors with each policy: observed, unobserved, and on a clock of our own.
fn executors(scene: &Scene, breaker: &Showing) -> Vec<Executor> {
    let builders = || [scene.builder(), scene.unwatched(), scene.unwatched().clock(SystemClock)];
    let with = |policy: &Policy| {
        builders().map(|builder| {
            let bucket = TokenBucket::new(5, 10.0).expect("a bucket");
            let builder = builder.circuit_breaker("b", breaker.clone()).budget("bucket", bucket);
            built(builder.policy(KEY, policy.clone().circuit_breaker("b")))
        })
    };
    policies().iter().flat_map(with).collect()
}

/// One executor, observed.
fn with(scene: &Scene, policy: Policy, breaker: &Showing) -> Executor {
    built(scene.builder().circuit_breaker("b", breaker.clone()).policy(KEY, policy.circuit_breaker("b")))
}

#[test]
fn a_healthy_one_is_neither_asked_nor_told_of_successes() {
    let (scene, breaker) = (Scene::new(), Showing::default());
    breaker.glance.show_healthy(7);
    for executor in executors(&scene, &breaker) {
        each_shape(&scene.time, &executor, &|| {});
    }
    assert_eq!(breaker.told(), []);
}

#[test]
fn one_that_counts_successes_hears_of_them_with_the_generation_of_their_admission() {
    let (scene, breaker) = (Scene::new(), Showing::default());
    for executor in executors(&scene, &breaker) {
        breaker.glance.show_closed(7);
        let shapes = each_shape(&scene.time, &executor, &|| {});
        assert_eq!(breaker.told(), vec![Told::Reported(7, Health::Up); shapes]);
        // What is shown when it ends says whether it is told, and not of which generation it is.
        for inside in [Some(8), None] {
            let moves = || match inside {
                Some(generation) => breaker.glance.show_closed(generation),
                None => breaker.glance.show_nothing(),
            };
            for shape in 0..shapes {
                breaker.glance.show_healthy(7);
                one_shape(shape, &scene.time, &executor, &moves);
                assert_eq!(breaker.told(), [Told::Reported(7, Health::Up)], "{inside:?}");
            }
        }
    }
}

#[test]
fn a_success_that_ends_as_a_healthy_one_is_shown_goes_untold_however_it_was_admitted() {
    let (scene, breaker) = (Scene::new(), Showing::default());
    for executor in executors(&scene, &breaker) {
        for shape in 0..each_shape(&scene.time, &executor, &|| {}) {
            breaker.glance.show_nothing();
            breaker.told();
            let closes = || breaker.glance.show_healthy(8);
            one_shape(shape, &scene.time, &executor, &closes);
            assert_eq!(breaker.told(), [Told::Asked]);
        }
    }
}

#[test]
fn one_that_shows_nothing_or_has_no_glance_is_asked_every_time() {
    let scene = Scene::new();
    for breaker in [Showing::default(), Showing::without_a_glance()] {
        breaker.glance.show_healthy(7);
        let executors = executors(&scene, &breaker);
        breaker.glance.show_nothing();
        for executor in executors {
            let shapes = each_shape(&scene.time, &executor, &|| {});
            assert_eq!(breaker.told(), [Told::Asked, Told::Reported(99, Health::Up)].repeat(shapes));
        }
    }
    let blind = Showing::without_a_glance();
    blind.glance.show_healthy(7);
    let executor = with(&scene, plain(), &blind);
    let shapes = each_shape(&scene.time, &executor, &|| {});
    assert_eq!(blind.told(), [Told::Asked, Told::Reported(99, Health::Up)].repeat(shapes));
}

#[test]
fn every_failure_is_told_and_retries_look_again() {
    let (scene, breaker) = (Scene::new(), Showing::default());
    breaker.glance.show_healthy(7);
    let executor = with(&scene, plain(), &breaker);
    let operation = Script::<u32>::fails(1).on(&scene.time);
    let ended = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)));
    assert_eq!(ended.unwrap_err().stop_reason(), StopReason::AttemptsExhausted);
    assert_eq!(breaker.told(), [Told::Reported(7, Health::Down); 3]);

    // A circuit that opens in the middle of a call ends its retries, and the call keeps its last real error.
    breaker.opens_after(2);
    let (result, timeline) =
        scene.time.run(executor.call(KEY).run_captured(|attempt| operation.call(attempt)));
    let error = result.unwrap_err();
    assert_eq!(
        (error.stop_reason(), error.attempts(), timeline.attempts().len()),
        (StopReason::CircuitOpen, 2, 2)
    );
    assert_eq!(error.into_inner().map(|inner| inner.number), Some(4));
    let down = Told::Reported(7, Health::Down);
    assert_eq!(breaker.told(), [down, down, Told::Asked]);
}

#[test]
fn a_call_that_is_dropped_gives_its_ticket_back() {
    let (scene, breaker) = (Scene::new(), Showing::default());
    for executor in executors(&scene, &breaker) {
        breaker.glance.show_healthy(7);
        let operation = Script::<u32>::never().on(&scene.time);
        let mut call = scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
        assert!(call.poll_times(1).is_pending());
        breaker.glance.show_healthy(8);
        drop(call);
        assert_eq!((breaker.told(), operation.in_flight()), (vec![Told::Abandoned(7)], 0));
    }
}

#[test]
fn hedges_look_as_well_and_the_lost_ones_are_given_back() {
    let (scene, breaker) = (Scene::new(), Showing::default());
    let executor = with(&scene, plain().hedge_after(ms(10)).max_hedges(1), &breaker);
    for (show, told) in
        [(true, vec![Told::Abandoned(7)]), (false, vec![Told::Reported(7, Health::Up), Told::Abandoned(7)])]
    {
        match show {
            true => breaker.glance.show_healthy(7),
            false => breaker.glance.show_closed(7),
        }
        let operation = Script::never().then_ok(7).takes(ms(5)).on(&scene.time);
        assert_eq!(scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).ok(), Some(7));
        assert_eq!((breaker.told(), operation.count()), (told, 2));
    }
}

#[test]
fn an_operation_that_panics_leaves_nothing_behind() {
    let (scene, breaker) = (Scene::new(), Showing::default());
    breaker.glance.show_closed(7);
    for executor in executors(&scene, &breaker) {
        // The first call of a key finds its plan another way than the others.
        for pending in [0, 1, 0] {
            let call = executor.run(KEY, |_| async move {
                let _ = later(pending).await;
                if true { panic!("the operation") } else { later(0).await }
            });
            assert!(catch_unwind(AssertUnwindSafe(|| scene.time.run(call))).is_err());
            assert_eq!(breaker.told(), [Told::Reported(7, Health::None)]);
        }
        let shapes = each_shape(&scene.time, &executor, &|| {});
        assert_eq!(breaker.told(), vec![Told::Reported(7, Health::Up); shapes]);
    }
}
