//! extras <= initial + ratio x first attempts + reserve x time, at every moment at which an extra is granted.

use crate::attempts::{Attempt, Done, play, script};
use proptest::prelude::*;
use recourse_budget::RetryRatio;
use recourse_core::Moment;
use std::time::Duration;

/// In thousandths of an extra. Time is all that the clock went forward since the first use.
fn account(thousandths: u32, reserve: u32) -> impl FnMut(Done, u64) {
    let (mut firsts, mut extras, mut time, mut before) = (0i128, 0i128, 0i128, None);
    move |done, now| {
        if matches!(done, Done::Allowed(_) | Done::Denied(_)) {
            time += i128::from(now.saturating_sub(before.unwrap_or(now)));
            before = Some(now);
        }
        match done {
            Done::Allowed(attempt) if attempt.is_first() => firsts += 1,
            Done::Allowed(attempt) => {
                extras += i128::from(attempt.cost);
                let by_time = i128::from(reserve) * time / 1_000_000;
                let most = firsts * i128::from(thousandths) + by_time;
                assert!(extras * 1_000 <= most, "{extras} extras after {firsts} first attempts");
            }
            // Where its payment is spent already, later payments settle the debt; the reserve goes on meanwhile.
            Done::Refunded(attempt) if attempt.is_first() => firsts -= i128::from(reserve == 0),
            Done::Refunded(attempt) => extras -= i128::from(attempt.cost),
            Done::Denied(attempt) => assert!(!attempt.is_first()),
            Done::Ended(..) => {}
        }
    }
}

/// Three in four are short.
fn times() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![3 => 0..60_000_000_000u64, 1 => any::<u64>()]
}

proptest! {
    #[test]
    fn with_time_in_any_order(
        lines in script(1..4u32, times()),
        thousandths in prop_oneof![1..1_000u32, 1..=10_000u32],
        reserve in prop_oneof![Just(0), 1..5u32],
        ttl in 1..20u64,
    ) {
        let budget = RetryRatio::new(f64::from(thousandths) / 1e3).unwrap();
        let budget = budget.with_reserve(f64::from(reserve)).unwrap().with_ttl(Duration::from_secs(ttl)).unwrap();
        play(&budget, &lines, account(thousandths, reserve));
    }

    #[test]
    fn and_nothing_is_lost_while_time_stands_still(
        lines in script(1..4u32, Just(7)),
        thousandths in 1..=10_000u32,
        initial in 0..5u32,
    ) {
        let budget = RetryRatio::new(f64::from(thousandths) / 1e3).unwrap().with_initial(initial);
        let mut level = i64::from(initial) * 1_000;
        play(&budget, &lines, |done, _| {
            match done {
                Done::Allowed(attempt) if attempt.is_first() => level += i64::from(thousandths),
                Done::Allowed(attempt) => level -= i64::from(attempt.cost) * 1_000,
                Done::Refunded(attempt) if attempt.is_first() => level -= i64::from(thousandths),
                Done::Refunded(attempt) => level += i64::from(attempt.cost) * 1_000,
                Done::Denied(attempt) => assert!(i64::from(attempt.cost) * 1_000 > level),
                Done::Ended(..) => {}
            }
            assert_eq!(budget.available(Moment::from_nanos(7)), level.max(0) as u64 / 1_000);
        });
    }

    /// The payments of the last 10 to 11 s, give or take one in 32, whatever their pace.
    #[test]
    fn payments_expire_when_they_should(
        pauses in prop::collection::vec(prop_oneof![0..5_000_000_000u64, 0..20_000_000u64, Just(0)], 1..400),
        thousandths in 100..=10_000u32,
    ) {
        let budget = RetryRatio::new(f64::from(thousandths) / 1e3).unwrap();
        let mut paid_at = Vec::new();
        let mut now = 0;
        for pause in pauses {
            now += pause;
            Attempt::FIRST.ask(&budget, now);
            paid_at.push(now);
            let of_last = |nanos: u64| paid_at.iter().filter(|at| **at + nanos >= now).count() as u64;
            let worth = |payments: u64| payments * u64::from(thousandths) / 1_000;
            let available = budget.available(Moment::from_nanos(now));
            let guessed = of_last(30_000_000_000) / 32 + 1;
            prop_assert!(available <= worth(of_last(11_000_000_000) + guessed));
            prop_assert!(available + 1 >= worth(of_last(10_000_000_000).saturating_sub(guessed)));
        }
    }
}
