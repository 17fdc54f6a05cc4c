//! `LatencyWindow` beside a slow reference: every sample in a list, with its moment.

use proptest::prelude::*;
use recourse_core::{LatencySnapshot, Moment};
use recourse_hedge::LatencyWindow;
use std::time::Duration;

const EPOCH: u64 = 30_000_000_000;
/// The finest bucket, in nanoseconds.
const FINEST: u64 = 16_384;
/// Beyond this only the longest is known.
const RANGE: u64 = 66_571_993_088;

#[derive(Default)]
struct Reference(Vec<(u64, u64)>);

impl Reference {
    /// The latencies that count at `now`: those of its epoch and of the one before.
    fn recent(&self, now: u64) -> Vec<u64> {
        let recent = |moment: u64| now / EPOCH - moment / EPOCH <= 1;
        let mut recent: Vec<_> =
            self.0.iter().filter(|(moment, _)| recent(*moment)).map(|(_, nanos)| *nanos).collect();
        recent.sort_unstable();
        recent
    }
}

fn check(told: Option<LatencySnapshot>, recent: &[u64]) -> Result<(), TestCaseError> {
    let Some(told) = told else {
        prop_assert!(recent.is_empty(), "{} samples are not told of", recent.len());
        return Ok(());
    };
    let count = recent.len();
    prop_assert_eq!(told.samples, count as u64);
    let quantiles = [(50, told.p50), (90, told.p90), (95, told.p95), (99, told.p99)];
    for (percent, quantile) in quantiles {
        let nanos = quantile.as_nanos() as u64;
        let rank = ((count + 1) * percent).div_ceil(100).min(count);
        let exact = recent[rank - 1];
        if exact < RANGE {
            let most = (exact / 16).max(FINEST);
            prop_assert!(nanos.abs_diff(exact) <= most, "p{percent} of {count}: {nanos} for {exact}");
        } else {
            prop_assert_eq!(nanos, recent[count - 1], "beyond the range the longest is told");
        }
        let above = recent.iter().filter(|sample| **sample > nanos).count();
        prop_assert!(above * 2 <= (count - rank) * 3, "p{percent} of {count}: {above} are above {nanos}");
    }
    prop_assert!(told.p50 <= told.p90 && told.p90 <= told.p95 && told.p95 <= told.p99);
    Ok(())
}

/// Latencies of every size, or of a few values, as a steady service has them.
fn latencies() -> impl Strategy<Value = Vec<u64>> {
    let any_size = (0u32..40, any::<u64>()).prop_map(|(bits, random)| random % (1 << bits));
    let few = prop::collection::vec(any_size.clone(), 1..4).prop_flat_map(prop::sample::select);
    let alike = (1u64..1 << 33, any::<u64>()).prop_map(|(about, random)| about + random % (about / 50 + 1));
    prop_oneof![
        prop::collection::vec(any_size, 0..300),
        prop::collection::vec(few, 0..300),
        prop::collection::vec(alike, 0..300),
        (1u64..1 << 33).prop_flat_map(|about| prop::collection::vec(about..about * 2, 0..300)),
    ]
}

/// Short ones within an epoch, and long ones over several.
fn pauses() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 0..EPOCH / 8, 1 => 0..4 * EPOCH]
}

proptest! {
    #[test]
    fn quantiles_are_those_of_the_list_within_the_error_bound(latencies in latencies()) {
        let (window, mut reference) = (LatencyWindow::new(), Reference::default());
        for nanos in latencies {
            window.record(Duration::from_nanos(nanos), Moment::ZERO);
            reference.0.push((0, nanos));
        }
        check(window.snapshot(Moment::ZERO), &reference.recent(0))?;
    }

    #[test]
    fn the_same_samples_count_as_time_goes_by(
        steps in prop::collection::vec((pauses(), 0u64..1 << 36, 1usize..20), 1..40),
    ) {
        let (window, mut reference, mut now) = (LatencyWindow::new(), Reference::default(), 5 * EPOCH);
        for (pause, nanos, times) in steps {
            now += pause;
            check(window.snapshot(Moment::from_nanos(now)), &reference.recent(now))?;
            for _ in 0..times {
                window.record(Duration::from_nanos(nanos), Moment::from_nanos(now));
                reference.0.push((now, nanos));
            }
            check(window.snapshot(Moment::from_nanos(now)), &reference.recent(now))?;
        }
    }

    /// Of many samples a snapshot may be that of the list as it was asked for up to 10 ms before, in the same epoch.
    #[test]
    fn many_samples_are_those_of_a_list_that_is_hardly_older(
        steps in prop::collection::vec((0u64..8_000_000, 0u64..1 << 30, 0usize..200), 1..30),
    ) {
        const GOOD_FOR: u64 = 10_000_000;
        let (window, mut reference) = (LatencyWindow::new(), Reference::default());
        // So that an epoch ends on the way.
        let mut now = 6 * EPOCH - 100_000_000;
        let mut asked: Vec<(u64, Vec<u64>)> = Vec::new();
        for (pause, nanos, times) in steps {
            now += pause;
            for sample in 0..times as u64 {
                let nanos = nanos + sample * nanos / 100;
                window.record(Duration::from_nanos(nanos), Moment::from_nanos(now));
                reference.0.push((now, nanos));
            }
            asked.push((now, reference.recent(now)));
            asked.retain(|(at, list)| {
                *at == now || now - at < GOOD_FOR && at / EPOCH == now / EPOCH && list.len() >= 1_000
            });
            let told = window.snapshot(Moment::from_nanos(now));
            let agrees = |list: &Vec<u64>| check(told, list).is_ok();
            prop_assert!(asked.iter().any(|(_, list)| agrees(list)), "{told:?} at {now}");
        }
    }
}
