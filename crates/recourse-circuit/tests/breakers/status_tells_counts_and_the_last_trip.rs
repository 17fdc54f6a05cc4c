//! State, mode, counts, probes and the last trip can be read at any time.

use crate::by_hand::{ByHand, at};
use recourse_circuit::{ConsecutiveFailures, FailureRatio, Recovery, builtin, cause};
use recourse_core::CircuitState::{Closed, HalfOpen, Open};
use recourse_core::{BreakerSettings, CircuitMode, Health, Key, Now, Transition};
use std::time::Duration;

#[test]
fn a_new_breaker_of_every_kind_is_closed_and_has_counted_nothing() {
    for (_, kind) in builtin() {
        let settings = BreakerSettings::new(5, Duration::from_secs(10));
        let status = kind.breaker(&Key::from_static("a.b"), &settings).status(&Now::at(at(0)));
        assert_eq!((status.state, status.mode), (Closed, CircuitMode::Enforcing));
        assert_eq!((status.counted, status.failed, status.slow, status.probes), (0, 0, 0, 0));
        assert_eq!(status.last_trip, None);
    }
}

#[test]
fn the_last_trip_is_remembered_when_the_circuit_has_closed() {
    let recovery = Recovery::fixed().probes(2);
    let breaker = ByHand::of(ConsecutiveFailures::new().recovery(recovery).build(), 2);
    breaker.votes(5, 2, Health::Down);
    let tripped = Transition::new(Closed, Open, cause::CONSECUTIVE_FAILURES, at(5));
    let status = breaker.status();
    assert_eq!((status.last_trip, status.counted, status.failed), (Some(tripped.clone()), 2, 2));
    let probe = breaker.ticket(2_000);
    let status = breaker.status();
    assert_eq!((status.state, status.probes, status.last_trip), (HalfOpen, 1, Some(tripped)));
    assert_eq!((status.counted, status.failed), (2, 2), "what was behind the trip");
    breaker.report(probe, 2_500, Health::Down);
    let tripped = Transition::new(HalfOpen, Open, cause::PROBE_FAILED, at(2_500));
    assert_eq!(breaker.status().last_trip, Some(tripped.clone()));
    assert_eq!(breaker.status().failed, 2, "a probe's failure is none of those behind the trip");
    breaker.vote(4_000, Health::Up);
    let status = breaker.status();
    assert_eq!((status.state, status.probes, status.last_trip), (Closed, 0, Some(tripped)));
    assert_eq!((status.counted, status.failed), (0, 0));
}

#[test]
fn a_window_over_time_tells_what_the_next_vote_will_find() {
    let breaker = ByHand::of(FailureRatio::over_time(Duration::from_secs(10)).build(), 100);
    breaker.votes(0, 10, Health::Up);
    breaker.votes(5_000, 4, Health::Down);
    let counts = |millis| {
        let status = breaker.0.status(&Now::at(at(millis)));
        (status.counted, status.failed)
    };
    assert_eq!(counts(5_000), (14, 4));
    assert_eq!(counts(10_000), (4, 4), "good ones are forgotten as well");
    assert_eq!(counts(3_600_000), (0, 0));
    breaker.vote(3_600_000, Health::Down);
    assert_eq!(counts(3_600_000), (1, 1));
}

#[test]
fn every_cause_is_in_the_table() {
    let told = cause::ALL.iter().map(|(cause, _)| *cause).collect::<Vec<_>>();
    for known in [
        cause::CONSECUTIVE_FAILURES,
        cause::FAILURE_RATIO,
        cause::SLOW_CALLS,
        cause::ABANDONED,
        cause::COOLDOWN_OVER,
        cause::PROBE_SUCCEEDED,
        cause::PROBE_FAILED,
        cause::PROBE_SLOW,
        cause::ENFORCING,
        cause::OBSERVING,
        cause::FORCED_OPEN,
        cause::FORCED_CLOSED,
        cause::DISABLED,
    ] {
        assert!(told.contains(&known));
    }
    assert_eq!(told.len(), 13);
}
