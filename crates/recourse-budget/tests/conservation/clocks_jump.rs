//! A clock that jumps ahead and back: no budget grants more than its bound, and none is stuck.

use crate::attempts::{Attempt, Done, How, Line, adaptive, one_of_each, play, play_asking};
use proptest::prelude::*;
use recourse_budget::{AdaptiveThrottle, RetryRatio, TokenBucket};
use recourse_core::{Budget, Moment};

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
/// The clock can't say more, in whole milliseconds.
const END: u64 = u64::MAX / MILLI * MILLI;
/// So far the inflow is exact to the nanosecond.
const EXACT: u64 = 1_000_000 * SECOND;

/// Where a clock goes from one reading to the next.
#[derive(Clone, Copy, Debug)]
enum Step {
    Ahead(u64),
    Back(u64),
    To(u64),
}

impl Step {
    fn from(self, now: u64) -> u64 {
        match self {
            Step::Ahead(nanos) => now.saturating_add(nanos).min(END),
            Step::Back(nanos) => now.saturating_sub(nanos),
            Step::To(nanos) => nanos,
        }
    }
}

/// In whole milliseconds, to a moment of up to `most`.
fn step(most: u64) -> impl Strategy<Value = Step> {
    let millis = |most: u64| (0..=most).prop_map(|millis| millis * MILLI);
    prop_oneof![
        6 => millis(2_000).prop_map(Step::Ahead),
        2 => millis(20_000).prop_map(Step::Ahead),
        2 => millis(50).prop_map(Step::Back),
        2 => millis(20_000).prop_map(Step::Back),
        1 => prop_oneof![Just(0), Just(most), millis(1_000_000), millis(most / MILLI)].prop_map(Step::To),
    ]
}

/// Attempts and the clock's step before each.
fn asked_up_to(most: u64) -> impl Strategy<Value = Vec<(Step, Attempt)>> {
    let attempt = prop::sample::select(vec![Attempt::FIRST, Attempt::RETRY, Attempt::HEDGE]);
    let costing = (attempt, 1..4u32).prop_map(|(attempt, cost)| attempt.costing(cost));
    prop::collection::vec((step(most), costing), 0..200)
}

fn asked() -> impl Strategy<Value = Vec<(Step, Attempt)>> {
    asked_up_to(END)
}

/// The same as a script, and what the clock reads at last.
fn script(asked: &[(Step, Attempt)]) -> (Vec<Line>, u64) {
    let mut now = 0;
    let lines = asked.iter().flat_map(|(step, attempt)| {
        now = step.from(now);
        [Line::Time(now), Line::Ask(*attempt)]
    });
    (lines.collect(), now)
}

/// A bucket as its documentation has it, in billionths of a token.
struct Plain {
    level: u64,
    full: u64,
    rate: u64,
    latest: Option<u64>,
    /// All that the clock went forward.
    time: u128,
}

impl Plain {
    fn at(&mut self, now: u64) {
        let latest = self.latest.unwrap_or(now);
        let far = (self.full / self.rate).max(SECOND);
        if now > latest {
            let came = u128::from(now - latest) * u128::from(self.rate) + u128::from(self.level);
            self.level = u64::try_from(came).unwrap_or(u64::MAX).min(self.full);
            self.time += u128::from(now - latest);
        }
        let was_set_back = latest.saturating_sub(now) > far;
        self.latest = Some(if was_set_back { now } else { now.max(latest) });
    }
}

proptest! {
    #[test]
    fn a_bucket_is_the_plain_one(
        asked in asked_up_to(EXACT),
        capacity in 1..20u32,
        rate in prop::sample::select(vec![1u32, 2, 5, 10, 50]),
    ) {
        let bucket = TokenBucket::new(capacity, f64::from(rate)).unwrap().gate_first_attempts();
        let full = u64::from(capacity) * SECOND;
        let mut plain = Plain { level: full, full, rate: rate.into(), latest: None, time: 0 };
        let (mut now, mut granted) = (0, 0u128);
        for (step, attempt) in asked {
            now = step.from(now);
            let price = u64::from(attempt.cost) * SECOND;
            if price <= full {
                // Otherwise the clock isn't read.
                plain.at(now);
            }
            let allowed = attempt.ask(&bucket, now).allowed;
            prop_assert_eq!(allowed, price <= plain.level, "at {}", now);
            if allowed {
                plain.level -= price;
                granted += u128::from(attempt.cost);
            }
            if price <= full {
                prop_assert_eq!(bucket.available(Moment::from_nanos(now)), plain.level / SECOND);
            }
            let bound = u128::from(full) + plain.time * u128::from(rate);
            prop_assert!(granted * u128::from(SECOND) <= bound);
        }
    }

    /// The reserve is a bucket that is empty at the first use. So little credit pays for nothing.
    #[test]
    fn a_reserve_is_the_plain_one(asked in asked_up_to(EXACT), rate in prop::sample::select(vec![1u32, 2, 5])) {
        let budget = RetryRatio::new(0.001).unwrap().with_reserve(rate.into()).unwrap();
        let full = u64::from(rate) * 10 * SECOND;
        let mut plain = Plain { level: 0, full, rate: rate.into(), latest: None, time: 0 };
        let mut now = 0;
        for (step, attempt) in asked.into_iter().filter(|(_, attempt)| !attempt.is_first()) {
            now = step.from(now);
            plain.at(now);
            let price = u64::from(attempt.cost) * SECOND;
            let allowed = attempt.ask(&budget, now).allowed;
            prop_assert_eq!(allowed, price <= plain.level, "at {}", now);
            if allowed {
                plain.level -= price;
            }
        }
    }

    /// Ratio and reserve together, where the clock is seldom read.
    #[test]
    fn a_ratio_keeps_its_bound(asked in asked(), tenths in 1..20u32, reserve in 0..3u32) {
        let budget = RetryRatio::new(f64::from(tenths) / 10.0).unwrap();
        let budget = budget.with_reserve(reserve.into()).unwrap();
        let (lines, _) = script(&asked);
        let (mut firsts, mut extras, mut time, mut before) = (0u128, 0u128, 0u128, None);
        play(&budget, &lines, |done, now| {
            if let Done::Allowed(attempt) | Done::Denied(attempt) = done {
                time += u128::from(now.saturating_sub(before.unwrap_or(now)));
                before = Some(now);
                firsts += u128::from(attempt.is_first());
            }
            if let Done::Allowed(attempt) = done {
                extras += if attempt.is_first() { 0 } else { u128::from(attempt.cost) };
                let most = firsts * u128::from(tenths) * 100 * u128::from(MILLI) + u128::from(reserve) * time;
                assert!(extras * u128::from(SECOND) <= most, "{extras} after {firsts} and {time} ns");
            }
        });
    }

    /// Payments are good for the ttl and a tenth more, counted anew where the clock was set back.
    #[test]
    fn credit_expires_once_the_clock_goes_forward(asked in asked()) {
        let budget = RetryRatio::new(10.0).unwrap().with_initial(100);
        let (lines, now) = script(&asked);
        play(&budget, &lines, |_, _| {});
        let start = now.min(END - 100 * SECOND);
        // As late as a clock may be out of step, and then the ttl.
        (0..24).for_each(|second| _ = Attempt::HEDGE.costing(u32::MAX).ask(&budget, start + second * SECOND));
        prop_assert_eq!(budget.available(Moment::from_nanos(start + 24 * SECOND)), 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// What another client would see: calls that succeed, one a second, and one of them wants a retry.
    #[test]
    fn no_budget_is_stuck(asked in asked()) {
        let (lines, now) = script(&asked);
        let start = now.min(END - 10_000 * SECOND);
        for (place, budget) in [adaptive()].into_iter().chain(one_of_each()).enumerate() {
            play_asking(Attempt::ask_for_a_lot, &budget, &lines, |_, _| {});
            // What the adaptive throttle lets through doubles from window to window.
            let last = if place == 0 { 4_000 } else { 400 };
            let calls = (1..=last).map(|second| start + second * SECOND);
            let mut granted = (false, false);
            for now in calls {
                granted = (false, false);
                let first = Attempt::FIRST.ask_for_a_lot(&budget, now);
                if first.allowed {
                    granted.0 = true;
                    Attempt::FIRST.end(&budget, first, How::Success);
                }
                // As the executor does: what would be denied is not asked for.
                if budget.would_deny(&Attempt::RETRY.request(now)).is_none() {
                    let retry = Attempt::RETRY.ask_for_a_lot(&budget, now);
                    granted.1 = retry.allowed;
                    Attempt::RETRY.end(&budget, retry, How::Success);
                }
            }
            prop_assert_eq!(granted, (true, true), "{}", place);
        }
    }
}

#[test]
fn first_attempts_are_refused_for_no_longer_than_the_window() {
    let throttle = AdaptiveThrottle::new().with_seed(1);
    (0..1_000).for_each(|_| drop(throttle.allow_attempt(&Attempt::FIRST.request(END))));
    assert!(throttle.denial_probability(Moment::ZERO) > 0.99);
    drop(throttle.allow_attempt(&Attempt::FIRST.request(0)));
    assert_eq!(throttle.denial_probability(Moment::from_nanos(131 * SECOND)), 0.0);
}
