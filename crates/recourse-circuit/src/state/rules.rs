//! [`Rules`]: what a breaker's kind and options say, beside the policy's threshold and cooldown.

use crate::millionths::Millionths;
use recourse_core::{Moment, Now, Ticket};
use std::time::Duration;

/// So many attempts in a row may be given up, by default: more than the hedges that three groups launch.
pub(crate) const ABANDONED: u32 = 10;

/// What never changes in the life of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rules {
    /// Probes at once.
    pub(crate) probes: u32,
    /// Probes that must succeed.
    pub(crate) successes: u32,
    /// How long a probe keeps its slot, at first.
    pub(crate) lease: Duration,
    /// How the open time grows, if it does.
    pub(crate) growth: Option<Growth>,
    /// By which part the open time may be longer.
    pub(crate) jitter: Millionths,
    /// The part of a failure that a throttled answer is.
    pub(crate) throttled: Millionths,
    /// So many attempts in a row may be given up before each further one is a failure.
    pub(crate) abandoned: Option<u32>,
    /// An attempt that takes longer is slow.
    pub(crate) slow: Option<Duration>,
}

/// Doubling, up to a cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Growth {
    pub(crate) cap: Duration,
    pub(crate) reset_after: Duration,
}

impl Rules {
    /// Those of the default breaker: open for the cooldown, one probe, and a throttled answer is a failure.
    pub(crate) const FIXED: Rules = Rules {
        probes: 1,
        successes: 1,
        lease: Duration::from_secs(60),
        growth: None,
        jitter: Millionths::ZERO,
        throttled: Millionths::ONE,
        abandoned: Some(ABANDONED),
        slow: None,
    };

    /// The ticket with the moment of its admission, where that will be asked for. Else no clock is read.
    pub(crate) fn stamp(&self, ticket: Ticket, now: &Now<'_>) -> Ticket {
        match self.slow {
            Some(_) => ticket.at(now.get()),
            None => ticket,
        }
    }

    /// Whether the attempt has taken too long by now.
    pub(crate) fn is_slow(&self, ticket: Ticket, now: &Now<'_>) -> bool {
        self.slow.is_some_and(|limit| now.get().since(ticket.admitted_at) > limit)
    }

    /// How long the circuit stays open at this trip in a row (1 is the first), for a random number.
    pub(crate) fn open_for(&self, cooldown: Duration, trip: u32, random: u32) -> Duration {
        let mut nanos = cooldown.as_nanos();
        if let Some(growth) = self.growth {
            // 2^64 times 100 ms, the least cooldown, is more than any cap: a larger shift would overflow.
            let doubled = nanos.saturating_mul(1 << trip.saturating_sub(1).min(64));
            nanos = doubled.min(growth.cap.as_nanos().max(nanos));
        }
        let longer = nanos.saturating_mul(u128::from(self.jitter.get())) / 1_000_000;
        nanos = nanos.saturating_add(longer.saturating_mul(u128::from(random)) >> 32);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Whether a circuit that closed then and trips now has held for long enough to start anew.
    pub(crate) fn held(&self, closed_at: Moment, now: Moment) -> bool {
        self.growth.is_some_and(|growth| now.since(closed_at) >= growth.reset_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn growing(cap: u64, jitter: f64) -> Rules {
        let growth = Growth { cap: Duration::from_secs(cap), reset_after: SECOND };
        Rules { growth: Some(growth), jitter: Millionths::of(jitter).expect("a part"), ..Rules::FIXED }
    }

    #[test]
    fn the_time_doubles_up_to_its_cap_and_never_overflows() {
        let rules = growing(10, 0.0);
        let times = [1, 2, 3, 4, 5, 65, 66, u32::MAX].map(|trip| rules.open_for(SECOND, trip, u32::MAX));
        assert_eq!(times.map(|time| time.as_secs()), [1, 2, 4, 8, 10, 10, 10, 10]);
        assert_eq!(rules.open_for(SECOND * 60, 7, 0), SECOND * 60, "a cap below the cooldown");
        let longest = growing(u64::MAX, 1.0).open_for(Duration::MAX, u32::MAX, u32::MAX);
        assert_eq!(longest, Duration::from_nanos(u64::MAX));
    }

    #[test]
    fn jitter_makes_it_longer_after_the_cap_and_never_shorter() {
        let rules = growing(4, 0.5);
        assert_eq!(rules.open_for(SECOND, 9, 0), SECOND * 4);
        assert_eq!(rules.open_for(SECOND, 9, 1 << 31), SECOND * 5);
        let most = rules.open_for(SECOND, 9, u32::MAX);
        assert!(most < SECOND * 6 && most > SECOND * 6 - Duration::from_micros(1));
        assert_eq!(Rules::FIXED.open_for(SECOND, 9, u32::MAX), SECOND);
    }
}
