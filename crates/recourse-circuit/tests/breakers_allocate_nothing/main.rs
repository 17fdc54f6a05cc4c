//! Nothing is allocated by asking and telling; what a breaker takes when it is made is bounded. A binary of its own,
//! for its allocator counts.
#![cfg(not(recourse_loom))]
use allocation_counter::measure;
use recourse_circuit::{FailureRatio, builtin};
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerFactory, BreakerSettings, CircuitBreaker, CircuitMode,
    Health, Key, Moment, Now,
};
use std::time::Duration;

const SETTINGS: BreakerSettings = BreakerSettings::new(5, Duration::from_secs(10));

fn key() -> Key {
    Key::from_static("payments.Charge")
}

/// A circuit's whole life, and what is asked of it on the way.
fn live(breaker: &dyn CircuitBreaker) {
    let mut now = Moment::ZERO;
    for round in 0..600_u32 {
        let millis = if round % 100 == 99 { 3_600_000 } else { 1 };
        now = now + Duration::from_millis(millis);
        let asked = AdmissionRequest::new(AttemptKind::Retry, Now::at(now));
        match (breaker.admit(&asked), round / 100 % 2) {
            (Admission::Admitted(ticket, _), 0) => {
                breaker.report(ticket, Health::Up, &Now::at(now));
            }
            (Admission::Admitted(ticket, _), _) if round % 3 == 0 => {
                breaker.abandon(ticket, &Now::at(now));
            }
            (Admission::Admitted(ticket, _), _) => {
                breaker.report(ticket, Health::Down, &Now::at(now));
            }
            _ => {
                breaker.would_reject(&Now::at(now), Duration::ZERO);
            }
        }
        breaker.state();
    }
    breaker.reconfigure(&SETTINGS);
    breaker.set_mode(CircuitMode::Observing);
    breaker.set_mode(CircuitMode::Enforcing);
}

#[test]
fn admission_report_and_rejection_allocate_nothing() {
    for (name, kind) in builtin() {
        let breaker = kind.breaker(&key(), &SETTINGS);
        let allocated = measure(|| live(&*breaker));
        assert_eq!(allocated.count_total, 0, "{name}");
        assert!(breaker.status(&Now::at(Moment::ZERO)).last_trip.is_some(), "{name} never tripped");
    }
}

#[test]
fn a_breaker_takes_as_much_memory_as_its_kind_says() {
    let taken = |kind: &dyn BreakerFactory| {
        // Whatever is made once in a process.
        drop(kind.breaker(&key(), &SETTINGS));
        let mut breaker = None;
        let allocated = measure(|| breaker = Some(kind.breaker(&key(), &SETTINGS)));
        drop(breaker);
        u64::try_from(allocated.bytes_current).expect("it lives")
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let stripes = 128 * (2 * processors).clamp(4, 16).next_power_of_two();
    for (name, kind) in builtin() {
        let most = match name {
            "consecutive_failures" => 512,
            "failure_ratio_time" => 1_280 + stripes,
            _ => 672 + stripes,
        };
        let taken = taken(&*kind);
        assert!(taken <= most, "{name} takes {taken} bytes of {most}");
    }
    let largest = FailureRatio::over_attempts(10_000).build().expect("in range");
    assert!(taken(&largest) <= 672 + stripes + 3 * 10_000 / 8 + 32);
}
