//! [`SmolSleeper`]: the timer of smol.

use super::LONGEST;
use recourse_core::{Sleeper, Timer};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

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

    fn timer<'s, 'f>(
        &'s self,
        duration: Duration,
        _: Option<Instant>,
    ) -> Option<Pin<Box<dyn Timer + Send + 'f>>>
    where
        's: 'f,
        Self: 'f,
    {
        Some(Box::pin(SmolTimer(async_io::Timer::after(duration.min(LONGEST)))))
    }
}

/// One timer, set again and again.
struct SmolTimer(async_io::Timer);

impl Future for SmolTimer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

impl Timer for SmolTimer {
    fn set(mut self: Pin<&mut Self>, duration: Duration, _: Option<Instant>) {
        self.0.set_after(duration.min(LONGEST));
    }
}
