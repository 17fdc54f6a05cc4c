//! What holds for every trigger: one hedge an answer, none beyond the most, hedges spaced, no spinning, no oversleeping.

use proptest::prelude::*;
use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger, LatencySnapshot, Moment};
use recourse_hedge::{ExtraLoad, FixedDelay, Observing, OnFailure, Quantile, WithinDeadline};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
/// What the executor makes of a shorter wait of zero.
const SOON: Duration = MS;

/// A group whose attempts never end, but for those that fail.
#[derive(Clone, Debug)]
struct Group {
    max_hedges: u32,
    hedge_delay: Duration,
    latency: Option<LatencySnapshot>,
    /// When an attempt fails; beyond those in flight nothing does.
    failures: Vec<Duration>,
    deadline: Option<Duration>,
    /// How late each check comes.
    late: Duration,
}

impl Group {
    fn state(&self, elapsed: Duration, launched: u32, failed: u32) -> HedgeState {
        let start = Moment::from_nanos(77);
        HedgeState::new(start, start + elapsed, launched, self.max_hedges, self.hedge_delay)
            .with_latency(self.latency)
            .with_failed(failed)
            .with_time_left(self.deadline.map(|deadline| deadline.saturating_sub(elapsed)))
    }

    /// Whether a hedge that starts then may be back before the deadline: as far as is known, half of them are.
    fn is_in_time(&self, start: Duration) -> bool {
        let Some(deadline) = self.deadline else { return true };
        let known = self.latency.filter(|latency| latency.samples >= 2);
        start < deadline && known.is_none_or(|latency| start + latency.p50.max(MS) <= deadline)
    }

    /// Asks as the executor does, for ten minutes at most; answers when hedges were launched, and how often it asked.
    fn play(&self, trigger: &dyn HedgeTrigger) -> (Vec<Duration>, u32) {
        let (mut launched, mut failed, mut asked) = (1, 0, 0);
        let (mut hedges, mut failures) = (Vec::new(), self.failures.iter().copied().peekable());
        let mut check = Some(Duration::ZERO);
        while let Some(due) = check.into_iter().chain(failures.peek().copied()).min() {
            if due > MS * 600_000 || asked == 100_000 {
                break;
            }
            let fails = failures.next_if_eq(&due).is_some();
            if fails {
                failed += 1;
                if failed > launched {
                    break;
                }
                if !trigger.wants_failures() {
                    continue;
                }
            }
            asked += 1;
            let state = self.state(due, launched, failed).with_after_failure(fails);
            let decision = trigger.should_spawn_hedge(&state.with_first_look(asked == 1));
            if decision.spawn {
                launched += 1;
                hedges.push(due);
            }
            if failed == launched {
                break;
            }
            check = decision
                .next_check_in
                .map(|wait| due.saturating_add(if wait.is_zero() { SOON } else { wait }) + self.late)
                // After a failure the check that was named before stands.
                .or(check.filter(|_| fails));
        }
        (hedges, asked)
    }
}

fn millis(most: u64) -> impl Strategy<Value = Duration> {
    (0..most * 1_000).prop_map(Duration::from_micros)
}

prop_compose! {
    fn latency()(steps in [millis(300), millis(300), millis(300), millis(300)], samples in 0u64..300)
        -> LatencySnapshot
    {
        let [p50, p90, p95, p99] = steps;
        LatencySnapshot::new(p50, p50 + p90, p50 + p90 + p95, p50 + p90 + p95 + p99, samples)
    }
}

prop_compose! {
    fn group()(
        max_hedges in 0u32..=3,
        hedge_delay in millis(500).prop_map(|delay| delay + MS * 10),
        latency in prop::option::of(latency()),
        mut failures in prop::collection::vec(millis(2_000), 0..4),
        deadline in prop::option::of(millis(3_000)),
        late in prop_oneof![Just(Duration::ZERO), millis(40)],
    ) -> Group {
        failures.sort_unstable();
        Group { max_hedges, hedge_delay, latency, failures, deadline, late }
    }
}

fn quantile() -> impl Strategy<Value = Quantile> {
    (prop::sample::select(vec![Quantile::P50, Quantile::P90, Quantile::P95, Quantile::P99]), 0u64..40)
        .prop_map(|(quantile, samples)| quantile.with_min_samples(samples))
}

/// An extra load for which twenty groups have paid.
fn rich() -> ExtraLoad {
    let trigger = ExtraLoad::percent(100.0).expect("a share");
    for _ in 0..20 {
        let begins = HedgeState::new(Moment::ZERO, Moment::ZERO, 1, 1, MS * 50);
        trigger.should_spawn_hedge(&begins);
    }
    trigger
}

/// Every trigger, and some that stand in each other.
fn triggers(quantile: Quantile) -> Vec<Box<dyn HedgeTrigger>> {
    vec![
        Box::new(FixedDelay),
        Box::new(quantile),
        Box::new(rich()),
        Box::new(OnFailure::new(FixedDelay)),
        Box::new(OnFailure::new(quantile)),
        Box::new(OnFailure::new(rich())),
        Box::new(WithinDeadline::new(FixedDelay)),
        Box::new(WithinDeadline::new(OnFailure::new(quantile)).with_quantile(quantile)),
        Box::new(OnFailure::new(WithinDeadline::new(rich()))),
        Box::new(Observing::new(OnFailure::new(quantile))),
    ]
}

proptest! {
    #[test]
    fn none_is_launched_beyond_the_most_and_asking_comes_to_an_end(group in group(), quantile in quantile()) {
        for trigger in triggers(quantile) {
            let (hedges, asked) = group.play(&*trigger);
            prop_assert!(hedges.len() <= group.max_hedges as usize, "{hedges:?}");
            // Without samples it looks again after each delay, of 10 ms at least, for ten minutes here.
            prop_assert!(asked <= 60_010, "asked {asked} times");
        }
    }

    #[test]
    fn a_trigger_asked_out_of_turn_launches_none_beyond_the_most(
        group in group(),
        quantile in quantile(),
        asks in prop::collection::vec((millis(4_000), 0u32..6, 0u32..6, any::<bool>()), 1..20),
    ) {
        for trigger in triggers(quantile) {
            for (elapsed, launched, failed, fails) in &asks {
                let state = group.state(*elapsed, *launched, *failed).with_after_failure(*fails);
                let decision = trigger.should_spawn_hedge(&state);
                prop_assert!(!decision.spawn || *launched <= group.max_hedges);
                let none_left = *launched > group.max_hedges;
                prop_assert!(!none_left || decision == HedgeDecision::never());
            }
        }
    }

    #[test]
    fn a_named_wait_ends_when_the_hedge_is_due_and_not_before(
        group in group(), quantile in quantile(), elapsed in millis(2_000), launched in 1u32..=3, part in 0.0..1.0f64,
    ) {
        for trigger in [&FixedDelay as &dyn HedgeTrigger, &quantile] {
            let decision = trigger.should_spawn_hedge(&group.state(elapsed, launched, 0));
            let (Some(wait), false) = (decision.next_check_in, decision.spawn) else { continue };
            prop_assert!(!wait.is_zero());
            let before = wait.mul_f64(part);
            let earlier = trigger.should_spawn_hedge(&group.state(elapsed + before, launched, 0));
            prop_assert!(!earlier.spawn || before >= wait, "launched {:?} before it was due", wait - before);
            let due = trigger.should_spawn_hedge(&group.state(elapsed + wait, launched, 0));
            let told = group.latency.is_some_and(|latency| latency.samples >= 100);
            prop_assert!(due.spawn || !told, "slept {wait:?} for nothing");
        }
    }

    #[test]
    fn hedges_for_slowness_are_spaced(mut group in group(), quantile in quantile()) {
        group.failures.clear();
        let Some(latency) = group.latency else { return Ok(()) };
        let least = match quantile.name() {
            "p50" => latency.p50,
            "p90" => latency.p90,
            "p95" => latency.p95,
            _ => latency.p99,
        };
        for trigger in [&quantile as &dyn HedgeTrigger, &OnFailure::new(quantile), &WithinDeadline::new(quantile)] {
            let (hedges, _) = group.play(trigger);
            let starts: Vec<_> = std::iter::once(Duration::ZERO).chain(hedges).collect();
            for pair in starts.windows(2) {
                prop_assert!(pair[1] - pair[0] >= least, "{starts:?} at {least:?}");
            }
        }
    }

    #[test]
    fn each_failure_launches_at_once_while_hedges_and_time_are_left(mut group in group()) {
        group.late = Duration::ZERO;
        group.hedge_delay = Duration::from_secs(3_600);
        let (hedges, _) = group.play(&OnFailure::new(FixedDelay));
        let in_time = group.failures.iter().copied().take_while(|failure| group.is_in_time(*failure));
        let expected: Vec<_> = in_time.take(group.max_hedges as usize).collect();
        prop_assert_eq!(hedges, expected);
    }

    #[test]
    fn no_hedge_starts_with_less_time_left_than_it_needs(group in group(), quantile in quantile()) {
        let within = WithinDeadline::new(OnFailure::new(FixedDelay).ignore_deadline());
        let extra = WithinDeadline::new(rich()).with_quantile(Quantile::P50);
        let triggers: [&dyn HedgeTrigger; 6] =
            [&within, &extra, &quantile, &rich(), &OnFailure::new(quantile), &Observing::new(quantile)];
        for trigger in triggers {
            for launched in group.play(trigger).0 {
                prop_assert!(group.is_in_time(launched), "launched after {:?}", launched);
            }
        }
        // It takes nothing else away.
        let (mut endless, plain) = (group.clone(), OnFailure::new(quantile));
        endless.deadline = None;
        prop_assert_eq!(endless.play(&WithinDeadline::new(plain)), endless.play(&plain));
        prop_assert_eq!(endless.play(&quantile.ignore_deadline()), endless.play(&quantile));
        prop_assert_eq!(endless.play(&plain.ignore_deadline()), endless.play(&plain));
        prop_assert_eq!(endless.play(&rich().ignore_deadline()), endless.play(&rich()));
    }

    #[test]
    fn whatever_ignores_the_deadline_none_starts_without_any_time_left(group in group(), quantile in quantile()) {
        let Some(deadline) = group.deadline else { return Ok(()) };
        let (quantile, extra) = (quantile.ignore_deadline(), rich().ignore_deadline());
        let failures = OnFailure::new(quantile).ignore_deadline();
        for trigger in [&FixedDelay as &dyn HedgeTrigger, &quantile, &extra, &failures] {
            for launched in group.play(trigger).0 {
                prop_assert!(launched < deadline);
            }
        }
    }

    #[test]
    fn watching_launches_nothing_and_counts_every_group_that_would_have_been_hedged(
        mut group in group(), quantile in quantile(),
    ) {
        group.failures.clear();
        let watched = Observing::new(quantile);
        prop_assert_eq!(group.play(&watched).0, Vec::<Duration>::new());
        prop_assert_eq!(watched.would_launch() > 0, !group.play(&quantile).0.is_empty());
    }

    #[test]
    fn extra_hedges_are_paid_for_whatever_is_asked(
        percent in 0.01..100.0f64,
        asks in prop::collection::vec((millis(3_000), 1u32..=3, 0u64..3, 1u32..40), 1..200),
    ) {
        let trigger = ExtraLoad::percent(percent).unwrap();
        let mut keys = [(0.0, 0.0); 3];
        for (elapsed, launched, key, groups) in asks {
            let state = |elapsed, launched| {
                HedgeState::new(Moment::ZERO, Moment::ZERO + elapsed, launched, 3, MS * 20).with_key_fingerprint(key)
            };
            let (paid, hedges) = &mut keys[key as usize];
            for _ in 0..groups {
                prop_assert!(!trigger.should_spawn_hedge(&state(Duration::ZERO, 1)).spawn);
                *paid += percent / 100.0;
            }
            if elapsed < MS && launched == 1 {
                *paid += percent / 100.0;
            }
            let decision = trigger.should_spawn_hedge(&state(elapsed, launched));
            *hedges += f64::from(u8::from(decision.spawn));
            prop_assert!(*hedges <= *paid * 1.0001 + 1e-6, "{hedges} hedges for {paid}");
            prop_assert!(!decision.next_check_in.is_some_and(|wait| wait.is_zero()) || decision.spawn);
        }
    }
}

#[test]
fn numbers_that_make_no_target_are_refused_by_name() {
    for percent in [0.0, 0.009, 100.1, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let error = ExtraLoad::percent(percent).unwrap_err();
        assert_eq!((error.field, error.value), ("percent", percent.to_string()));
    }
    for keys in [0, 1_000_001, usize::MAX] {
        let error = ExtraLoad::percent(1.0).unwrap().with_room_for(keys).unwrap_err();
        assert_eq!((error.field, error.value), ("keys", keys.to_string()));
    }
}
