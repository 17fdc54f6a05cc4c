//! Time on real runtimes: clocks and sleepers. Nothing outside this folder touches the operating system's clock.
//!
//! | sleeper | feature | works under |
//! |---|---|---|
//! | [`FuturesTimerSleeper`] | always | any executor, or none: one helper thread serves all timers |
//! | `TokioSleeper` | `tokio` | tokio; elsewhere it does what the default does |
//! | `SmolSleeper` | `smol` | smol, and any other executor |
//! | `AsyncStdSleeper` | `async-std` | async-std, and any other executor |

use std::any::TypeId;

#[cfg(feature = "async-std")]
mod async_std;
mod clock;
mod futures_timer;
mod origin;
pub(crate) mod random;
#[cfg(feature = "smol")]
mod smol;
#[cfg(feature = "tokio")]
mod tokio;

#[cfg(feature = "async-std")]
pub use self::async_std::AsyncStdSleeper;
pub use self::clock::SystemClock;
pub use self::futures_timer::FuturesTimerSleeper;
#[cfg(feature = "smol")]
pub use self::smol::SmolSleeper;
#[cfg(feature = "tokio")]
pub use self::tokio::{TokioClock, TokioSleeper};

/// Timers of a century: longer ones overflow the operating system's clock.
pub(crate) const LONGEST: std::time::Duration = std::time::Duration::from_secs(100 * 365 * 24 * 3600);

/// Whether this is a clock of our own, which doesn't panic.
pub(crate) fn is_builtin_clock<C: 'static>() -> bool {
    let clock = TypeId::of::<C>();
    #[cfg(feature = "tokio")]
    if clock == TypeId::of::<TokioClock>() {
        return true;
    }
    clock == TypeId::of::<SystemClock>()
}
