//! What holds of waits whatever the policy, the attempt and the random number.

use super::BackoffRules;
use crate::call::decide::{Event, Progress, Rules, Step, nanos};
use crate::runtime::random::Random;
use proptest::prelude::*;
use recourse_core::policy::{EffectivePolicy, PolicySource};
use recourse_core::{Jitter, OutcomeKind, Policy, StopReason};
use std::time::Duration;

/// Any duration, most often one near the limits.
fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0..400_000_u64).prop_map(Duration::from_millis),
        any::<u64>().prop_map(Duration::from_nanos),
        Just(Duration::MAX),
    ]
}

/// Any policy that a call may run by.
fn policies() -> impl Strategy<Value = EffectivePolicy> {
    let multipliers = prop_oneof![0.0..20.0, Just(f64::MAX)];
    let jitters = proptest::sample::select(Jitter::ALL.to_vec());
    (durations(), durations(), multipliers, jitters, durations()).prop_map(
        |(initial, max, by, jitter, server)| {
            let mut policy = Policy::new().backoff(initial, max).jitter(jitter);
            (policy.retry.backoff_multiplier, policy.retry.max_server_delay) = (by, server);
            policy.normalize(PolicySource::Static).expect("the factor is a number")
        },
    )
}

/// The first attempts, and any.
fn attempts() -> impl Strategy<Value = u32> {
    prop_oneof![0..12_u32, 12..2_000_u32, any::<u32>()]
}

proptest! {
    #[test]
    fn no_wait_is_above_the_cap_or_below_what_its_jitter_allows(
        effective in policies(), attempt in attempts(), before: u64, random: u64,
    ) {
        let retry = &effective.policy.retry;
        let rules = BackoffRules::new(retry);
        let wait = Duration::from_nanos(rules.wait(attempt, before, || random));
        let plain = Policy::new().backoff(retry.initial_backoff, retry.max_backoff).jitter(Jitter::None);
        let mut plain = plain.retry;
        plain.backoff_multiplier = retry.backoff_multiplier;
        let capped = Duration::from_nanos(BackoffRules::new(&plain).wait(attempt, before, || random));
        prop_assert!(wait <= retry.max_backoff && wait <= rules.longest(attempt));
        prop_assert!(capped >= retry.initial_backoff && capped <= retry.max_backoff);
        match retry.jitter {
            Jitter::None => prop_assert_eq!(wait, capped),
            Jitter::Equal => prop_assert!(wait >= capped / 2 && wait <= capped),
            Jitter::Decorrelated => prop_assert!(wait >= retry.initial_backoff),
            _ => prop_assert!(wait <= capped),
        }
    }

    #[test]
    fn a_later_attempt_waits_no_less_where_there_is_no_jitter(effective in policies(), attempt in attempts()) {
        let mut retry = effective.policy.retry;
        retry.jitter = Jitter::None;
        let rules = BackoffRules::new(&retry);
        let wait = |attempt| rules.wait(attempt, 0, || 0);
        prop_assert!(wait(attempt) <= wait(attempt.saturating_add(1)));
    }

    #[test]
    fn a_servers_delay_is_kept_to_the_nanosecond_or_ends_the_call(
        effective in policies(), asked in prop::collection::vec(durations(), 1..4),
    ) {
        let mut rules = Rules::new(&effective);
        (rules.max_attempts, rules.max_hedges) = (2, 3);
        let mut progress = Progress::new(&rules, true, false);
        let mut step = Step::Poll;
        for slot in 0..asked.len() {
            progress.on(&rules, Event::Admitted { slot });
        }
        for (slot, backoff) in asked.iter().enumerate() {
            let backoff = Some(*backoff);
            step = progress.on(&rules, Event::Ended { slot, kind: OutcomeKind::Retryable, backoff });
        }
        let longest = asked.iter().map(|asked| nanos(*asked)).max().filter(|&longest| longest > 0);
        if longest > Some(nanos(effective.policy.retry.max_server_delay)) {
            prop_assert_eq!(step, Step::Finish { stop: Some(StopReason::ServerDelayTooLong) });
        } else {
            prop_assert_eq!(step, Step::Draw);
            prop_assert_eq!(progress.server_delay(), longest);
        }
    }
}

/// How far fair numbers may be from evenly spread over 64 bins: 99.99 in 100 are below.
const FAIR: f64 = 115.0;

#[test]
fn jitter_spreads_waits_evenly_over_all_that_it_allows() {
    const DRAWS: u32 = 64_000;
    const BINS: u64 = 64;
    let (initial, max) = (Duration::from_millis(100), Duration::from_secs(1));
    let (third, fourth) = (nanos(initial) * 4, nanos(initial) * 8);
    for (jitter, attempt, before, low, high) in [
        (Jitter::Full, 2, 0, 0, third),
        (Jitter::Full, 3, 0, 0, fourth),
        (Jitter::Equal, 3, 0, fourth / 2, fourth),
        (Jitter::Decorrelated, 1, nanos(initial) * 2, nanos(initial), nanos(initial) * 6),
        (Jitter::Decorrelated, 5, nanos(max), nanos(initial), nanos(max)),
    ] {
        let rules = BackoffRules::new(&Policy::new().backoff(initial, max).jitter(jitter).retry);
        let random = Random::new(Some(11));
        let mut bins = [0_u32; BINS as usize];
        for _ in 0..DRAWS {
            let wait = rules.wait(attempt, before, || random.draw());
            bins[usize::try_from((wait - low) * BINS / (high - low + 1)).expect("a bin")] += 1;
        }
        let expected = f64::from(DRAWS) / 64.0;
        let chi: f64 = bins.iter().map(|&found| (f64::from(found) - expected).powi(2) / expected).sum();
        assert!(chi < FAIR, "{jitter:?} after attempt {attempt}: {chi}");
    }
}
