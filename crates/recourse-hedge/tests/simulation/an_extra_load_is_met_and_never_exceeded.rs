//! `ExtraLoad`: what is launched comes to the target on every kind of latencies, and is never more.

use crate::service::{Draw, LATENCIES, Load, Random, exponential, extra_load, log_normal, play};
use recourse_core::{Key, Moment};
use recourse_hedge::ExtraLoad;
use std::time::Duration;

/// What may be saved up and launched at once.
const BURST: f64 = 10.0;

/// Holds every hedge against what all calls so far have paid for.
struct Bound {
    share: f64,
    hedges: f64,
}

impl Bound {
    fn launched(&mut self, started: u32) {
        let paid = f64::from(started) * self.share;
        self.hedges += 1.0;
        assert!(self.hedges <= paid + 1e-9, "{} hedges of {started} calls", self.hedges);
    }
}

#[test]
fn the_load_comes_to_the_target_and_is_never_more() {
    for (percent, max_hedges) in [(1.0, 1), (2.0, 3), (10.0, 2)] {
        for (name, mut latency) in LATENCIES {
            let trigger = ExtraLoad::percent(percent).unwrap();
            let mut bound = Bound { share: percent / 100.0, hedges: 0.0 };
            let load = Load { max_hedges, calls: 80_000, ..Load::default() };
            let calls = play(&trigger, &load, &mut latency, |started| bound.launched(started));
            let given = extra_load(&calls[20_000..]) * 100.0 / percent;
            assert!((0.97..=1.01).contains(&given), "{name} at {percent} %: {given} of it");
            let early = extra_load(&calls[..20_000]) * 100.0 / percent;
            assert!((0.9..=1.0).contains(&early), "{name} at {percent} %: {early} of it at first");
        }
    }
}

#[test]
fn the_delay_that_is_found_is_the_quantile() {
    for (name, mut latency, quantile) in [
        ("exponential", exponential as Draw, Duration::from_micros(59_915)),
        ("log-normal", log_normal, Duration::from_micros(45_524)),
    ] {
        let trigger = ExtraLoad::percent(5.0).unwrap();
        let key = Key::from_static("service.Call").fingerprint();
        let (mut logarithms, mut hedges) = (0.0, 0);
        play(&trigger, &Load::default(), &mut latency, |started| {
            if started > 20_000 {
                logarithms += trigger.delay(key).unwrap().div_duration_f64(quantile).ln();
                hedges += 1;
            }
        });
        let mean = (logarithms / f64::from(hedges)).exp();
        assert!((0.9..=1.15).contains(&mean), "{name}: {mean} times the quantile");
    }
}

#[test]
fn it_follows_a_service_that_turns_slow_and_quick_again() {
    let minute = Duration::from_secs(60);
    let mut latency = |random: &mut Random, now: Moment| {
        let slow = now.as_nanos() / minute.as_nanos() as u64 / 5 % 2;
        exponential(random, now) * if slow == 1 { 10 } else { 1 }
    };
    let trigger = ExtraLoad::percent(2.0).unwrap();
    let mut bound = Bound { share: 0.02, hedges: 0.0 };
    let calls = play(&trigger, &Load::default(), &mut latency, |started| bound.launched(started));
    // Five minutes are 60,000 calls.
    for (spell, calls) in calls.chunks(60_000).enumerate() {
        let given = extra_load(calls) / 0.02;
        assert!((0.9..=1.01).contains(&given), "spell {spell}: {given} of the target");
        assert!(
            calls.iter().map(|call| call.hedges).sum::<u32>() as f64 <= calls.len() as f64 * 0.02 + BURST
        );
    }
}

#[test]
fn where_every_call_is_slow_no_more_than_the_share_is_hedged() {
    let trigger = ExtraLoad::percent(2.0).unwrap();
    let mut bound = Bound { share: 0.02, hedges: 0.0 };
    let load = Load { calls: 20_000, max_hedges: 3, ..Load::default() };
    let calls = play(&trigger, &load, &mut |_, _| Duration::from_secs(20), |started| bound.launched(started));
    assert!(bound.hedges > 100.0 && extra_load(&calls) <= 0.02, "{}", bound.hedges);
}

#[test]
fn hedging_the_slowest_cuts_the_tail() {
    // Log-normal of some five milliseconds, one attempt in twenty ten times slower.
    let mut latency = |random: &mut Random, _: Moment| {
        let stalls = if random.next() < 0.05 { 10 } else { 1 };
        random.log_normal(Duration::from_micros(4_642), 0.385) * stalls
    };
    let mut p99 = |percent: Option<f64>| {
        let trigger = ExtraLoad::percent(percent.unwrap_or(1.0)).unwrap();
        let load = Load { max_hedges: u32::from(percent.is_some()), ..Load::default() };
        let calls = play(&trigger, &load, &mut latency, |_| {});
        let mut took: Vec<_> = calls[20_000..].iter().map(|call| call.took).collect();
        took.sort_unstable();
        took[took.len() * 99 / 100].as_secs_f64() * 1e3
    };
    let (without, with) = (p99(None), p99(Some(8.0)));
    assert!((61.0..68.0).contains(&without), "{without} ms");
    assert!(with < 20.0, "{with} ms");
}
