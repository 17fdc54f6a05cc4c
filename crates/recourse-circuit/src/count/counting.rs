//! [`Count`] and [`Inbox`]: what every kind of counting does; and the [`Vote`]s that it counts.

use recourse_core::{Moment, Now};
use std::fmt::Debug;

/// What an attempt has shown of the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Vote {
    pub(crate) answer: Answer,
    /// It took longer than the limit.
    pub(crate) slow: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Fine,
    Throttled,
    Failed,
}

impl Vote {
    pub(crate) const FAILED: Vote = Vote { answer: Answer::Failed, slow: false };

    /// Fine and in time.
    pub(crate) fn is_good(self) -> bool {
        self.answer == Answer::Fine && !self.slow
    }
}

/// Attempts, counted. Each slow one is also one of the others or fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Sums {
    pub(crate) total: u64,
    pub(crate) failed: u64,
    pub(crate) throttled: u64,
    pub(crate) slow: u64,
}

impl Sums {
    pub(crate) fn count(&mut self, vote: Vote) {
        self.total += 1;
        self.failed += u64::from(vote.answer == Answer::Failed);
        self.throttled += u64::from(vote.answer == Answer::Throttled);
        self.slow += u64::from(vote.slow);
    }
}

/// The counting of one closed circuit. It is called under the circuit's lock.
pub(crate) trait Count: Clone + Debug + Send + Sync {
    /// Where good votes wait that were given without the lock.
    type Inbox: Inbox;

    /// Counts a vote, and says the cause if the circuit is to open. Only a vote that isn't good opens a circuit. Where
    /// it reads the time, it does so before it counts, so that a clock that panics changes nothing.
    fn vote(
        &mut self,
        vote: Vote,
        threshold: u32,
        now: &Now<'_>,
        inbox: &Self::Inbox,
    ) -> Option<&'static str>;

    /// Starts anew for this generation of the circuit; votes of older ones that are still on their way to the inbox
    /// are lost.
    fn restart(&mut self, generation: u64, inbox: &Self::Inbox);

    /// Whether a good vote would change a verdict in a way that the inbox doesn't know of.
    fn minds_good_votes(&self) -> bool;

    /// The largest threshold that can be reached.
    fn max_threshold(&self) -> u32 {
        u32::MAX
    }

    /// What a vote that is given now finds counted.
    fn sums(&self, inbox: &Self::Inbox, now: &Now<'_>) -> Sums;

    /// The same at the end of the counting, without memory of its own.
    fn last_sums(&mut self, inbox: &Self::Inbox, at: Moment) -> Sums {
        self.sums(inbox, &Now::at(at))
    }
}

/// Good votes, taken from many threads without a lock.
pub(crate) trait Inbox: Debug + Send + Sync {
    /// Whether good votes are counted at all.
    const COUNTS: bool = true;

    /// One good vote for a closed circuit of this generation.
    fn good(&self, generation: u64, now: &Now<'_>);
}

/// For kinds that forget good votes.
impl Inbox for () {
    const COUNTS: bool = false;

    fn good(&self, generation: u64, now: &Now<'_>) {
        let _ = (generation, now);
    }
}
