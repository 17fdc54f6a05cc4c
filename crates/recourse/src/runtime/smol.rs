//! [`SmolSleeper`]: the timer of smol.

use super::LONGEST;
use recourse_core::Sleeper;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// Sleeps on the reactor that smol uses. It works on any executor, for the reactor brings its own thread.
#[derive(Clone, Copy, Debug, Default)]
pub struct SmolSleeper;

impl Sleeper for SmolSleeper {
    fn sleep<'s, 'f>(&'s self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        let timer = async_io::Timer::after(duration.min(LONGEST));
        Box::pin(async {
            timer.await;
        })
    }
}
