//! The store of recent calls is bounded, shared between clones, and doesn't lose failures to successes.

use recourse_core::{Key, Moment, Observer, StopReason, Timeline};
use recourse_observe::Recent;

/// A call that can be told from others by when it ended.
fn call(number: u64, stop: Option<StopReason>) -> Timeline {
    let mut timeline = Timeline::new(Key::from_static("a.b"), Moment::ZERO);
    timeline.end = Moment::from_nanos(number);
    timeline.stop = stop;
    timeline
}

fn success(recent: &Recent, number: u64) {
    recent.on_success(&call(number, None));
}

fn failure(recent: &Recent, number: u64) {
    recent.on_failure(&call(number, Some(StopReason::AttemptsExhausted)));
}

fn numbers(timelines: &[Timeline]) -> Vec<u64> {
    timelines.iter().map(|timeline| timeline.end.as_nanos()).collect()
}

#[test]
fn the_oldest_call_makes_room_for_the_newest() {
    let recent = Recent::new(3).unwrap();
    for number in 0..5 {
        success(&recent, number);
    }
    assert_eq!(numbers(&recent.timelines()), [2, 3, 4]);
    assert_eq!(recent.timelines()[2], call(4, None));
    assert_eq!(recent.capacity(), 3);
}

#[test]
fn successes_do_not_push_out_a_failure() {
    let recent = Recent::new(2).unwrap();
    failure(&recent, 0);
    for number in 1..100 {
        success(&recent, number);
    }
    assert_eq!(numbers(&recent.timelines()), [98, 99]);
    assert_eq!(numbers(&recent.failures()), [0]);
    for number in 100..103 {
        failure(&recent, number);
    }
    assert_eq!(numbers(&recent.failures()), [101, 102]);
}

#[test]
fn an_accepted_error_is_no_failure() {
    let recent = Recent::new(2).unwrap();
    recent.on_success(&call(7, Some(StopReason::Accepted)));
    assert_eq!(numbers(&recent.timelines()), [7]);
    assert_eq!(numbers(&recent.failures()), []);
}

#[test]
fn a_clone_shows_and_fills_the_same_store() {
    let recent = Recent::new(8).unwrap();
    let page = recent.clone();
    failure(&recent, 1);
    success(&page, 2);
    assert_eq!(numbers(&page.timelines()), numbers(&recent.timelines()));
    recent.clear();
    assert_eq!((page.timelines(), page.failures()), (vec![], vec![]));
}

#[test]
fn the_bound_holds_when_many_threads_tell_at_once() {
    let recent = Recent::new(10).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let recent = recent.clone();
            scope.spawn(move || {
                for number in 0..200 {
                    failure(&recent, thread * 200 + number);
                }
            });
        }
    });
    assert_eq!((recent.timelines().len(), recent.failures().len()), (10, 10));
}

#[test]
fn a_large_capacity_takes_no_memory_before_it_is_filled() {
    let recent = Recent::new(usize::MAX).unwrap();
    success(&recent, 1);
    assert_eq!(numbers(&recent.timelines()), [1]);
}

#[test]
fn a_capacity_of_zero_is_refused() {
    let error = Recent::new(0).unwrap_err();
    assert_eq!(error.to_string(), "capacity = 0 is not allowed: at least 1");
}
