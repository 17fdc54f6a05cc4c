//! [`Group`]: a primary and its hedges, with all that they hold.

use super::around::Around;
use super::elapsed::{Elapsed, NEVER};
use super::gate::Pass;
use super::timer::CallTimer;
use recourse::{Health, Label, Moment, OutcomeKind};
use std::pin::Pin;

/// What a call keeps that was not over at once.
pub(super) struct Rest<'a, E, Fut, A, R> {
    pub(super) around: Around,
    pub(super) index: u32,
    pub(super) launched: u32,
    pub(super) elapsed: Elapsed,
    pub(super) timer: CallTimer<'a>,
    /// When the timer goes off, if it is set.
    pub(super) armed: Moment,
    pub(super) group: Group<Fut, A, R>,
    /// The wait before the next group, in nanoseconds; `None` while attempts are in flight.
    pub(super) wait: Option<u64>,
    /// The last error of the operation's own, and what it counted for in its group.
    pub(super) last: Option<(Rank, E)>,
    /// What the classifier said of the attempt that decides the group.
    pub(super) said: Label,
    pub(super) timed_out: bool,
}

/// An attempt group.
pub(super) struct Group<Fut, A, R> {
    pub(super) primary: Flight<A, R>,
    pub(super) hedges: Vec<Hedge<Fut, A, R>>,
    pub(super) started: Moment,
    pub(super) check: Moment,
    /// Attempts launched or refused.
    pub(super) used: u32,
    pub(super) failed: u32,
    pub(super) may_hedge: bool,
    pub(super) worst: Option<Rank>,
    /// The longest wait that the other side has asked for, in nanoseconds.
    pub(super) server: u64,
}

/// What an attempt in flight holds.
pub(super) struct Flight<A, R> {
    pub(super) pass: Option<A>,
    pub(super) permit: Option<R>,
    pub(super) pended: bool,
    pub(super) cut_at: Moment,
}

pub(super) struct Hedge<Fut, A, R> {
    pub(super) future: Pin<Box<Fut>>,
    pub(super) flight: Flight<A, R>,
    pub(super) slot: u32,
}

/// Where a failure stands among those of its group.
#[derive(Clone, Copy)]
pub(super) struct Rank {
    pub(super) group: u32,
    pub(super) kind: OutcomeKind,
    pub(super) slot: u32,
}

impl Rank {
    /// The most severe one counts; in a tie the primary's.
    pub(super) fn outranks(self, other: Rank) -> bool {
        self.group == other.group
            && (self.kind > other.kind || (self.kind == other.kind && self.slot < other.slot))
    }
}

impl<Fut, A: Pass, R> Group<Fut, A, R> {
    /// A group whose primary is about to start. That of a half-open circuit is a probe, and is not hedged.
    pub(super) fn new(pass: A, permit: Option<R>) -> Self {
        Group {
            may_hedge: !pass.is_probe(),
            primary: Flight::new(pass, permit),
            hedges: Vec::new(),
            started: NEVER,
            check: NEVER,
            used: 1,
            failed: 0,
            worst: None,
            server: 0,
        }
    }
}

impl<A: Pass, R> Flight<A, R> {
    pub(super) fn new(pass: A, permit: Option<R>) -> Self {
        Flight { pass: Some(pass), permit, pended: false, cut_at: NEVER }
    }

    /// The attempt has ended.
    #[inline]
    pub(super) fn vote(&mut self, health: Health) {
        if let Some(pass) = self.pass.take() {
            pass.vote(health);
        }
        self.permit = None;
    }
}
