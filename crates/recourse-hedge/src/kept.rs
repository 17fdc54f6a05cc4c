//! [`Kept`]: the quantiles as somebody has just worked them out, for those who ask again soon.

use crate::atomics::{AtomicU64, Ordering, fence};
use crate::turn::Turn;
use recourse_core::{LatencySnapshot, Moment};
use std::time::Duration;

/// How long they are good for, in nanoseconds: a three-thousandth of what a sample counts for.
const GOOD_FOR: u64 = 10_000_000;
/// With fewer samples each may matter, and is told at once.
pub(crate) const FEWEST: u64 = if cfg!(recourse_loom) { 3 } else { 1_000 };

/// A sequence lock: its version is odd while somebody writes, and who reads under two versions has read nothing. The
/// words are atomics and the fences those of Boehm, "Can seqlocks get along with programming language memory models?"
/// (MSPC 2012). Nobody waits: who can't read works the quantiles out, and who can't write leaves it.
///
/// On a cache line of its own, apart from what is read to record a sample.
#[repr(align(64))]
pub(crate) struct Kept {
    version: AtomicU64,
    /// The [`Turn`] in which, and the moment as of which they were worked out.
    turn: AtomicU64,
    at: AtomicU64,
    samples: AtomicU64,
    nanos: [AtomicU64; 4],
}

/// What is kept, as seen at some moment.
pub(crate) enum Look {
    /// Good still.
    Good(LatencySnapshot),
    /// Too old, or of another turn. Whoever knows better may replace this version.
    Old(u64),
    /// Being written, or of a later moment: another thread's, or that of a clock which was set back since.
    Ahead,
}

impl Kept {
    #[cfg(not(recourse_loom))]
    pub(crate) const fn new() -> Self {
        Kept {
            version: AtomicU64::new(0),
            turn: AtomicU64::new(Turn::NONE.0),
            at: AtomicU64::new(0),
            samples: AtomicU64::new(0),
            nanos: [const { AtomicU64::new(0) }; 4],
        }
    }

    #[cfg(recourse_loom)]
    pub(crate) fn new() -> Self {
        let [version, at, samples] = [0; 3].map(AtomicU64::new);
        Kept { version, turn: AtomicU64::new(Turn::NONE.0), at, samples, nanos: [0; 4].map(AtomicU64::new) }
    }

    /// What is kept, for `now` in this turn.
    #[inline]
    pub(crate) fn look(&self, turn: Turn, now: Moment) -> Look {
        let read = |word: &AtomicU64| word.load(Ordering::Relaxed);
        let version = self.version.load(Ordering::Acquire);
        if version % 2 != 0 {
            return Look::Ahead;
        }
        // Torn or not: a version that isn't this any more is not replaced.
        let (now, at) = (now.as_nanos(), read(&self.at));
        if read(&self.turn) != turn.0 {
            return Look::Old(version);
        }
        if now < at {
            return Look::Ahead;
        }
        if now - at >= GOOD_FOR {
            return Look::Old(version);
        }
        let samples = read(&self.samples);
        let nanos = self.nanos.each_ref().map(read);
        fence(Ordering::Acquire);
        if read(&self.version) != version {
            return Look::Ahead;
        }
        let [p50, p90, p95, p99] = nanos.map(Duration::from_nanos);
        Look::Good(LatencySnapshot::new(p50, p90, p95, p99, samples))
    }

    /// Keeps what was worked out in place of a version that was seen before; nothing if another is kept since.
    #[cold]
    pub(crate) fn replace(&self, version: u64, turn: Turn, now: Moment, nanos: [u64; 4], samples: u64) {
        let taken = self.version.compare_exchange(
            version,
            version.wrapping_add(1),
            Ordering::Acquire,
            Ordering::Relaxed,
        );
        if taken.is_err() {
            return;
        }
        // Whoever reads one of these words sees that the version is odd.
        fence(Ordering::Release);
        let write = |word: &AtomicU64, value| word.store(value, Ordering::Relaxed);
        write(&self.turn, turn.0);
        write(&self.at, now.as_nanos());
        write(&self.samples, samples);
        for (word, nanos) in self.nanos.iter().zip(nanos) {
            write(word, nanos);
        }
        self.version.store(version.wrapping_add(2), Ordering::Release);
    }
}
