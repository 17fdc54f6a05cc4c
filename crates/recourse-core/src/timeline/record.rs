//! [`AttemptRecord`]: one attempt, and how it ended.

use crate::label::Label;
use crate::outcome::Outcome;
use crate::reason;
use crate::time::Moment;
use std::fmt;
use std::time::Duration;

/// One attempt, or one that was denied. A denied one does not count as an attempt.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AttemptRecord {
    /// The attempt's index, from 0; the same for every attempt of a group.
    pub attempt: u32,
    /// When it started.
    pub start: Moment,
    /// When it ended; the start while it is open.
    pub end: Moment,
    /// Whether it is a hedge.
    pub is_hedge: bool,
    /// 0 for the primary, 1 and up for hedges.
    pub hedge_index: u32,
    /// How it ended.
    pub ending: Ending,
    /// What the classifier said of it; an abort where the attempt was denied or dropped.
    pub outcome: Outcome,
    /// The error as text with its causes, if the operation returned one.
    pub error: Option<Label>,
    /// The wait before it; zero for hedges.
    pub backoff: Duration,
    /// Whether its budget allowed it.
    pub budget_allowed: bool,
    /// Why, as a low-cardinality code.
    pub budget_reason: Label,
}

impl AttemptRecord {
    /// An open record of a primary attempt.
    #[must_use]
    #[inline]
    pub fn new(attempt: u32, start: Moment) -> Self {
        AttemptRecord {
            attempt,
            start,
            end: start,
            is_hedge: false,
            hedge_index: 0,
            ending: Ending::Open,
            outcome: Outcome::abort(""),
            error: None,
            backoff: Duration::ZERO,
            budget_allowed: true,
            budget_reason: Label::from_static(reason::NO_BUDGET),
        }
    }

    /// How long it took.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.end.since(self.start)
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// It has not ended yet.
    Open,
    /// Its result is the call's success.
    Won,
    /// It returned, and the classifier called the result a failure.
    Failed,
    /// It ran out of its time.
    TimedOut,
    /// Another attempt of its group ended the group first.
    Superseded,
    /// The call ended while it was in flight: the caller dropped it, or a plugin's panic ended it.
    Cancelled,
    /// It was not allowed to start.
    Denied,
    /// The operation panicked.
    Panicked,
}

impl Ending {
    /// Every ending.
    pub const ALL: [Ending; 8] = [
        Ending::Open,
        Ending::Won,
        Ending::Failed,
        Ending::TimedOut,
        Ending::Superseded,
        Ending::Cancelled,
        Ending::Denied,
        Ending::Panicked,
    ];

    /// The name in timelines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Ending::Open => "open",
            Ending::Won => "won",
            Ending::Failed => "failed",
            Ending::TimedOut => "timed_out",
            Ending::Superseded => "superseded",
            Ending::Cancelled => "cancelled",
            Ending::Denied => "denied",
            Ending::Panicked => "panicked",
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
