//! Which latency falls into which bucket: a log-linear scale.
//!
//! Below 262 microseconds buckets are 16.4 microseconds wide. Above, every doubling is cut into 16 of equal width, so
//! that a bucket is at most a sixteenth of what it holds. The last bucket is open.
//!
//! The scale is that of HdrHistogram (Gil Tene), with a coarse unit and four bits of precision.

/// Buckets of one doubling.
pub(crate) const PER_GROUP: usize = 1 << GROUP_BITS;
/// One group below 16 units, then one a doubling; the last closed bucket ends at 66.6 seconds.
pub(crate) const GROUPS: usize = 19;
/// Buckets of the whole scale.
pub(crate) const BUCKETS: usize = GROUPS * PER_GROUP;

const GROUP_BITS: u32 = 4;
/// The finest bucket is 2^14 nanoseconds wide; timers are coarser.
const UNIT_BITS: u32 = 14;
const LAST: usize = BUCKETS - 1;

/// The bucket of so many nanoseconds.
pub(crate) fn index_of(nanos: u64) -> usize {
    let units = nanos >> UNIT_BITS;
    let group = u64::BITS - (units >> GROUP_BITS).leading_zeros();
    let doublings = group.saturating_sub(1);
    let within = (units >> doublings) as usize & (PER_GROUP - 1);
    (group as usize * PER_GROUP + within).min(LAST)
}

/// The longest latency of a bucket, in nanoseconds.
pub(crate) fn longest_of(index: usize) -> u64 {
    if index >= LAST {
        return u64::MAX;
    }
    let (group, within) = (index / PER_GROUP, (index % PER_GROUP) as u64);
    let (first, doublings) = match group {
        0 => (0, 0),
        _ => (PER_GROUP as u64, group - 1),
    };
    (((first + within + 1) << doublings) << UNIT_BITS) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_meet_without_gap_or_overlap() {
        assert_eq!(index_of(0), 0);
        for index in 0..LAST {
            let longest = longest_of(index);
            assert_eq!(index_of(longest), index);
            assert_eq!(index_of(longest + 1), index + 1);
        }
        assert_eq!(index_of(u64::MAX), LAST);
        assert_eq!(longest_of(LAST), u64::MAX);
    }

    #[test]
    fn a_closed_bucket_overstates_by_a_sixteenth_or_by_the_finest_width_at_most() {
        for index in 1..LAST {
            let shortest = longest_of(index - 1) + 1;
            let width = longest_of(index) - shortest;
            assert!(width < 1 << UNIT_BITS || width <= shortest / 16, "bucket {index}");
        }
    }

    #[test]
    fn the_open_bucket_starts_beyond_a_minute() {
        assert_eq!(longest_of(LAST - 1) / 100_000_000, 665);
    }
}
