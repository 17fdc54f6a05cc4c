//! Virtual time: a clock and a sleeper that move only when a test, or the future that it runs, has nothing else to do.
//!
//! | file | what lives there |
//! |---|---|
//! | `timer` | the armed timers and the future that waits for one |
//! | `virtual_time` | [`VirtualTime`]: clock, sleeper, and the hands of the test on both |
//! | `stepper` | [`Stepper`] and `VirtualTime::run`: polling a future, with no runtime |

mod stepper;
mod timer;
mod virtual_time;

pub use self::stepper::Stepper;
pub use self::timer::Timer;
pub use self::virtual_time::VirtualTime;
