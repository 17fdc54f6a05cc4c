//! [`Recovery`]: how long a circuit stays open, and what it takes to close it again. The same for every kind of breaker.

use crate::settings::{self, SettingsError};
use crate::state::{Growth, Rules};
use std::time::Duration;

/// One probe is enough to see whether the other side answers, and the least load on one that is down.
const PROBES: u32 = 1;
/// More would be a load that the other side can't bear yet.
const MOST_PROBES: u32 = 64;
/// What the contract asks of the default breaker.
const SUCCESSES: u32 = 1;
const MOST_SUCCESSES: u32 = 1_000;
/// Longer than the attempts of every preset may take.
const LEASE: Duration = Duration::from_secs(60);
/// A shorter one would take the slot from probes that are only a little slow.
const LEAST_LEASE: Duration = Duration::from_millis(100);
/// A side that has come back is noticed within five minutes, however long it was away.
const CAP: Duration = Duration::from_secs(5 * 60);
/// A circuit that trips again within a minute of closing has closed too early.
const RESET_AFTER: Duration = Duration::from_secs(60);
/// Enough to pull apart the probes of processes that tripped together, and hardly longer to wait.
const JITTER: f64 = 0.2;

/// How an open circuit comes back: when it lets probes through, how many, and how many must succeed.
///
/// | | [`fixed`](Self::fixed) | [`growing`](Self::growing) | allowed |
/// |---|---|---|---|
/// | the default of | `consecutive_failures` | the ratio breakers | |
/// | open for | `circuit.cooldown` | `circuit.cooldown`, doubled at each trip in a row, up to 5 minutes | a cap of at least 100 ms |
/// | growth is forgotten | - | once the circuit was closed for 1 minute | any |
/// | [`jitter`](Self::jitter) | 0 | 0.2: up to a fifth longer | 0 to 1 |
/// | [`probes`](Self::probes) at once | 1 | 1 | 1 to 64 |
/// | [`successes`](Self::successes) to close | 1 | 1 | 1 to 1,000 |
/// | [`lease`](Self::lease) of a probe | 60 s | 60 s | at least 100 ms |
///
/// The default breaker stays open for the policy's cooldown to the nanosecond, because that is what a policy which says
/// no more than threshold and cooldown promises. Where many processes call one side, they trip together; without jitter
/// their probes come together too.
///
/// ```
/// use recourse_circuit::{ConsecutiveFailures, Recovery};
/// use std::time::Duration;
///
/// let recovery = Recovery::growing(Duration::from_secs(120)).probes(3).successes(5);
/// let patient = ConsecutiveFailures::new().recovery(recovery).build()?;
/// # let _ = patient;
/// # Ok::<(), recourse_circuit::SettingsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recovery {
    probes: u32,
    successes: u32,
    lease: Duration,
    cap: Option<Duration>,
    reset_after: Duration,
    jitter: f64,
    seed: Option<u64>,
}

impl Recovery {
    /// Open for the policy's cooldown, each time.
    #[must_use]
    pub const fn fixed() -> Self {
        Recovery {
            probes: PROBES,
            successes: SUCCESSES,
            lease: LEASE,
            cap: None,
            reset_after: RESET_AFTER,
            jitter: 0.0,
            seed: None,
        }
    }

    /// Open for the policy's cooldown at the first trip, and twice as long at each further one, up to `cap` (or to the
    /// cooldown, where that is longer). With jitter.
    ///
    /// A trip is a further one if it follows a failed probe, or if the circuit wasn't closed for
    /// [`reset_after`](Self::reset_after) before. The exponential reset of circuit breakers is described in M. Nygard,
    /// "Release It!", and built into Finagle's failure accrual and Polly; the cap comes before the jitter, so that long
    /// times don't all end on the cap.
    #[must_use]
    pub const fn growing(cap: Duration) -> Self {
        Recovery { cap: Some(cap), jitter: JITTER, ..Recovery::fixed() }
    }

    /// How many probes may be out at once in a half-open circuit: exactly so many, never more.
    #[must_use]
    pub const fn probes(mut self, probes: u32) -> Self {
        self.probes = probes;
        self
    }

    /// How many probes must succeed, all in all, until the circuit closes. One that fails opens it again.
    #[must_use]
    pub const fn successes(mut self, successes: u32) -> Self {
        self.successes = successes;
        self
    }

    /// After how long a probe that hasn't ended loses its slot to the next attempt that asks; its own result is then
    /// ignored.
    ///
    /// So a probe that hangs can't keep a circuit half-open, even where the policy has no timeout. Each lease that runs
    /// out makes the next ones twice as long, until the circuit leaves half-open: so operations that always take longer
    /// than the lease end in time too, in the end.
    #[must_use]
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// For how long the circuit must have been closed until a trip counts as the first one again. Of no effect where
    /// the time doesn't grow.
    #[must_use]
    pub const fn reset_after(mut self, closed_for: Duration) -> Self {
        self.reset_after = closed_for;
        self
    }

    /// By which part the time may be longer: with 0.2, evenly between 1 and 1.2 times. Never shorter, so that the
    /// cooldown remains a promise.
    #[must_use]
    pub const fn jitter(mut self, part: f64) -> Self {
        self.jitter = part;
        self
    }

    /// Makes the jitter the same in every run: it then depends on this seed, the key and the number of changes of
    /// state. By default it is random.
    #[must_use]
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The part of the rules that is the same for every kind.
    pub(crate) fn rules(&self) -> Result<Rules, SettingsError> {
        settings::within("probes", self.probes, 1..=MOST_PROBES)?;
        settings::within("successes", self.successes, 1..=MOST_SUCCESSES)?;
        settings::at_least("lease", self.lease, LEAST_LEASE)?;
        if let Some(cap) = self.cap {
            settings::at_least("cap", cap, recourse_core::policy::limits::MIN_COOLDOWN)?;
        }
        Ok(Rules {
            probes: self.probes,
            successes: self.successes,
            lease: self.lease,
            growth: self.cap.map(|cap| Growth { cap, reset_after: self.reset_after }),
            jitter: settings::part("jitter", self.jitter)?,
            ..Rules::FIXED
        })
    }

    pub(crate) const fn seeded(&self) -> Option<u64> {
        self.seed
    }
}

impl Default for Recovery {
    /// Growing, up to 5 minutes.
    fn default() -> Self {
        Recovery::growing(CAP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_that_need_no_check_are_those_of_a_fixed_recovery() {
        assert_eq!(Recovery::fixed().rules(), Ok(Rules::FIXED));
    }
}
