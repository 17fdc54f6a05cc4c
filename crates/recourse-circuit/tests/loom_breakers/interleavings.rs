//! Two or three threads on one breaker.

use loom::thread;
use recourse_circuit::{Breakers, ConsecutiveFailures, FailureRatio, Recovery, SettingsError};
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerSettings, CircuitBreaker, CircuitMode, CircuitState,
    Health, ModeChange, Moment, Now, Ticket, Transition,
};
use std::sync::Arc;
use std::time::Duration;

pub(crate) const COOLDOWN: Duration = Duration::from_secs(1);

pub(crate) type Shared = Arc<dyn CircuitBreaker>;

pub(crate) fn at(millis: u64) -> Moment {
    Moment::ZERO + Duration::from_millis(millis)
}

pub(crate) fn one(kind: Result<Breakers, SettingsError>, threshold: u32) -> Shared {
    kind.and_then(|kind| kind.one(BreakerSettings::new(threshold, COOLDOWN))).expect("in range")
}

pub(crate) fn ask(breaker: &Shared, millis: u64) -> Option<(Ticket, Option<Transition>)> {
    match breaker.admit(&AdmissionRequest::new(AttemptKind::Retry, Now::at(at(millis)))) {
        Admission::Admitted(ticket, moved) => Some((ticket, moved)),
        _ => None,
    }
}

/// Who rejects a primary that asks then: an open circuit, or one whose probes are out; `None` where it is admitted.
pub(crate) fn rejected(breaker: &Shared, millis: u64) -> Option<CircuitState> {
    match breaker.admit(&AdmissionRequest::new(AttemptKind::Retry, Now::at(at(millis)))) {
        Admission::Rejected(why) => Some(why.state),
        _ => None,
    }
}

pub(crate) fn report(breaker: &Shared, ticket: Ticket, millis: u64, health: Health) -> Option<Transition> {
    breaker.report(ticket, health, &Now::at(at(millis)))
}

pub(crate) fn vote(breaker: &Shared, millis: u64, health: Health) -> Option<Transition> {
    let (ticket, _) = ask(breaker, millis)?;
    report(breaker, ticket, millis, health)
}

/// Explores with so many preemptions at most: all bugs known to the literature need two or three.
pub(crate) fn model(check: impl Fn() + Send + Sync + 'static) {
    recourse_model::explore_up_to(3, check);
}

/// What each of the threads gives back.
pub(crate) fn together<T: 'static>(tasks: Vec<Box<dyn FnOnce() -> T + Send>>) -> Vec<T> {
    let threads: Vec<_> = tasks.into_iter().map(|task| thread::spawn(task)).collect();
    threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
}

#[test]
fn failures_that_race_open_once_and_are_all_counted() {
    model(|| {
        let breaker = one(ConsecutiveFailures::new().build(), 2);
        let tasks: Vec<Box<dyn FnOnce() -> Option<Transition> + Send>> = (0..2)
            .map(|_| {
                let breaker = breaker.clone();
                Box::new(move || vote(&breaker, 0, Health::Down)) as _
            })
            .collect();
        let told = together(tasks).into_iter().flatten().count();
        assert_eq!((told, breaker.state()), (1, CircuitState::Open));
    });
}

#[test]
fn a_success_that_races_with_a_failure_comes_before_or_after_it() {
    model(|| {
        let breaker = one(ConsecutiveFailures::new().build(), 2);
        vote(&breaker, 0, Health::Down);
        let other = breaker.clone();
        let good = thread::spawn(move || vote(&other, 0, Health::Up));
        let opened = vote(&breaker, 0, Health::Down).is_some();
        let told = good.join().expect("no panic");
        assert_eq!(told, None);
        let failed = breaker.status(&Now::at(Moment::ZERO)).failed;
        assert!(if opened { breaker.state() == CircuitState::Open } else { failed <= 1 }, "{failed}");
    });
}

#[test]
fn one_of_the_threads_that_ask_at_once_is_the_probe() {
    model(|| {
        let breaker = one(ConsecutiveFailures::new().build(), 1);
        vote(&breaker, 0, Health::Down);
        let other = breaker.clone();
        let theirs = thread::spawn(move || ask(&other, 1_000));
        let mine = ask(&breaker, 1_000);
        let given: Vec<_> = [mine, theirs.join().expect("no panic")].into_iter().flatten().collect();
        assert_eq!(given.len(), 1);
        assert!(given[0].0.probe && given[0].1.is_some());
        assert_eq!(
            (breaker.state(), breaker.status(&Now::at(Moment::ZERO)).probes),
            (CircuitState::HalfOpen, 1)
        );
    });
}

#[test]
fn slots_are_never_more_than_there_are_and_never_lost() {
    model(|| {
        let recovery = Recovery::fixed().probes(2).successes(9);
        let breaker = one(ConsecutiveFailures::new().recovery(recovery).build(), 1);
        vote(&breaker, 0, Health::Down);
        let held = ask(&breaker, 1_000).expect("the first probe").0;
        let (other, another) = (breaker.clone(), breaker.clone());
        // One gives its slot back while two ask.
        let gives = thread::spawn(move || report(&other, held, 1_000, Health::None));
        let asks = thread::spawn(move || ask(&another, 1_000));
        let mine = ask(&breaker, 1_000);
        assert_eq!(gives.join().expect("no panic"), None);
        let theirs = asks.join().expect("no panic");
        let out = u32::from(mine.is_some()) + u32::from(theirs.is_some());
        assert!(out >= 1, "a free slot was refused to both");
        assert_eq!(breaker.status(&Now::at(Moment::ZERO)).probes, out);
        for (ticket, _) in [mine, theirs].into_iter().flatten() {
            report(&breaker, ticket, 1_000, Health::None);
        }
        assert_eq!(breaker.status(&Now::at(Moment::ZERO)).probes, 0);
        assert!(ask(&breaker, 1_000).is_some(), "stuck");
    });
}

#[test]
fn a_lease_that_ends_as_its_probe_does_frees_one_slot() {
    model(|| {
        let recovery = Recovery::fixed().lease(Duration::from_millis(100));
        let breaker = one(ConsecutiveFailures::new().recovery(recovery).build(), 1);
        vote(&breaker, 0, Health::Down);
        let late = ask(&breaker, 1_000).expect("the probe").0;
        let other = breaker.clone();
        let ends = thread::spawn(move || report(&other, late, 1_100, Health::Up));
        let asked = ask(&breaker, 1_100).expect("the lease is over, or the circuit closed");
        let closed = ends.join().expect("no panic").is_some();
        // Either it was overtaken, and is ignored; or it wasn't, and has closed the circuit.
        assert_eq!(asked.0.probe, !closed);
        let state = if closed { CircuitState::Closed } else { CircuitState::HalfOpen };
        assert_eq!(
            (breaker.state(), breaker.status(&Now::at(Moment::ZERO)).probes),
            (state, u32::from(!closed))
        );
    });
}

#[test]
fn a_result_from_before_the_trip_never_reaches_the_circuit_that_has_closed_again() {
    for kind in [0, 1, 2] {
        model(move || {
            let (recovery, windowed) = (Recovery::fixed(), kind > 0);
            let kind = match kind {
                0 => ConsecutiveFailures::new().build(),
                1 => FailureRatio::over_attempts(4).minimum_attempts(1).recovery(recovery).build(),
                _ => FailureRatio::over_time(COOLDOWN * 60).minimum_attempts(1).recovery(recovery).build(),
            };
            let breaker = one(kind, 1);
            let late = ask(&breaker, 0).expect("closed").0;
            let other = breaker.clone();
            let reports = thread::spawn(move || report(&other, late, 1_000, Health::Up));
            vote(&breaker, 0, Health::Down);
            if vote(&breaker, 1_000, Health::Up).is_some() {
                // A good vote of its own, which the old one must not take the place of.
                vote(&breaker, 1_000, Health::Up);
                assert_eq!(reports.join().expect("no panic"), None);
                let (status, own) = (breaker.status(&Now::at(at(1_000))), u64::from(windowed));
                assert_eq!(
                    (status.state, status.counted),
                    (CircuitState::Closed, own),
                    "counted an old vote"
                );
            } else {
                // The old success came first, and one of two failed: open or not, nothing more to see.
                reports.join().expect("no panic");
            }
        });
    }
}

#[test]
fn a_vote_for_a_circuit_that_has_just_closed_is_counted() {
    for over_time in [false, true] {
        model(move || {
            let window = match over_time {
                true => FailureRatio::over_time(COOLDOWN * 10),
                false => FailureRatio::over_attempts(8),
            };
            let kind = window.minimum_attempts(1).recovery(Recovery::fixed()).build();
            let breaker = one(kind, 1);
            vote(&breaker, 0, Health::Down);
            let probe = ask(&breaker, 1_000).expect("the cooldown is over").0;
            let other = breaker.clone();
            let votes = thread::spawn(move || {
                let admitted = ask(&other, 1_000).filter(|(ticket, _)| !ticket.probe);
                admitted.map(|(ticket, _)| report(&other, ticket, 1_000, Health::Up)).is_some()
            });
            assert!(report(&breaker, probe, 1_000, Health::Up).is_some());
            let voted = votes.join().expect("no panic");
            assert_eq!(breaker.status(&Now::at(at(1_000))).counted, u64::from(voted));
        });
    }
}

#[test]
fn no_vote_of_a_window_is_lost_when_good_ones_race_with_a_bad_one() {
    for over_time in [false, true] {
        model(move || {
            let window = match over_time {
                true => FailureRatio::over_time(COOLDOWN * 10),
                false => FailureRatio::over_attempts(8),
            };
            let breaker = one(window.ratio(1.0).minimum_attempts(8).build(), 1);
            let (other, another) = (breaker.clone(), breaker.clone());
            let good = thread::spawn(move || vote(&other, 5, Health::Up));
            let bad = thread::spawn(move || vote(&another, 5, Health::Down));
            vote(&breaker, 5, Health::Up);
            let told = (good.join().expect("no panic"), bad.join().expect("no panic"));
            assert_eq!(told, (None, None));
            let status = breaker.status(&Now::at(Moment::ZERO));
            assert_eq!((status.counted, status.failed), (3, 1));
        });
    }
}

#[test]
fn a_circuit_that_is_disabled_and_enabled_again_counts_nothing_of_before() {
    model(|| {
        let kind = FailureRatio::over_attempts(4).minimum_attempts(1).build();
        let breaker = one(kind, 4);
        let tickets = [(); 2].map(|()| ask(&breaker, 0).expect("closed").0);
        let other = breaker.clone();
        let reports = thread::spawn(move || {
            report(&other, tickets[0], 0, Health::Up);
            report(&other, tickets[1], 0, Health::Down);
        });
        breaker.set_mode(CircuitMode::Disabled);
        breaker.set_mode(CircuitMode::Enforcing);
        reports.join().expect("no panic");
        assert_eq!(breaker.status(&Now::at(Moment::ZERO)).counted, 0);
    });
}

#[test]
fn whoever_has_heard_of_the_trip_is_rejected_until_the_cooldown_is_over() {
    model(|| {
        let breaker = one(ConsecutiveFailures::new().build(), 1);
        let other = breaker.clone();
        let trips = thread::spawn(move || vote(&other, 10, Health::Down).is_some());
        let early = ask(&breaker, 10);
        if early.is_none() {
            assert!(ask(&breaker, 1_009).is_none(), "open and closed again");
        }
        assert!(trips.join().expect("no panic"));
        assert!(ask(&breaker, 1_009).is_none());
        assert!(ask(&breaker, 1_010).is_some_and(|(ticket, _)| ticket.probe));
    });
}

#[test]
fn a_mode_that_is_set_as_the_circuit_trips_is_told_as_before_it_or_after_it() {
    model(|| {
        let breaker = one(ConsecutiveFailures::new().build(), 1);
        let ticket = ask(&breaker, 0).expect("closed").0;
        let other = breaker.clone();
        let trips = thread::spawn(move || report(&other, ticket, 0, Health::Down));
        let ModeChange::Set(Some(forced)) = breaker.change_mode(CircuitMode::ForcedOpen, &Now::at(at(0)))
        else {
            panic!("it has modes, and was enforcing");
        };
        // A circuit that is forced open doesn't trip, and one that has tripped was open.
        let tripped = trips.join().expect("no panic").is_some();
        let from = if tripped { CircuitState::Open } else { CircuitState::Closed };
        assert_eq!((forced.from, forced.to, breaker.state()), (from, CircuitState::Open, CircuitState::Open));
    });
}

#[test]
fn whoever_asks_beside_the_probe_is_told_that_the_circuit_is_half_open() {
    model(|| {
        let breaker = one(ConsecutiveFailures::new().build(), 1);
        vote(&breaker, 0, Health::Down);
        let other = breaker.clone();
        let theirs = thread::spawn(move || rejected(&other, 1_000));
        let told = [rejected(&breaker, 1_000), theirs.join().expect("no panic")];
        assert!(told.contains(&None) && told.contains(&Some(CircuitState::HalfOpen)), "{told:?}");
    });
}

#[test]
fn whoever_asks_after_the_open_time_of_a_trip_that_races_with_it_is_not_told_that_it_is_open() {
    model(|| {
        let breaker = one(ConsecutiveFailures::new().build(), 1);
        vote(&breaker, 0, Health::Down);
        let probe = ask(&breaker, 1_000).expect("the probe").0;
        let other = breaker.clone();
        let fails = thread::spawn(move || report(&other, probe, 5_000, Health::Down));
        // Before the trip the probe is out; after it the second is over by then.
        assert_ne!(rejected(&breaker, 7_000), Some(CircuitState::Open));
        assert!(fails.join().expect("no panic").is_some());
    });
}
