//! [`Origin`]: instants as moments.

use recourse_core::Moment;
use std::hash::{Hash, Hasher};
use std::time::{Duration, Instant};

/// An instant from which moments are counted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    instant: Instant,
    /// Its reading, where readings are nanoseconds.
    reading: Option<u64>,
}

impl Origin {
    pub(super) fn new(instant: Instant) -> Self {
        let reading = reading(instant);
        Origin { instant, reading: readings_are_nanoseconds(instant).then_some(reading) }
    }

    /// The moment of an instant; the first one for all that are earlier.
    #[inline]
    pub(super) fn moment(&self, instant: Instant) -> Moment {
        let Some(origin) = self.reading else {
            return Moment::ZERO + instant.saturating_duration_since(self.instant);
        };
        Moment::from_nanos(reading(instant).saturating_sub(origin))
    }

    /// The instant of a moment.
    #[cfg(feature = "tokio")]
    pub(super) fn instant(&self, moment: Moment) -> Option<Instant> {
        self.instant.checked_add(Duration::from_nanos(moment.as_nanos()))
    }
}

/// What an instant is hashed by, as one number (ADR 0021): its seconds and nanoseconds, on every platform that we know of. The
/// library's own subtraction gives the same, and is a call, with several branches, at each reading of the clock.
#[inline]
fn reading(instant: Instant) -> u64 {
    let mut reading = Reading(0);
    instant.hash(&mut reading);
    reading.0
}

/// Nobody has promised what an instant is hashed by. So it is tried, for all the time that a process may live.
fn readings_are_nanoseconds(instant: Instant) -> bool {
    [1, 999_999_999, 1_000_000_000, 1_000_000_001, 86_399_500_000_000, 1 << 62].into_iter().all(|nanos| {
        let later = instant.checked_add(Duration::from_nanos(nanos));
        later.is_some_and(|later| reading(later).checked_sub(reading(instant)) == Some(nanos))
    })
}

struct Reading(u64);

impl Reading {
    fn seconds(&mut self, seconds: u64) {
        self.0 = self.0.wrapping_add(seconds.wrapping_mul(1_000_000_000));
    }
}

impl Hasher for Reading {
    #[inline]
    fn write_i64(&mut self, seconds: i64) {
        self.seconds(seconds as u64);
    }

    #[inline]
    fn write_u64(&mut self, seconds: u64) {
        self.seconds(seconds);
    }

    #[inline]
    fn write_u32(&mut self, nanos: u32) {
        self.0 = self.0.wrapping_add(nanos.into());
    }

    /// Neither seconds nor nanoseconds: not understood.
    fn write(&mut self, _: &[u8]) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "any instant would do")]
    fn a_moment_is_the_time_since_the_origin_however_it_is_read() {
        let start = Instant::now();
        for ahead in 0..3 {
            let read = Origin::new(start + Duration::from_millis(400 * ahead));
            let asked = Origin { reading: None, ..read };
            assert!(read.reading.is_some() || cfg!(not(target_os = "linux")), "read without a call");
            for nanos in (0..63).map(|bits| 1 << bits).flat_map(|nanos| [nanos - 1, nanos, nanos + 7]) {
                let later = read.instant + Duration::from_nanos(nanos);
                assert_eq!(read.moment(later), Moment::from_nanos(nanos));
                assert_eq!(asked.moment(later), Moment::from_nanos(nanos));
            }
            let before = read.instant - Duration::from_nanos(1);
            assert_eq!((read.moment(before), asked.moment(before)), (Moment::ZERO, Moment::ZERO));
        }
    }
}
