//! Each trip in a row keeps the circuit open for twice as long, up to a cap; a while of being closed is forgiveness.

use crate::by_hand::{ByHand, at};
use recourse_circuit::{ConsecutiveFailures, Recovery};
use recourse_core::{Admission, AttemptKind, BreakerFactory, BreakerSettings, Health, Key, Now};
use std::time::Duration;

const HOUR: u64 = 3_600_000;

fn growing() -> Recovery {
    Recovery::growing(Duration::from_secs(8)).reset_after(Duration::from_secs(30)).jitter(0.0)
}

fn breaker(recovery: Recovery) -> ByHand {
    ByHand::of(ConsecutiveFailures::new().recovery(recovery).build(), 1)
}

/// How long the circuit rejects from this moment on, in milliseconds; the next probe is out afterwards.
fn open_for(breaker: &ByHand, since: u64) -> u64 {
    let open = (since..since + HOUR).find(|now| breaker.admitted(*now).is_some());
    open.expect("open for ever") - since
}

#[test]
fn failed_probes_double_the_time_up_to_the_cap() {
    let breaker = breaker(growing());
    let mut now = 0;
    breaker.vote(now, Health::Down);
    for expected in [1_000, 2_000, 4_000, 8_000, 8_000, 8_000] {
        assert!(breaker.admitted(now + expected - 1).is_none());
        now += expected;
        let moved = breaker.vote(now, Health::Down);
        assert!(moved.is_some(), "no probe after {expected}");
    }
}

#[test]
fn a_circuit_that_trips_soon_after_closing_goes_on_growing() {
    let breaker = breaker(growing());
    breaker.vote(0, Health::Down);
    breaker.vote(1_000, Health::Up);
    breaker.vote(30_999, Health::Down);
    assert_eq!(open_for(&breaker, 30_999), 2_000);
}

#[test]
fn a_circuit_that_has_held_begins_anew() {
    let breaker = breaker(growing());
    breaker.vote(0, Health::Down);
    breaker.vote(1_000, Health::Down);
    breaker.vote(3_000, Health::Up);
    breaker.vote(33_000, Health::Down);
    assert_eq!(open_for(&breaker, 33_000), 1_000);
}

#[test]
fn a_fixed_recovery_never_grows() {
    let breaker = breaker(Recovery::fixed());
    breaker.vote(0, Health::Down);
    for now in (1_000..20_000).step_by(1_000) {
        assert!(breaker.admitted(now - 1).is_none());
        breaker.vote(now, Health::Down);
    }
}

#[test]
fn jitter_lengthens_by_at_most_its_part_and_spreads() {
    let times: Vec<u64> = (0..200)
        .map(|seed| {
            let breaker = breaker(Recovery::fixed().jitter(0.5).seed(seed));
            breaker.vote(0, Health::Down);
            open_for(&breaker, 0)
        })
        .collect();
    assert!(times.iter().all(|time| (1_000..=1_500).contains(time)), "{times:?}");
    for fifth in 0_u64..5 {
        let range = 1_000 + fifth * 100..1_100 + fifth * 100;
        let inside = times.iter().filter(|time| range.contains(*time)).count();
        assert!((20..=60).contains(&inside), "{inside} of 200 in {range:?}");
    }
}

#[test]
fn a_seed_repeats_for_a_key_and_sets_keys_apart() {
    let kind = ConsecutiveFailures::new().recovery(Recovery::fixed().jitter(1.0).seed(42)).build().unwrap();
    let open_for = |key| {
        let settings = BreakerSettings::new(1, Duration::from_secs(1));
        let breaker = ByHand::new(kind.breaker(&Key::from_static(key), &settings));
        breaker.vote(0, Health::Down);
        open_for(&breaker, 0)
    };
    assert_eq!(open_for("a.one"), open_for("a.one"));
    assert_ne!(open_for("a.one"), open_for("a.other"));
}

#[test]
fn would_reject_knows_the_time_that_has_grown() {
    let breaker = breaker(growing());
    breaker.vote(0, Health::Down);
    breaker.vote(1_000, Health::Down);
    let told = |wait| breaker.0.would_reject(&Now::at(at(1_000)), Duration::from_millis(wait));
    assert!(told(1_999).is_some() && told(2_000).is_none());
    assert!(matches!(breaker.ask(AttemptKind::Retry, 2_999), Admission::Rejected(_)));
}
