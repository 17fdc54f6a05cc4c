//! A service in virtual time: calls come at a steady rate, run side by side, and are hedged as a trigger says.

use recourse_core::{HedgeState, HedgeTrigger, Key, Moment};
use recourse_hedge::LatencyWindow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Numbers between 0 and 1, the same for a seed in every run (xorshift, Marsaglia 2003).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Exponential with this mean.
    pub(crate) fn exponential(&mut self, mean: Duration) -> Duration {
        mean.mul_f64(-self.next().ln())
    }

    /// Log-normal: its logarithm is normal with this deviation round that of the median (Box and Muller, 1958).
    pub(crate) fn log_normal(&mut self, median: Duration, deviation: f64) -> Duration {
        let normal = (-2.0 * self.next().ln()).sqrt() * (std::f64::consts::TAU * self.next()).cos();
        median.mul_f64((deviation * normal).exp())
    }
}

/// What an attempt takes, as of now.
pub(crate) type Latency<'a> = &'a mut dyn FnMut(&mut Random, Moment) -> Duration;

pub(crate) fn exponential(random: &mut Random, _: Moment) -> Duration {
    random.exponential(Duration::from_millis(20))
}

pub(crate) fn log_normal(random: &mut Random, _: Moment) -> Duration {
    random.log_normal(Duration::from_millis(20), 0.5)
}

/// Four calls in five come from a cache, the fifth from a disk.
pub(crate) fn bimodal(random: &mut Random, _: Moment) -> Duration {
    let millis = if random.next() < 0.8 { 2 } else { 100 };
    random.log_normal(Duration::from_millis(millis), 0.3)
}

/// A distribution that nothing changes.
pub(crate) type Draw = fn(&mut Random, Moment) -> Duration;

/// The latencies that every trigger is held against.
pub(crate) const LATENCIES: [(&str, Draw); 3] =
    [("exponential", exponential), ("log-normal", log_normal), ("bimodal", bimodal)];

/// How the calls come.
pub(crate) struct Load {
    pub(crate) calls: u32,
    pub(crate) every: Duration,
    pub(crate) max_hedges: u32,
    pub(crate) seed: u64,
}

/// Two hundred calls a second, one hedge at most.
impl Default for Load {
    fn default() -> Self {
        Load { calls: 200_000, every: Duration::from_millis(5), max_hedges: 1, seed: 42 }
    }
}

/// What happened to a call.
pub(crate) struct Told {
    pub(crate) took: Duration,
    pub(crate) hedges: u32,
}

/// The hedges per call, of those calls.
pub(crate) fn extra_load(calls: &[Told]) -> f64 {
    calls.iter().map(|call| f64::from(call.hedges)).sum::<f64>() / calls.len() as f64
}

struct Call {
    start: Moment,
    launched: u32,
    end: Moment,
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    End,
    Start,
    Check,
}

/// Plays the load. One sample is taken a call, from its start to its first result; `launched` hears of each hedge, and
/// of the calls that have started by then.
pub(crate) fn play(
    trigger: &dyn HedgeTrigger,
    load: &Load,
    latency: Latency<'_>,
    mut launched: impl FnMut(u32),
) -> Vec<Told> {
    let (window, mut random) = (LatencyWindow::new(), Random::new(load.seed));
    let key = Key::from_static("service.Call").fingerprint();
    let mut calls: Vec<Call> = Vec::new();
    let mut events = BinaryHeap::from([Reverse((Moment::ZERO, Event::Start, 0))]);
    while let Some(Reverse((now, event, id))) = events.pop() {
        if event == Event::Start {
            if id + 1 < load.calls as usize {
                events.push(Reverse((now + load.every, Event::Start, id + 1)));
            }
            let end = now + latency(&mut random, now);
            calls.push(Call { start: now, launched: 1, end, ended: false });
            events.push(Reverse((end, Event::End, id)));
        }
        let started = calls.len() as u32;
        let call = &mut calls[id];
        if event == Event::End {
            if !call.ended && now == call.end {
                call.ended = true;
                window.record(now.since(call.start), now);
            }
            continue;
        }
        if call.ended {
            continue;
        }
        let state =
            HedgeState::new(call.start, now, call.launched, load.max_hedges, Duration::from_millis(200))
                .with_latency(trigger.wants_latency().then(|| window.snapshot(now)).flatten())
                .with_key_fingerprint(key);
        let decision = trigger.should_spawn_hedge(&state);
        if decision.spawn {
            call.launched += 1;
            call.end = call.end.min(now + latency(&mut random, now));
            events.push(Reverse((call.end, Event::End, id)));
            launched(started);
        }
        if let Some(wait) = decision.next_check_in {
            events.push(Reverse((now + wait.max(Duration::from_nanos(1)), Event::Check, id)));
        }
    }
    let told = |call: &Call| Told { took: call.end.since(call.start), hedges: call.launched - 1 };
    calls.iter().map(told).collect()
}
