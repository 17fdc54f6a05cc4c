//! Bucket, quota and in-flight against the simplest account of what they were asked.

use crate::attempts::{Attempt, Done, How, play, script};
use proptest::prelude::*;
use recourse_budget::{InFlight, Quota, TokenBucket};
use recourse_core::{Budget, Moment};

proptest! {
    #[test]
    fn a_bucket_that_never_refills_holds_what_is_not_spent(
        lines in script(1..8u32, any::<u64>()),
        capacity in 1..60u32,
        gated in any::<bool>(),
    ) {
        let mut bucket = TokenBucket::new(capacity, 0.0).unwrap();
        if gated {
            bucket = bucket.gate_first_attempts();
        }
        let mut spent = 0;
        play(&bucket, &lines, |done, now| {
            let paid = |attempt: Attempt| {
                if attempt.is_first() && !gated { 0 } else { attempt.cost }
            };
            match done {
                Done::Allowed(attempt) => spent += paid(attempt),
                Done::Refunded(attempt) => spent -= paid(attempt),
                Done::Denied(attempt) => {
                    assert!(paid(attempt) > capacity - spent, "denied with tokens in the bucket");
                }
                Done::Ended(..) => {}
            }
            assert_eq!(bucket.available(Moment::from_nanos(now)), u64::from(capacity - spent));
        });
    }

    #[test]
    fn a_bucket_grants_no_more_than_has_flowed_in(
        lines in script(1..8u32, 0..20_000_000_000u64),
        capacity in 1..20u32,
        rate in 0.0..5.0f64,
    ) {
        let bucket = TokenBucket::new(capacity, rate).unwrap();
        // All that the clock went forward, as far as the bucket can have read it.
        let (mut spent, mut time, mut before) = (0i64, 0, None);
        play(&bucket, &lines, |done, now| {
            if let Done::Allowed(attempt) | Done::Denied(attempt) = done {
                if !attempt.is_first() {
                    time += now.saturating_sub(before.unwrap_or(now));
                    before = Some(now);
                }
            }
            match done {
                Done::Allowed(attempt) if !attempt.is_first() => {
                    spent += i64::from(attempt.cost);
                    let flowed_in = f64::from(capacity) + rate * time as f64 / 1e9;
                    assert!(spent as f64 <= flowed_in + 1e-6, "{spent} of {flowed_in}");
                }
                Done::Refunded(attempt) if !attempt.is_first() => spent -= i64::from(attempt.cost),
                _ => {}
            }
            assert!(bucket.available(Moment::from_nanos(now)) <= u64::from(capacity));
        });
    }

    #[test]
    fn a_quota_returns_no_more_than_it_took(
        lines in script(1..6u32, Just(0)),
        retry_price in 1..7u32,
        surcharge in 0..7u32,
    ) {
        let capacity = 60;
        let quota = Quota::new(capacity, retry_price, retry_price + surcharge).unwrap();
        let mut tokens = i64::from(capacity);
        let price = |attempt: Attempt| {
            i64::from((retry_price + if attempt.after_timeout { surcharge } else { 0 }) * attempt.cost)
        };
        play(&quota, &lines, |done, _| {
            match done {
                Done::Allowed(attempt) if !attempt.is_first() => tokens -= price(attempt),
                Done::Refunded(attempt) if !attempt.is_first() => tokens += price(attempt),
                Done::Denied(attempt) => assert!(price(attempt) > tokens),
                Done::Ended(attempt, How::Success) => {
                    tokens += if attempt.is_first() { 1 } else { price(attempt) };
                }
                _ => {}
            }
            tokens = tokens.min(i64::from(capacity));
            assert!(tokens >= 0);
            assert_eq!(i64::from(quota.tokens()), tokens);
        });
    }

    #[test]
    fn in_flight_counts_what_is_under_way_and_nothing_else(
        lines in script(1..5u32, Just(0)),
        share in 0.0..0.9f64,
        floor in 1..6u32,
    ) {
        let budget = InFlight::new(share, floor).unwrap();
        let (mut firsts, mut extras) = (0, 0);
        play(&budget, &lines, |done, _| {
            let fits = |firsts: u32, extras: u32| {
                extras <= floor || f64::from(extras) <= share * f64::from(firsts + extras) + 1e-6
            };
            match done {
                Done::Allowed(attempt) if attempt.is_first() => firsts += 1,
                Done::Allowed(attempt) => {
                    extras += attempt.cost;
                    assert!(fits(firsts, extras), "{extras} beside {firsts}");
                }
                Done::Denied(attempt) => {
                    assert!(!attempt.is_first() && extras + attempt.cost > floor);
                }
                Done::Ended(attempt, _) | Done::Refunded(attempt) => {
                    if attempt.is_first() { firsts -= 1 } else { extras -= attempt.cost }
                }
            }
            assert_eq!((budget.first_attempts(), budget.extras()), (firsts, extras));
        });
        assert_eq!((budget.first_attempts(), budget.extras()), (0, 0));
    }

    #[test]
    fn a_budget_that_takes_tokens_can_be_shared_by_retries_and_hedges(lines in script(1..3u32, Just(0))) {
        let bucket = TokenBucket::new(10, 0.0).unwrap();
        let mut spent = 0;
        play(&bucket, &lines, |done, _| match done {
            Done::Allowed(attempt) if !attempt.is_first() => spent += attempt.cost,
            Done::Refunded(attempt) if !attempt.is_first() => spent -= attempt.cost,
            _ => assert!(spent <= 10),
        });
        prop_assert!(!bucket.wants_outcomes());
    }
}
