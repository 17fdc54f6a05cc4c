//! A mode overrides what the breaker does until it is set again.

use crate::by_hand::{ByHand, at};
use recourse_circuit::{ConsecutiveFailures, FailureRatio, SlowCalls, cause};
use recourse_core::CircuitMode::{Disabled, Enforcing, ForcedClosed, ForcedOpen, Observing};
use recourse_core::CircuitState::{Closed, HalfOpen, Open};
use recourse_core::{
    Admission, AttemptKind, CircuitMode, CircuitState, Health, ModeChange, Now, Rejection, Transition,
};
use std::time::Duration;

/// Each trips at the second failure of two.
fn every_kind() -> [ByHand; 4] {
    let second = Duration::from_secs(1);
    let fixed = recourse_circuit::Recovery::fixed();
    let window = |window: FailureRatio| window.minimum_attempts(2).recovery(fixed);
    [
        ConsecutiveFailures::new().build(),
        window(FailureRatio::over_attempts(10)).build(),
        window(FailureRatio::over_time(second * 60)).build(),
        SlowCalls::longer_than(second).beside(window(FailureRatio::over_attempts(10))).build(),
    ]
    .map(|kind| ByHand::of(kind, 2))
}

#[test]
fn an_observed_circuit_goes_its_way_and_rejects_nothing() {
    for breaker in every_kind() {
        assert!(breaker.0.set_mode(Observing));
        breaker.vote(0, Health::Down);
        let opens = breaker.vote(0, Health::Down).expect("told of what it would do");
        assert_eq!((opens.to, breaker.state()), (Open, Open));
        for now in 0..10 {
            let through = breaker.ticket(now);
            assert!(!through.probe);
            assert_eq!(breaker.report(through, now, Health::Up), None);
        }
        assert!(breaker.0.would_reject(&Now::at(at(0)), Duration::ZERO).is_none());
        let probe = breaker.ticket(1_000);
        let beside = breaker.ticket(1_000);
        assert_eq!((breaker.state(), breaker.status().probes), (HalfOpen, 1));
        assert!(!probe.probe && !beside.probe, "the executor would stop hedging");
        assert_eq!(breaker.report(beside, 1_000, Health::Down), None);
        let closes = Transition::new(HalfOpen, Closed, cause::PROBE_SUCCEEDED, at(1_000));
        assert_eq!(breaker.report(probe, 1_000, Health::Up), Some(closes));
        assert!(breaker.0.set_mode(Enforcing));
        assert_eq!(breaker.state(), Closed);
    }
}

#[test]
fn an_observed_circuit_that_is_open_rejects_once_it_is_enforced() {
    for breaker in every_kind() {
        breaker.0.set_mode(Observing);
        breaker.votes(0, 2, Health::Down);
        assert!(breaker.admitted(500).is_some());
        breaker.0.set_mode(Enforcing);
        assert_eq!(breaker.admitted(500), None);
        assert!(breaker.ticket(1_000).probe);
    }
}

#[test]
fn a_circuit_forced_open_rejects_for_as_long_as_it_is() {
    for breaker in every_kind() {
        breaker.vote(0, Health::Down);
        let [late, later] = [(); 2].map(|()| breaker.ticket(0));
        breaker.0.set_mode(ForcedOpen);
        let open = Rejection::new(Open, "circuit_open");
        for now in [0, 1_000, 1_000_000] {
            for kind in [AttemptKind::Retry, AttemptKind::Hedge] {
                assert_eq!(breaker.ask(kind, now), Admission::Rejected(open.clone()));
            }
            assert_eq!(breaker.0.would_reject(&Now::at(at(now)), Duration::MAX), Some(open.clone()));
        }
        assert_eq!(breaker.report(late, 0, Health::Down), None, "a forced circuit doesn't move");
        assert_eq!((breaker.state(), breaker.status().mode), (Open, ForcedOpen));
        breaker.0.set_mode(Enforcing);
        assert_eq!((breaker.state(), breaker.counts().1), (Closed, 2));
        assert!(breaker.report(later, 0, Health::Down).is_some(), "what it has counted is kept");
    }
}

#[test]
fn a_circuit_forced_closed_admits_counts_and_never_opens() {
    for breaker in every_kind() {
        breaker.votes(0, 2, Health::Down);
        breaker.0.set_mode(ForcedClosed);
        assert_eq!((breaker.state(), breaker.counts()), (Closed, (0, 0, 0)));
        breaker.votes(0, 9, Health::Down);
        assert_eq!((breaker.state(), breaker.counts()), (Closed, (9, 9, 0)));
        breaker.0.set_mode(Enforcing);
        assert_eq!(breaker.state(), Closed);
        assert!(breaker.vote(0, Health::Down).is_some());
    }
}

#[test]
fn a_disabled_circuit_admits_and_counts_nothing() {
    for breaker in every_kind() {
        breaker.vote(0, Health::Down);
        let before = breaker.ticket(0);
        breaker.0.set_mode(Disabled);
        assert_eq!((breaker.state(), breaker.counts()), (Closed, (0, 0, 0)));
        let during = breaker.ticket(0);
        breaker.votes(0, 9, Health::Down);
        breaker.votes(0, 9, Health::Up);
        assert_eq!(breaker.counts(), (0, 0, 0));
        breaker.0.set_mode(Enforcing);
        for old in [before, during] {
            breaker.report(old, 0, Health::Down);
            breaker.report(old, 0, Health::Up);
        }
        assert_eq!(breaker.counts(), (0, 0, 0), "an attempt of another time was counted");
        breaker.votes(0, 2, Health::Down);
        assert_eq!(breaker.state(), Open);
    }
}

#[test]
fn a_probe_that_was_out_when_the_circuit_was_forced_is_forgotten() {
    for mode in [ForcedOpen, ForcedClosed, Disabled] {
        for breaker in every_kind() {
            breaker.votes(0, 2, Health::Down);
            let probe = breaker.ticket(1_000);
            breaker.0.set_mode(mode);
            assert_eq!(breaker.report(probe, 1_000, Health::Down), None);
            breaker.0.set_mode(Enforcing);
            assert!(breaker.admitted(1_000).is_some(), "stuck after {mode}");
        }
    }
}

fn turn(breaker: &ByHand, mode: CircuitMode, millis: u64) -> ModeChange {
    breaker.0.change_mode(mode, &Now::at(at(millis)))
}

fn told(from: CircuitState, to: CircuitState, cause: &'static str, millis: u64) -> ModeChange {
    ModeChange::Set(Some(Transition::new(from, to, cause, at(millis))))
}

#[test]
fn a_change_of_mode_is_told_with_the_states_that_show() {
    for breaker in every_kind() {
        assert_eq!(turn(&breaker, Enforcing, 0), ModeChange::Set(None), "so it was made");
        assert_eq!(turn(&breaker, ForcedOpen, 1), told(Closed, Open, cause::FORCED_OPEN, 1));
        assert_eq!(turn(&breaker, ForcedOpen, 2), ModeChange::Set(None));
        assert_eq!(turn(&breaker, ForcedClosed, 3), told(Open, Closed, cause::FORCED_CLOSED, 3));
        assert_eq!(turn(&breaker, Disabled, 4), told(Closed, Closed, cause::DISABLED, 4));
        assert_eq!(turn(&breaker, Observing, 5), told(Closed, Closed, cause::OBSERVING, 5));
        breaker.votes(5, 2, Health::Down);
        assert_eq!(turn(&breaker, Enforcing, 6), told(Open, Open, cause::ENFORCING, 6));
        assert_eq!(turn(&breaker, Disabled, 7), told(Open, Closed, cause::DISABLED, 7));
    }
}

#[test]
fn a_mode_is_no_trip() {
    for breaker in every_kind() {
        turn(&breaker, ForcedOpen, 1);
        assert_eq!(breaker.status().last_trip, None);
    }
}

#[test]
fn what_an_observing_circuit_would_have_rejected_is_told_and_counted() {
    let breaker =
        ByHand::of(ConsecutiveFailures::new().recovery(recourse_circuit::Recovery::fixed()).build(), 1);
    breaker.0.set_mode(Observing);
    assert!(!breaker.ticket(0).observed_rejection);
    breaker.vote(0, Health::Down);
    // Open: an attempt and a hedge.
    assert!(breaker.ticket(500).observed_rejection);
    assert!(matches!(
        breaker.ask(AttemptKind::Hedge, 500),
        Admission::Admitted(ticket, _) if ticket.observed_rejection
    ));
    // Half-open: one would be the probe, and the others would not get through.
    assert_eq!([(); 3].map(|()| breaker.ticket(1_000).observed_rejection), [false, true, true]);
    assert_eq!(breaker.status().observed_rejections, 4);
    breaker.0.set_mode(Enforcing);
    assert_eq!((breaker.admitted(1_000), breaker.status().observed_rejections), (None, 4));
}
