//! [`AsyncStdSleeper`]: the timer of async-std.

use super::LONGEST;
use recourse_core::Sleeper;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// Sleeps on async-std's timer. It works on any executor, for the reactor brings its own thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncStdSleeper;

impl Sleeper for AsyncStdSleeper {
    fn sleep<'s, 'f>(&'s self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(async_std::task::sleep(duration.min(LONGEST)))
    }
}
