//! [`ConsecutiveFailures`]: the default kind of breaker.

use crate::breakers::{Breakers, Kind};
use crate::millionths::Millionths;
use crate::recovery::Recovery;
use crate::settings::{self, SettingsError};
use crate::state::{ABANDONED, Rules};
use recourse_core::{BreakerFactory, BreakerSettings, CircuitBreaker, Key};
use std::sync::Arc;

/// The name under which an executor finds this kind; also what an empty name in a policy means.
pub const CONSECUTIVE_FAILURES: &str = "consecutive_failures";

/// Opens after so many failed attempts in a row; lets one probe through after the cooldown.
///
/// Any Up vote in between starts the count anew; an attempt that says nothing neither counts nor resets. Attempts that
/// were given up say nothing either, up to ten in a row without an answer between them; each further one is a failure.
/// There is no time window: four failures a week apart are four in a row if nothing succeeded between them. This is the
/// breaker of M. Nygard, "Release It!" (2007).
///
/// | setting | read as |
/// |---|---|
/// | `circuit.threshold` | failed attempts in a row that open the circuit |
/// | `circuit.cooldown` | how long it stays open; with a growing [`Recovery`], the first time |
///
/// | option | default | allowed |
/// |---|---|---|
/// | [`throttled_weight`](Self::throttled_weight) | 1: a throttled answer is a failure | 0 to 1 |
/// | [`abandoned_limit`](Self::abandoned_limit) | 10 | [`ignore_abandoned`](Self::ignore_abandoned) for none |
/// | [`recovery`](Self::recovery) | [`Recovery::fixed`] | |
///
/// While the circuit is closed and healthy, asking and telling read one atomic: no lock, no write, no clock. An attempt
/// that is given up takes a short lock, and so does the next good vote. A breaker takes less than 512 bytes.
///
/// # A clock that goes backwards
///
/// The open time then counts from the earliest moment at which a primary attempt has asked since the circuit opened, and
/// a probe's lease likewise. So the circuit stays open for at most one such time after the first attempt that sees the
/// new time; it is never stuck.
///
/// ```
/// use recourse_circuit::{ConsecutiveFailures, Recovery};
/// use recourse_core::{BreakerSettings, CircuitState};
/// use std::time::Duration;
///
/// let kind = ConsecutiveFailures::new().throttled_weight(0.5).recovery(Recovery::fixed().probes(2));
/// let breaker = kind.build()?.one(BreakerSettings::new(5, Duration::from_secs(10)))?;
/// assert_eq!(breaker.state(), CircuitState::Closed);
/// # Ok::<(), recourse_circuit::SettingsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConsecutiveFailures {
    throttled: f64,
    abandoned: Option<u32>,
    recovery: Recovery,
}

/// Makes the breaker of a key with the defaults of [`ConsecutiveFailures`]: this function is a
/// [`BreakerFactory`](recourse_core::BreakerFactory).
///
/// ```
/// use recourse_core::{BreakerFactory, Registry};
///
/// let breakers = Registry::<dyn BreakerFactory>::new();
/// breakers.register(recourse_circuit::CONSECUTIVE_FAILURES, recourse_circuit::consecutive_failures)?;
/// # Ok::<(), recourse_core::RegistryError>(())
/// ```
#[must_use]
pub fn consecutive_failures(key: &Key, settings: &BreakerSettings) -> Arc<dyn CircuitBreaker> {
    Breakers::new(Kind::Streak, Rules::FIXED, None).breaker(key, settings)
}

impl ConsecutiveFailures {
    /// The defaults: what the contract says of a policy that names no breaker.
    #[must_use]
    pub const fn new() -> Self {
        ConsecutiveFailures { throttled: 1.0, abandoned: Some(ABANDONED), recovery: Recovery::fixed() }
    }

    /// Which part of a failure a throttled answer (429, `RESOURCE_EXHAUSTED`) is. It never ends the row of failures;
    /// with 0 it says nothing. In a half-open circuit, one that weighs anything is a failed probe.
    #[must_use]
    pub const fn throttled_weight(mut self, part: f64) -> Self {
        self.throttled = part;
        self
    }

    /// Lets so many attempts in a row be given up (by hedges that won, or by callers who left) without an answer from
    /// any; each further one is a failure, until an attempt is answered. So a side that hangs opens the circuit even
    /// though nobody waits for its answer.
    ///
    /// Set it well above the hedges that a call launches, and above the calls that a caller races with each other on one
    /// key: all but the first are given up at once.
    #[must_use]
    pub const fn abandoned_limit(mut self, in_a_row: u32) -> Self {
        self.abandoned = Some(in_a_row);
        self
    }

    /// Attempts that were given up are no votes.
    #[must_use]
    pub const fn ignore_abandoned(mut self) -> Self {
        self.abandoned = None;
        self
    }

    /// How an open circuit comes back.
    #[must_use]
    pub const fn recovery(mut self, recovery: Recovery) -> Self {
        self.recovery = recovery;
        self
    }

    /// The kind, ready to be registered.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if an option is outside its limits.
    pub fn build(&self) -> Result<Breakers, SettingsError> {
        let throttled: Millionths = settings::part("throttled_weight", self.throttled)?;
        let rules = Rules { throttled, abandoned: self.abandoned, ..self.recovery.rules()? };
        Ok(Breakers::new(Kind::Streak, rules, self.recovery.seeded()))
    }
}

impl Default for ConsecutiveFailures {
    fn default() -> Self {
        Self::new()
    }
}
