//! [`SystemClock`]: the operating system's monotonic clock.

use super::origin::Origin;
use recourse_core::{Clock, Moment};
use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

/// The operating system's monotonic clock; the default. Its origin is its first use in the process.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// The same point on both clocks, so that a moment can be shown by the calendar.
struct Anchor {
    monotonic: Origin,
    calendar: SystemTime,
}

#[allow(clippy::disallowed_methods, reason = "the one place that reads the operating system's clocks")]
fn anchor() -> &'static Anchor {
    static ANCHOR: OnceLock<Anchor> = OnceLock::new();
    ANCHOR.get_or_init(|| Anchor { monotonic: Origin::new(Instant::now()), calendar: SystemTime::now() })
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the operating system's clocks")]
    fn now(&self) -> Moment {
        let origin = &anchor().monotonic;
        origin.moment(Instant::now())
    }

    fn calendar(&self, moment: Moment) -> Option<SystemTime> {
        anchor().calendar.checked_add(Duration::from_nanos(moment.as_nanos()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_goes_back_and_has_a_calendar() {
        let (first, second) = (SystemClock.now(), SystemClock.now());
        assert!(second >= first);
        assert!(SystemClock.calendar(second).unwrap() > SystemTime::UNIX_EPOCH);
    }
}
