//! What every hedge trigger must keep to.

use super::unwinding::survives;
use recourse_core::{HedgeState, HedgeTrigger, LatencySnapshot, Moment};
use std::collections::VecDeque;
use std::time::Duration;

/// The executor never looks again sooner.
const SOONEST: Duration = Duration::from_millis(1);

/// Looks within a second, at most: twice those of the shortest delay that a policy may have.
const MOST_LOOKS: usize = 200;

/// How long a group is watched.
const LONG: Duration = Duration::from_secs(3);

/// Asserts that a trigger never has the executor look again and again. It is asked about groups whose attempts don't come
/// back for three seconds, whenever it wants to be asked, as the executor does it: a wait of zero is a millisecond. Latencies
/// are unknown, none, usual, tiny and endless; some groups have a deadline, and in some an attempt has failed.
///
/// ```
/// use recourse_core::HedgeDecision;
/// use recourse_test::{ScriptedTrigger, invariants};
/// use std::time::Duration;
///
/// let once_a_tenth = HedgeDecision::check_in(Duration::from_millis(100));
/// invariants::trigger_never_spins(&ScriptedTrigger::new(once_a_tenth));
/// ```
///
/// # Panics
///
/// If it asks for more than 200 looks within a second, or panics.
#[track_caller]
pub fn trigger_never_spins(trigger: &dyn HedgeTrigger) {
    let ms = Duration::from_millis;
    let usual = LatencySnapshot::new(ms(10), ms(20), ms(40), ms(80), 10_000);
    let tiny = LatencySnapshot::new(ms(0), ms(0), ms(0), Duration::from_nanos(1), u64::MAX);
    let endless = LatencySnapshot::new(Duration::MAX, Duration::MAX, Duration::MAX, Duration::MAX, 1);
    let latencies = [None, Some(LatencySnapshot::default()), Some(usual), Some(tiny), Some(endless)];
    for latency in latencies {
        for max_hedges in 1..=3 {
            for delay in [ms(10), ms(200), Duration::MAX] {
                for limit in [None, Some(Duration::ZERO), Some(ms(50)), Some(LONG)] {
                    for failed in [0, 1] {
                        for start in [0, 1 << 50] {
                            let start = Moment::from_nanos(start);
                            let group = Group { start, latency, max_hedges, delay, limit, failed };
                            group.watch(trigger);
                        }
                    }
                }
            }
        }
    }
}

/// Asserts that a trigger launches no hedge beside a call that is as quick as most: one that has not yet taken as long as
/// half of its key's calls, nor as long as the policy's delay, and of which no attempt has failed. The trigger is asked
/// whenever it wants to be, and at the last moment. One that always launches has every call made several times over.
///
/// ```
/// use recourse_core::HedgeDecision;
/// use recourse_test::{ScriptedTrigger, invariants};
///
/// invariants::trigger_spares_quick_calls(&ScriptedTrigger::new(HedgeDecision::never()));
/// ```
///
/// # Panics
///
/// If it launches one, or panics. A trigger that is there to race attempts from the start is none for this check.
#[track_caller]
pub fn trigger_spares_quick_calls(trigger: &dyn HedgeTrigger) {
    let ms = Duration::from_millis;
    let usual = LatencySnapshot::new(ms(10), ms(20), ms(40), ms(80), 10_000);
    for latency in [None, Some(usual)] {
        for max_hedges in 1..=3 {
            for delay in [ms(10), ms(200), Duration::MAX] {
                let start = Moment::from_nanos(1 << 50);
                let group = Group { start, latency, max_hedges, delay, limit: None, failed: 0 };
                group.watch_quick(trigger);
            }
        }
    }
}

/// An attempt group that waits.
#[derive(Clone, Copy, Debug)]
struct Group {
    start: Moment,
    latency: Option<LatencySnapshot>,
    max_hedges: u32,
    delay: Duration,
    /// Time until the call's deadline, at the start.
    limit: Option<Duration>,
    failed: u32,
}

impl Group {
    #[track_caller]
    fn watch(self, trigger: &dyn HedgeTrigger) {
        let (mut elapsed, mut launched, mut looks) = (Duration::ZERO, 1, VecDeque::new());
        while elapsed <= LONG && launched <= self.max_hedges {
            let is_old = |look: &Duration| elapsed.saturating_sub(*look) >= Duration::from_secs(1);
            while looks.front().is_some_and(is_old) {
                looks.pop_front();
            }
            looks.push_back(elapsed);
            assert!(
                looks.len() <= MOST_LOOKS,
                "it spins: {MOST_LOOKS} looks between {:?} and {elapsed:?} of {self:?}",
                looks[0]
            );
            let state = self.state(elapsed, launched);
            let decision = survives(format_args!("should_spawn_hedge: {state:?}"), || {
                trigger.should_spawn_hedge(&state)
            });
            launched += u32::from(decision.spawn);
            let Some(wait) = decision.next_check_in else { return };
            elapsed = elapsed.saturating_add(wait.max(SOONEST));
        }
    }

    /// Until just before it is no longer quick.
    #[track_caller]
    fn watch_quick(self, trigger: &dyn HedgeTrigger) {
        let half = self.latency.map_or(self.delay, |latency| latency.p50);
        let last = half.min(self.delay).min(LONG).saturating_sub(Duration::from_nanos(1));
        let (mut elapsed, mut is_first) = (Duration::ZERO, true);
        loop {
            let state = self.state(elapsed, 1).with_first_look(is_first);
            let decision = survives(format_args!("should_spawn_hedge: {state:?}"), || {
                trigger.should_spawn_hedge(&state)
            });
            assert!(!decision.spawn, "it hedges a quick call: after {elapsed:?} of {self:?}");
            if elapsed == last {
                return;
            }
            let wait = decision.next_check_in.unwrap_or(Duration::MAX).max(SOONEST);
            (elapsed, is_first) = (elapsed.saturating_add(wait).min(last), false);
        }
    }

    fn state(self, elapsed: Duration, launched: u32) -> HedgeState {
        HedgeState::new(self.start, self.start + elapsed, launched, self.max_hedges, self.delay)
            .with_latency(self.latency)
            .with_failed(self.failed)
            .with_after_failure(self.failed > 0 && elapsed.is_zero())
            .with_time_left(self.limit.map(|limit| limit.saturating_sub(elapsed)))
            .with_key_fingerprint(recourse_core::Key::from_static("invariants.Check").fingerprint())
    }
}
