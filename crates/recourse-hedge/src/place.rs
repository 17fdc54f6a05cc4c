//! [`Place`]: where in the histogram a quantile lies, and which latency to say of it.

use crate::buckets::{GROUPS, LAST, PER_GROUP, span_of};

/// The bucket of a quantile's sample, and how far within it that sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    bucket: usize,
    /// The sample's number within the bucket, from 1. Beyond `count` if the bucket was emptied meanwhile, and 0 if
    /// samples came in below it; neither matters: it is then the bucket's longest latency, or its shortest.
    number: u64,
    /// Samples of the bucket.
    count: u64,
    /// Samples of the window that the quantile asks to lie above it.
    above: u64,
}

impl Place {
    /// The latency to say, in nanoseconds, where `longest` is the longest of the window.
    ///
    /// The samples of a bucket are taken to lie evenly in it, as those of a smooth distribution do. Where the bucket
    /// holds many of the samples this is no smooth distribution but a lump, which may lie anywhere in the bucket; then
    /// its longest latency is said.
    pub(crate) fn nanos(self, longest: u64) -> u64 {
        let span = span_of(self.bucket);
        let last = if span.contains(&longest) { longest } else { *span.end() };
        if self.bucket == LAST || self.count * 2 > self.above {
            return last;
        }
        // No overflow: a closed bucket is at most 2^31 wide, and two halves of 32 bits count less than 2^33 samples.
        let width = last - span.start();
        span.start() + width * self.number.min(self.count) / self.count.max(1)
    }
}

/// The places of the quantiles 50, 90, 95 and 99 in 100, in a histogram with so many samples in each group of buckets
/// and `count_in` in a group's bucket. One walk upward, without a step back.
///
/// A quantile's sample is that of the nearest rank: the first that has so many in 100 at or before it.
#[inline]
pub(crate) fn quantiles(
    groups: &[u64; GROUPS],
    samples: u64,
    count_in: impl Fn(usize, usize) -> u64,
) -> [Place; 4] {
    let (mut group, mut below_group) = (0, 0);
    let (mut within, mut below) = (0, 0);
    [50, 90, 95, 99].map(|percent| {
        let rank = (samples * percent).div_ceil(100);
        while below_group + groups[group] < rank {
            below_group += groups[group];
            group += 1;
            (within, below) = (0, below_group);
        }
        let mut count = count_in(group, within);
        while below + count < rank && within < PER_GROUP - 1 {
            below += count;
            within += 1;
            count = count_in(group, within);
        }
        let bucket = group * PER_GROUP + within;
        Place { bucket, number: rank.saturating_sub(below), count, above: samples - rank }
    })
}
