//! [`Unhurried`]: a sleeper.

use recourse_core::Sleeper;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// Waits `times` as long as it is asked to, on another sleeper.
#[derive(Clone, Copy, Debug)]
pub struct Unhurried<S> {
    times: u32,
    below: S,
}

impl<S> Unhurried<S> {
    /// Waits on `below`.
    pub const fn new(times: u32, below: S) -> Self {
        Unhurried { times, below }
    }
}

impl<S: Sleeper> Sleeper for Unhurried<S> {
    fn sleep<'s, 'f>(&'s self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        self.below.sleep(duration.saturating_mul(self.times))
    }
}
