//! Which latency falls into which bucket: a log-linear scale.
//!
//! Below 262 microseconds buckets are 16.4 microseconds wide. Above, every doubling is cut into 16 of equal width, so
//! that a bucket is at most a sixteenth of what it holds. The last bucket is open.
//!
//! The scale is that of HdrHistogram (Gil Tene), with a coarse unit and four bits of precision.

use std::ops::RangeInclusive;

/// Buckets of one doubling.
pub(crate) const PER_GROUP: usize = 1 << GROUP_BITS;
/// One group below 16 units, then one a doubling; the last closed bucket ends at 66.6 seconds.
pub(crate) const GROUPS: usize = if cfg!(recourse_loom) { 2 } else { 19 };
/// Buckets of the whole scale.
pub(crate) const BUCKETS: usize = GROUPS * PER_GROUP;
/// The open bucket.
pub(crate) const LAST: usize = BUCKETS - 1;

/// A model check explores a scale of four buckets: it has to go through every order of every access.
const GROUP_BITS: u32 = if cfg!(recourse_loom) { 1 } else { 4 };
/// The finest bucket is 2^14 nanoseconds wide; timers are coarser.
const UNIT_BITS: u32 = 14;

/// The bucket of so many nanoseconds.
#[inline]
pub(crate) fn index_of(nanos: u64) -> usize {
    let units = nanos >> UNIT_BITS;
    // How often the first group, of single units, and the second, as wide, have been doubled.
    let doublings = (units | (2 * PER_GROUP as u64 - 1)).ilog2() - GROUP_BITS;
    (doublings as usize * PER_GROUP + (units >> doublings) as usize).min(LAST)
}

/// The shortest and the longest latency of a bucket, in nanoseconds.
#[inline]
pub(crate) fn span_of(index: usize) -> RangeInclusive<u64> {
    let (group, within) = (index / PER_GROUP, (index % PER_GROUP) as u64);
    let (first, doublings) = match group {
        0 => (0, 0),
        _ => (PER_GROUP as u64, group - 1),
    };
    let (shortest, width_bits) = ((first + within) << doublings << UNIT_BITS, doublings as u32 + UNIT_BITS);
    shortest..=if index >= LAST { u64::MAX } else { shortest + (1 << width_bits) - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_meet_without_gap_or_overlap() {
        let mut shortest = 0;
        for index in 0..BUCKETS {
            let span = span_of(index);
            assert_eq!(*span.start(), shortest);
            assert_eq!([*span.start(), *span.end()].map(index_of), [index; 2]);
            shortest = span.end().wrapping_add(1);
        }
        assert_eq!(shortest, 0, "the open bucket has no end");
    }

    #[test]
    fn a_closed_bucket_is_at_most_a_sixteenth_of_its_latencies_wide_or_has_the_finest_width() {
        for index in 0..LAST {
            let span = span_of(index);
            let width = span.end() - span.start();
            assert!(width < 1 << UNIT_BITS || width <= span.start() / 16, "bucket {index}");
        }
    }

    #[test]
    fn the_open_bucket_starts_beyond_a_minute() {
        assert_eq!(span_of(LAST).start() / 100_000_000, 665);
    }
}
