//! [`FuturesTimerSleeper`]: works on every executor.

use recourse_core::Sleeper;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

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
}
