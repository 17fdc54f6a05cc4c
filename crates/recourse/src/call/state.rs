//! [`CallState`]: what a call changes while it runs. [`Late`] is the part that an early call does without.

use crate::call::clock::CallClock;
use crate::call::decide::{NEVER, Progress, Step};
use crate::call::nesting::Nesting;
use crate::call::open::{HedgesOpen, Open};
use crate::call::recorder::Recorder;
use crate::call::timer::CallTimer;
use recourse_core::{Component, Label, Moment};
use std::error::Error;
use std::mem;
use std::sync::Arc;

/// What a call changes while it runs.
pub(crate) struct CallState<'a> {
    /// The group's primary.
    pub(super) primary: Open,
    pub(super) idempotent: Option<bool>,
    pub(super) can_hedge: bool,
    /// What runs round the call.
    pub(super) around: Nesting,
    /// Whether the attempt that decided the last group timed out.
    pub(super) timed_out: bool,
    pub(super) running: Running,
    /// When the call first had to wait, for an attempt or between two: alike whether or not it is observed. `NEVER`
    /// before that.
    pub(super) started: Moment,
    /// When the group's primary was launched, or first had to wait; `NEVER` before anybody wanted to know.
    pub(super) group_started: Moment,
    /// It is at least this late: within a call time never goes back, whatever the clock does.
    pub(super) floor: Moment,
    /// Whether the floor is the present moment: the clock was read since the call's future was last polled. Where times
    /// are told to somebody, it is read again after the operation has run.
    pub(super) is_fresh: bool,
    /// Whether times are told to somebody, and so must be exact.
    pub(super) tells_times: bool,
    /// Whether there is no end to tell: it was told, or the start was not.
    pub(super) ended: bool,
    pub(super) recorder: Recorder,
    pub(super) late: Option<Late<'a>>,
}

impl CallState<'_> {
    /// A call that has decided nothing yet.
    #[inline(always)]
    pub(super) fn new(
        primary: Open,
        idempotent: Option<bool>,
        can_hedge: bool,
        around: Nesting,
        tells_times: bool,
    ) -> Self {
        CallState {
            primary,
            idempotent,
            can_hedge,
            around,
            timed_out: false,
            running: None,
            started: NEVER,
            group_started: NEVER,
            floor: Moment::ZERO,
            is_fresh: false,
            tells_times,
            ended: true,
            recorder: Recorder::default(),
            late: None,
        }
    }
}

/// What runs now, and for which attempt: if it unwinds, the call ended by its panic.
pub(super) type Running = Option<(Component, u8)>;

/// What a call needs once it is no longer early.
pub(super) struct Late<'a> {
    pub(super) progress: Progress,
    pub(super) step: Step,
    /// Waits that were over before the call first had to wait, in nanoseconds.
    pub(super) slept: u64,
    /// The wait before this group, in nanoseconds.
    pub(super) before: u64,
    pub(super) timer: CallTimer<'a>,
    pub(super) hedges: HedgesOpen,
    /// Only where the clock is not our own.
    pub(super) clock: Option<CallClock<'a>>,
    /// What the classifier said of the attempt that decides the group.
    pub(super) reason: Label,
    pub(super) cause: Option<Arc<dyn Error + Send + Sync>>,
    pub(super) launched: u32,
    /// Whether the trigger was asked about this group.
    pub(super) looked: bool,
    /// The end was reached, and nothing is left that would have to be given back.
    pub(super) is_over: bool,
    /// The call is being dropped: no panic may unwind.
    pub(super) in_drop: bool,
}

impl Late<'_> {
    /// Whether it is over, and dropping what is left would do nothing.
    #[inline]
    pub(super) fn is_spent(&self) -> bool {
        self.is_over
            && self.timer.is_unset()
            && self.hedges.are_none()
            && self.clock.is_none()
            && self.cause.is_none()
            && self.reason.as_static().is_some()
    }
}

/// Takes a label word by word: moved in one piece, it would be read in wide loads behind the narrow stores that made it.
#[inline(always)]
pub(super) fn take_label(label: &mut Label) -> Label {
    match label.as_static() {
        Some(text) => Label::from_static(text),
        None => mem::take(label),
    }
}
