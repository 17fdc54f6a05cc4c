//! [`Place`]: where in the histogram a quantile lies, and which latency to say of it.

use crate::buckets::{GROUPS, LAST, PER_GROUP, span_of};
use crate::counters::PAIRS;

/// The bucket of a quantile's sample, and how far within it that sample is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    bucket: usize,
    /// The sample's number within the bucket, from 1 to `count`.
    number: u64,
    /// Samples of the bucket, at least 1.
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
    #[inline]
    pub(crate) fn nanos(self, longest: u64) -> u64 {
        let (shortest, longest_there) = span_of(self.bucket).into_inner();
        let last = if (shortest..=longest_there).contains(&longest) { longest } else { longest_there };
        if self.count * 2 > self.above || self.bucket == LAST {
            return last;
        }
        // No overflow: a closed bucket is at most 2^31 wide, and counts less than 2^32 samples of both halves.
        shortest + (last - shortest) * self.number / self.count
    }
}

/// The places of the quantiles 50, 90, 95 and 99 in 100, in a histogram with so many samples in each group of buckets,
/// and `in_pair` in a group's pair of buckets. One walk upward, without a step back.
///
/// A quantile's sample is the first that has so many in 100 of one sample more at or before it: so the next call is above
/// it with the probability that was asked for, or less, however few samples there are (Weibull's plotting position).
/// Each bucket is counted once, so that samples which come in meanwhile can't make a later quantile the smaller one.
#[inline]
pub(crate) fn quantiles(
    groups: &[u64; GROUPS],
    samples: u64,
    in_pair: impl Fn(usize, usize) -> (u64, u64),
) -> [Place; 4] {
    let (mut group, mut below_group) = (0, 0);
    let (mut pair, mut below) = (0, 0);
    let (mut even, mut odd) = in_pair(0, 0);
    let mut places = [Place { bucket: 0, number: 1, count: 1, above: 0 }; 4];
    // A loop rather than a map over the array: the compiler doesn't always see through that one.
    for (place, percent) in places.iter_mut().zip([50, 90, 95, 99]) {
        // Rounded up.
        let rank = (((samples + 1) * percent - 1) / 100 + 1).min(samples);
        if below_group + groups[group] < rank {
            while below_group + groups[group] < rank {
                below_group += groups[group];
                group += 1;
            }
            (pair, below) = (0, below_group);
            (even, odd) = in_pair(group, 0);
        }
        while below + even + odd < rank && pair < PAIRS - 1 {
            below += even + odd;
            pair += 1;
            (even, odd) = in_pair(group, pair);
        }
        // The last bucket stands for samples of the group that are gone by now.
        let is_odd = below + even < rank;
        let (below, count) = if is_odd { (below + even, odd.max(1)) } else { (below, even) };
        let bucket = group * PER_GROUP + pair * 2 + usize::from(is_odd);
        *place = Place { bucket, number: (rank - below).min(count), count, above: samples - rank };
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn counts_that_change_while_they_are_read_keep_the_quantiles_in_order() {
        let mut groups = [0; GROUPS];
        (groups[0], groups[4]) = (400, 600);
        // More at each look, then fewer, then none.
        for change in [|looks: u64| looks * 7, |looks| 200 / looks, |_| 0] {
            let looks = Cell::new(0);
            let look = || {
                looks.set(looks.get() + 1);
                change(looks.get())
            };
            let places = quantiles(&groups, 1_000, |_, _| (look(), look()));
            let told = places.map(|place| place.nanos(u64::MAX));
            assert!(told.is_sorted(), "{told:?}");
        }
    }

    #[test]
    fn a_sample_is_looked_for_by_its_rank() {
        let mut groups = [0; GROUPS];
        (groups[0], groups[4]) = (50, 50);
        // All in the last bucket of the first group; ten a bucket in the other.
        let in_bucket = |group: usize, within: usize| match (group, within) {
            (0, 15) => 50,
            (4, 3..8) => 10,
            _ => 0,
        };
        let in_pair = |group, pair| (in_bucket(group, pair * 2), in_bucket(group, pair * 2 + 1));
        let places = quantiles(&groups, 100, in_pair);
        let found = places.map(|place| (place.bucket, place.number, place.count, place.above));
        assert_eq!(found, [(67, 1, 10, 49), (71, 1, 10, 9), (71, 6, 10, 4), (71, 10, 10, 0)]);
    }
}
