//! [`FailureRatio`]: breakers that judge a window.

use crate::breakers::{Breakers, Kind};
use crate::count::{BUCKETS, Ratios};
use crate::recovery::Recovery;
use crate::settings::{self, SettingsError};
use crate::state::{ABANDONED, Rules};
use std::time::Duration;

/// The name under which an executor finds [`FailureRatio::over_attempts`] with its defaults.
pub const FAILURE_RATIO_COUNT: &str = "failure_ratio_count";
/// The name under which an executor finds [`FailureRatio::over_time`] with its defaults.
pub const FAILURE_RATIO_TIME: &str = "failure_ratio_time";

/// Long enough for a ratio to mean something, short enough to notice.
pub(crate) const ATTEMPTS: u32 = 100;
/// A window of 10,000 attempts takes 4 KB of bits.
const MOST_ATTEMPTS: u32 = 10_000;
/// Hystrix's, and a few attempts at the least usual rates.
pub(crate) const WINDOW: Duration = Duration::from_secs(10);
const SHORTEST_WINDOW: Duration = Duration::from_secs(1);
/// A longer one remembers another day.
const LONGEST_WINDOW: Duration = Duration::from_secs(60 * 60);
/// Hystrix's and resilience4j's: half of what is sent is wasted.
pub(crate) const RATIO: f64 = 0.5;
/// Hystrix's: below it, two failures of three say little.
const MINIMUM: u32 = 20;
/// The other side works, and says so: half a failure.
const THROTTLED: f64 = 0.5;

/// Opens when too large a part of the attempts in a window has failed.
///
/// The window is over the last attempts or over the last seconds; both slide. It is judged when an attempt is counted
/// that failed, was throttled or was given up once too often: a success never opens a circuit, nor does time that
/// passes. A closed circuit opens when, in the window,
///
/// - there are at least [`minimum_attempts`](Self::minimum_attempts), and
/// - at least `circuit.threshold` of them failed, and
/// - the failed ones are at least [`ratio`](Self::ratio) of all.
///
/// | setting | read as |
/// |---|---|
/// | `circuit.threshold` | failures that the window must hold before the ratio is judged; at most as many as a window over attempts holds |
/// | `circuit.cooldown` | how long the circuit stays open the first time; see [`Recovery`] |
///
/// | option | default | allowed |
/// |---|---|---|
/// | window | 100 attempts, or 10 s | 1 to 10,000 attempts; 1 s to 1 h |
/// | [`ratio`](Self::ratio) | 0.5 | 0.000001 to 1 |
/// | [`minimum_attempts`](Self::minimum_attempts) | 20, or the window if that is smaller | 1 to the window |
/// | [`throttled_weight`](Self::throttled_weight) | 0.5 | 0 to 1 |
/// | [`abandoned_limit`](Self::abandoned_limit) | 10 | [`ignore_abandoned`](Self::ignore_abandoned) for none |
/// | [`recovery`](Self::recovery) | growing up to 5 minutes, with jitter | |
///
/// A window starts empty when the circuit closes. Nothing of an attempt that says nothing (aborted, denied by a budget)
/// is counted.
///
/// # What it costs
///
/// A success is counted on a cache line of the thread's own, without a lock; over attempts it isn't even written once
/// the window is full of successes. A window over time reads the clock for each answer. Failures take a short lock. A
/// breaker takes less than 1 KiB, 3/8 of a byte for each attempt of a window over attempts, and 128 bytes for each
/// stripe of threads (twice the processors, from 4 to 16).
///
/// # A clock that jumps
///
/// A window over attempts has no time. One over time is that which ends with the moment of the vote: after a jump
/// forward it is empty, after one backwards it holds what was counted at those moments before.
///
/// Ratios over sliding windows are those of Netflix's Hystrix and of resilience4j.
///
/// ```
/// use recourse_circuit::{FailureRatio, Recovery};
/// use std::time::Duration;
///
/// let strict = FailureRatio::over_time(Duration::from_secs(30))
///     .ratio(0.2)
///     .minimum_attempts(50)
///     .recovery(Recovery::growing(Duration::from_secs(60)).probes(2).successes(4))
///     .build()?;
/// # let _ = strict;
/// # Ok::<(), recourse_circuit::SettingsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FailureRatio {
    window: Window,
    ratio: f64,
    minimum: Option<u32>,
    throttled: f64,
    abandoned: Option<u32>,
    recovery: Recovery,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Window {
    Attempts(u32),
    Time(Duration),
}

impl FailureRatio {
    /// Over the last so many attempts.
    #[must_use]
    pub fn over_attempts(attempts: u32) -> Self {
        FailureRatio::over(Window::Attempts(attempts))
    }

    /// Over the last so much time. It slides by a tenth of its length.
    #[must_use]
    pub fn over_time(window: Duration) -> Self {
        FailureRatio::over(Window::Time(window))
    }

    fn over(window: Window) -> Self {
        FailureRatio {
            window,
            ratio: RATIO,
            minimum: None,
            throttled: THROTTLED,
            abandoned: Some(ABANDONED),
            recovery: Recovery::default(),
        }
    }

    /// The part of the attempts whose failure opens the circuit. Counted in millionths, rounded down; 0.6 is six of ten
    /// and not five.
    #[must_use]
    pub const fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio;
        self
    }

    /// Attempts that the window must hold before it is judged.
    #[must_use]
    pub const fn minimum_attempts(mut self, attempts: u32) -> Self {
        self.minimum = Some(attempts);
        self
    }

    /// Which part of a failure a throttled answer (429, `RESOURCE_EXHAUSTED`) is; with 0 it counts as a success does. In
    /// a half-open circuit, one that weighs anything is a failed probe, and one that doesn't says nothing.
    #[must_use]
    pub const fn throttled_weight(mut self, part: f64) -> Self {
        self.throttled = part;
        self
    }

    /// Lets so many attempts in a row be given up (by hedges that won, or by callers who left) without an answer from
    /// any; each further one is a failure, until an attempt is answered.
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
    ///
    /// ```
    /// use recourse_circuit::FailureRatio;
    ///
    /// let error = FailureRatio::over_attempts(10).minimum_attempts(11).build().unwrap_err();
    /// assert_eq!(error.to_string(), "minimum_attempts = 11 is not allowed: 1 to 10");
    /// ```
    pub fn build(&self) -> Result<Breakers, SettingsError> {
        self.build_with(None)
    }

    /// With the limit beyond which an attempt is slow, and the ratio of slow ones.
    pub(crate) fn build_with(&self, slow: Option<(Duration, f64)>) -> Result<Breakers, SettingsError> {
        let largest = match self.window {
            Window::Attempts(attempts) => {
                settings::within("over_attempts", attempts, 1..=MOST_ATTEMPTS)?;
                attempts
            }
            Window::Time(window) => {
                settings::within("over_time", window, SHORTEST_WINDOW..=LONGEST_WINDOW)?;
                u32::MAX
            }
        };
        let minimum = self.minimum.unwrap_or(MINIMUM.min(largest));
        settings::within("minimum_attempts", minimum, 1..=largest)?;
        let ratios = Ratios {
            failed: settings::ratio("ratio", self.ratio)?,
            slow: match slow {
                Some((_, ratio)) => Some(settings::ratio("slow_ratio", ratio)?),
                None => None,
            },
            throttled: settings::part("throttled_weight", self.throttled)?,
            minimum,
        };
        let rules = Rules {
            throttled: ratios.throttled,
            abandoned: self.abandoned,
            slow: slow.map(|(limit, _)| limit),
            ..self.recovery.rules()?
        };
        let kind = match self.window {
            Window::Attempts(attempts) => Kind::Attempts(attempts, ratios),
            Window::Time(window) => Kind::Seconds(tenth(window), ratios),
        };
        Ok(Breakers::new(kind, rules, self.recovery.seeded()))
    }
}

/// Nanoseconds.
fn tenth(window: Duration) -> u64 {
    u64::try_from(window.as_nanos() / BUCKETS as u128).unwrap_or(u64::MAX)
}
