//! [`TokioSleeper`] and [`TokioClock`]: tokio's timer and clock.

use super::{FuturesTimerSleeper, LONGEST, SystemClock};
use recourse_core::{Clock, Moment, Sleeper};
use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;

/// Sleeps on tokio's timer wheel.
///
/// Outside a tokio runtime it sleeps as [`FuturesTimerSleeper`] does. A runtime that was built without `enable_time`
/// has no timer: there the call ends with `panic_in_sleeper`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioSleeper;

impl Sleeper for TokioSleeper {
    fn sleep<'s, 'f>(&'s self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        if Handle::try_current().is_err() {
            return FuturesTimerSleeper.sleep(duration);
        }
        Box::pin(tokio::time::sleep(duration.min(LONGEST)))
    }
}

/// Tokio's clock, which a test may pause (`start_paused`). Outside a tokio runtime it is the system's.
///
/// Use it together with [`TokioSleeper`], so that both stand still or move as one.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    origin: tokio::time::Instant,
}

impl TokioClock {
    /// A clock whose origin is now.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "making one reads the clock")]
    pub fn new() -> Self {
        TokioClock { origin: tokio::time::Instant::now() }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Moment {
        Moment::ZERO + tokio::time::Instant::now().saturating_duration_since(self.origin)
    }

    fn calendar(&self, moment: Moment) -> Option<SystemTime> {
        let ahead = moment.since(self.now());
        let behind = self.now().since(moment);
        SystemClock.calendar(SystemClock.now() + ahead)?.checked_sub(behind)
    }
}
