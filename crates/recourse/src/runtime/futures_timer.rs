//! [`FuturesTimerSleeper`]: works on every executor.

use recourse_core::{Sleeper, Timer};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// Sleeps on any executor, or none; the default. One helper thread serves the timers of the whole process.
#[derive(Clone, Copy, Debug, Default)]
pub struct FuturesTimerSleeper;

impl Sleeper for FuturesTimerSleeper {
    fn sleep<'s, 'f>(&'s self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(futures_timer::Delay::new(duration.min(super::LONGEST)))
    }

    fn timer<'s, 'f>(
        &'s self,
        duration: Duration,
        _: Option<Instant>,
    ) -> Option<Pin<Box<dyn Timer + Send + 'f>>>
    where
        's: 'f,
        Self: 'f,
    {
        Some(Box::pin(DelayTimer(futures_timer::Delay::new(duration.min(super::LONGEST)))))
    }
}

/// One delay, set again and again.
struct DelayTimer(futures_timer::Delay);

impl Future for DelayTimer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl Timer for DelayTimer {
    fn set(mut self: Pin<&mut Self>, duration: Duration, _: Option<Instant>) {
        self.0.reset(duration.min(super::LONGEST));
    }
}
