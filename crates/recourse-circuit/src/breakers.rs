//! [`Breakers`]: a kind of breaker with its options, as it is registered.

use crate::breaker::Breaker;
use crate::count::{Attempts, Ratios, Seconds, Streak};
use crate::settings::{self, SettingsError};
use crate::state::Rules;
use recourse_core::{BreakerFactory, BreakerSettings, CircuitBreaker, Key};
use std::sync::Arc;

/// Makes breakers of one kind, one for each key; what is registered under a name of your own.
///
/// It comes from `build()` of a kind: [`ConsecutiveFailures`](crate::ConsecutiveFailures),
/// [`FailureRatio`](crate::FailureRatio) or [`SlowCalls`](crate::SlowCalls). An executor hands over the settings of a
/// normalised policy, which are in range. Out of it, a threshold of 0 is taken as 1, one that is larger than a window over
/// attempts as the window, and a short cooldown is as short as it says.
///
/// ```
/// use recourse_circuit::FailureRatio;
/// use recourse_core::{BreakerFactory, Registry};
///
/// let breakers = Registry::<dyn BreakerFactory>::new();
/// breakers.register("one_in_ten", FailureRatio::over_attempts(200).ratio(0.1).build()?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Breakers {
    kind: Kind,
    rules: Rules,
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Streak,
    /// So many attempts.
    Attempts(u32, Ratios),
    /// Ten times so many nanoseconds.
    Seconds(u64, Ratios),
}

impl Breakers {
    pub(crate) const fn new(kind: Kind, rules: Rules, seed: Option<u64>) -> Self {
        Breakers { kind, rules, seed }
    }

    /// One closed breaker, for use without an executor.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if the threshold is 0, or larger than a window over attempts, or the cooldown is shorter than
    /// 100 ms.
    ///
    /// ```
    /// use recourse_circuit::ConsecutiveFailures;
    /// use recourse_core::{BreakerSettings, CircuitState, Moment, Now};
    /// use std::time::Duration;
    ///
    /// let settings = BreakerSettings::new(5, Duration::from_secs(10));
    /// let breaker = ConsecutiveFailures::new().build()?.one(settings)?;
    /// assert_eq!(breaker.status(&Now::at(Moment::ZERO)).state, CircuitState::Closed);
    /// # Ok::<(), recourse_circuit::SettingsError>(())
    /// ```
    pub fn one(&self, settings: BreakerSettings) -> Result<Arc<dyn CircuitBreaker>, SettingsError> {
        settings::check(&settings, self.max_threshold())?;
        Ok(self.make(&settings, 0))
    }

    /// `salt` sets apart the breakers of one seed.
    fn make(&self, settings: &BreakerSettings, salt: u64) -> Arc<dyn CircuitBreaker> {
        let (rules, seed) = (self.rules, self.seed.unwrap_or_else(|| fastrand::u64(..)) ^ salt);
        match self.kind {
            Kind::Streak => Arc::new(Breaker::new(Streak::new(rules.throttled), (), rules, settings, seed)),
            Kind::Attempts(size, ratios) => {
                let count = Attempts::new(size, ratios);
                let inbox = count.inbox();
                Arc::new(Breaker::new(count, inbox, rules, settings, seed))
            }
            Kind::Seconds(tenth, ratios) => {
                let count = Seconds::new(tenth, ratios);
                let inbox = count.inbox();
                Arc::new(Breaker::new(count, inbox, rules, settings, seed))
            }
        }
    }
}

impl BreakerFactory for Breakers {
    fn breaker(&self, key: &Key, settings: &BreakerSettings) -> Arc<dyn CircuitBreaker> {
        self.make(settings, key.fingerprint())
    }

    /// As many attempts as the window holds, where it is over attempts.
    fn max_threshold(&self) -> u32 {
        match self.kind {
            Kind::Attempts(size, _) => size,
            Kind::Streak | Kind::Seconds(..) => u32::MAX,
        }
    }
}
