//! [`TokioSleeper`] and [`TokioClock`]: tokio's timer and clock.

use super::origin::Origin;
use super::{FuturesTimerSleeper, LONGEST, SystemClock};
use recourse_core::{Clock, Moment, Sleeper, Timer};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};
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

    fn timer<'s, 'f>(
        &'s self,
        duration: Duration,
        until: Option<Instant>,
    ) -> Option<Pin<Box<dyn Timer + Send + 'f>>>
    where
        's: 'f,
        Self: 'f,
    {
        if Handle::try_current().is_err() {
            return FuturesTimerSleeper.timer(duration, until);
        }
        let sleep = match until {
            Some(until) => tokio::time::sleep_until(until.into()),
            None => tokio::time::sleep(duration.min(LONGEST)),
        };
        Some(Box::pin(TokioTimer { sleep }))
    }
}

pin_project_lite::pin_project! {
    /// One sleep, set again and again: it is registered with the runtime once.
    struct TokioTimer {
        #[pin]
        sleep: tokio::time::Sleep,
    }
}

impl Future for TokioTimer {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(cx)
    }
}

impl Timer for TokioTimer {
    fn set(self: Pin<&mut Self>, duration: Duration, until: Option<Instant>) {
        let until = until.map_or_else(|| tokio::time::Instant::now() + duration.min(LONGEST), Into::into);
        self.project().sleep.reset(until);
    }
}

/// Tokio's clock, which a test may pause (`start_paused`). Outside a tokio runtime it is the system's.
///
/// Use it together with [`TokioSleeper`], so that both stand still or move as one.
#[derive(Clone, Copy, Debug)]
pub struct TokioClock {
    origin: Origin,
}

impl TokioClock {
    /// A clock whose origin is now.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "making one reads the clock")]
    pub fn new() -> Self {
        TokioClock { origin: Origin::new(tokio::time::Instant::now().into_std()) }
    }
}

impl Clock for TokioClock {
    fn now(&self) -> Moment {
        self.origin.moment(tokio::time::Instant::now().into_std())
    }

    fn instant(&self, moment: Moment) -> Option<Instant> {
        self.origin.instant(moment)
    }

    fn calendar(&self, moment: Moment) -> Option<SystemTime> {
        let ahead = moment.since(self.now());
        let behind = self.now().since(moment);
        SystemClock.calendar(SystemClock.now() + ahead)?.checked_sub(behind)
    }
}
