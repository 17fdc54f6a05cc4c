//! Two or three threads on one breaker, which look before they ask and before they tell of a success, as calls do.

use crate::interleavings::{COOLDOWN, Shared, ask, at, model, one, rejected, report, together, vote};
use loom::thread;
use recourse_circuit::{ConsecutiveFailures, FailureRatio, Recovery};
use recourse_core::{CircuitMode, CircuitState, CircuitStatus, Glance, Health, Now, Ticket, Transition};
use std::sync::Arc;

/// A breaker and where it shows what it would answer.
#[derive(Clone)]
struct Looked(Shared, Arc<Glance>);

impl Looked {
    fn at(breaker: Shared) -> Self {
        let glance = breaker.glance().expect("built-in ones give it away");
        Looked(breaker, glance)
    }

    /// Opens at so many failures in a row.
    fn row(threshold: u32) -> Self {
        Looked::at(one(ConsecutiveFailures::new().build(), threshold))
    }

    /// The ticket of an attempt that needn't ask.
    fn shown(&self) -> Option<Ticket> {
        let shown = self.1.look();
        shown.admits().then(|| Ticket::normal(shown.generation()))
    }

    fn ticket(&self, millis: u64) -> Option<Ticket> {
        self.shown().or_else(|| ask(&self.0, millis).map(|(ticket, _)| ticket))
    }

    fn end(&self, ticket: Ticket, millis: u64, health: Health) -> Option<Transition> {
        match health == Health::Up && self.1.look().ignores_success() {
            true => None,
            false => report(&self.0, ticket, millis, health),
        }
    }

    fn vote(&self, millis: u64, health: Health) -> Option<Transition> {
        self.end(self.ticket(millis)?, millis, health)
    }

    fn status(&self, millis: u64) -> CircuitStatus {
        self.0.status(&Now::at(at(millis)))
    }
}

#[test]
fn failures_that_were_admitted_at_a_glance_open_once_and_are_all_counted() {
    model(|| {
        let looked = Looked::row(2);
        let tasks: Vec<Box<dyn FnOnce() -> Option<Transition> + Send>> = (0..2)
            .map(|_| {
                let looked = looked.clone();
                Box::new(move || looked.vote(0, Health::Down)) as _
            })
            .collect();
        let told = together(tasks).into_iter().flatten().count();
        assert_eq!((told, looked.status(0).state, looked.shown()), (1, CircuitState::Open, None));
    });
}

#[test]
fn a_success_at_a_glance_that_races_with_a_failure_comes_before_or_after_it() {
    // The success, or the failure before it, was told by the thread itself: it may not be left untold.
    for early in [true, false] {
        model(move || {
            let looked = Looked::row(2);
            let ticket = looked.ticket(0).filter(|_| early);
            looked.vote(0, Health::Down);
            let other = looked.clone();
            let good = thread::spawn(move || match ticket {
                Some(ticket) => other.end(ticket, 0, Health::Up),
                None => other.vote(0, Health::Up),
            });
            let opened = looked.vote(0, Health::Down).is_some();
            assert_eq!(good.join().expect("no panic"), None);
            let status = looked.status(0);
            match opened {
                true => assert_eq!((status.state, looked.shown()), (CircuitState::Open, None)),
                false => assert_eq!((status.state, status.failed), (CircuitState::Closed, 1)),
            }
        });
    }
}

#[test]
fn a_failure_that_was_told_is_forgotten_by_a_success_that_began_before_it() {
    model(|| {
        let looked = Looked::row(2);
        let (early, other) = (looked.shown().expect("closed"), looked.clone());
        let bad = thread::spawn(move || other.vote(0, Health::Down));
        let late = looked.shown().expect("one failure doesn't open it");
        assert_eq!(bad.join().expect("no panic"), None);
        for ticket in [early, late] {
            looked.end(ticket, 0, Health::Up);
            assert_eq!(looked.status(0).failed, 0, "the success went untold");
            assert_eq!(looked.vote(0, Health::Down), None);
        }
    });
}

#[test]
fn whoever_has_heard_of_a_trip_sees_nothing_shown() {
    model(|| {
        let looked = Looked::row(1);
        let other = looked.clone();
        let trips = thread::spawn(move || {
            let told = other.vote(10, Health::Down).is_some();
            (told, other.shown())
        });
        // By its state, by a rejection, or from the thread that has tripped it.
        if looked.0.state() == CircuitState::Open {
            assert_eq!(looked.shown(), None, "it was open already");
        }
        if rejected(&looked.0, 10).is_some() {
            assert_eq!(looked.shown(), None, "it has rejected already");
        }
        assert_eq!(trips.join().expect("no panic"), (true, None));
        assert_eq!(looked.shown(), None);
    });
}

#[test]
fn a_result_that_was_admitted_at_a_glance_moves_nothing_after_the_trip() {
    for health in [Health::Up, Health::Down] {
        model(move || {
            let looked = Looked::row(1);
            let (late, other) = (looked.shown().expect("closed"), looked.clone());
            let ends = thread::spawn(move || other.end(late, 1_000, health));
            let tripped = looked.vote(0, Health::Down).is_some();
            if tripped && looked.vote(1_000, Health::Up).is_some() {
                // It has closed again, and the old result says nothing of how the other side is now.
                assert_eq!(ends.join().expect("no panic"), None);
                let status = looked.status(1_000);
                assert_eq!((status.state, status.failed), (CircuitState::Closed, 0));
                assert!(looked.1.look().ignores_success());
            } else {
                let opened = ends.join().expect("no panic").is_some();
                assert_ne!(tripped, opened, "it opens once");
            }
        });
    }
}

#[test]
fn a_vote_at_the_glance_of_a_circuit_that_has_just_closed_is_counted() {
    for by_probe in [true, false] {
        model(move || {
            let kind = FailureRatio::over_attempts(8).minimum_attempts(1).recovery(Recovery::fixed()).build();
            let looked = Looked::at(one(kind, 1));
            vote(&looked.0, 0, Health::Down);
            let probe = by_probe.then(|| looked.ticket(1_000).expect("the cooldown is over"));
            let other = looked.clone();
            let votes = thread::spawn(move || {
                let admitted = other.shown();
                admitted.map(|ticket| other.end(ticket, 1_000, Health::Up)).is_some()
            });
            match probe {
                Some(probe) => assert!(looked.end(probe, 1_000, Health::Up).is_some()),
                None => assert!(looked.0.set_mode(CircuitMode::ForcedClosed)),
            }
            let voted = votes.join().expect("no panic");
            assert_eq!(looked.status(1_000).counted, u64::from(voted));
        });
    }
}

#[test]
fn a_window_counts_every_success_that_was_admitted_at_a_glance() {
    model(|| {
        let window = FailureRatio::over_time(COOLDOWN * 10).ratio(1.0).minimum_attempts(8);
        let looked = Looked::at(one(window.build(), 1));
        let other = looked.clone();
        let bad = thread::spawn(move || other.vote(5, Health::Down));
        assert_eq!(looked.vote(5, Health::Up), None);
        assert_eq!(bad.join().expect("no panic"), None);
        assert_eq!((looked.status(5).counted, looked.status(5).failed), (2, 1));
    });
}

#[test]
fn a_mode_that_is_set_is_shown_to_whoever_has_heard_of_it_and_old_tickets_count_nothing() {
    model(|| {
        let looked = Looked::row(1);
        let (ticket, other) = (looked.shown().expect("closed"), looked.clone());
        let fails = thread::spawn(move || other.end(ticket, 0, Health::Down).is_some());
        looked.0.set_mode(CircuitMode::ForcedOpen);
        assert_eq!(looked.shown(), None);
        looked.0.set_mode(CircuitMode::Disabled);
        assert!(looked.1.look().admits() && looked.1.look().ignores_success());
        looked.0.set_mode(CircuitMode::Enforcing);
        // Whether it tripped the circuit before or came too late: a disabled circuit closes and forgets.
        fails.join().expect("no panic");
        assert_eq!((looked.status(0).state, looked.status(0).failed), (CircuitState::Closed, 0));
        assert!(looked.shown().is_some_and(|now| now.generation != ticket.generation));
    });
}
