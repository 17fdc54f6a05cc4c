//! [`Open`]: an attempt in flight, with everything that must be given back when it ends.

use crate::call::decide::SLOTS;
use recourse_core::{AttemptKind, Release, Ticket};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An attempt in flight: the breaker's ticket, the budget's release, and the place of its record.
#[derive(Default)]
pub(crate) struct Open {
    pub(crate) ticket: Option<Ticket>,
    /// The breaker is being told; still set where that unwinds.
    pub(crate) telling: bool,
    release: Option<Release>,
    /// Where its record stands in the timeline, from 1, if the call is recorded.
    record: Option<NonZeroU32>,
    /// Its budget allowed it, and it has not started yet.
    pub(crate) charged: bool,
    /// Its budget waits to hear how it ends.
    pub(crate) heard: bool,
    /// It is a retry of an attempt that timed out, as its budget was told.
    pub(crate) after_timeout: bool,
    pub(crate) pended: bool,
    launched: bool,
}

/// What an attempt in this place is: the first is the group's primary.
#[inline]
pub(crate) fn kind_of(slot: usize) -> AttemptKind {
    if slot == 0 { AttemptKind::Retry } else { AttemptKind::Hedge }
}

/// 0 for the primary.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "there are four slots")]
pub(crate) fn hedge_index(slot: usize) -> u32 {
    slot as u32
}

impl Open {
    /// An attempt in flight that no more than this was taken for. Made in one piece: what is changed once more before it is
    /// moved to its place would be read from memory that was written a moment before.
    #[inline(always)]
    pub(crate) fn launched(ticket: Option<Ticket>) -> Self {
        Open {
            ticket,
            telling: false,
            release: None,
            record: None,
            charged: false,
            heard: false,
            after_timeout: false,
            pended: false,
            launched: true,
        }
    }

    /// Whether there is anything to give back or to close.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        self.launched || self.charged || self.ticket.is_some() || self.release.is_some()
    }

    /// Whether nothing was taken for it.
    #[inline]
    pub(crate) fn holds_nothing(&self) -> bool {
        self.ticket.is_none() && self.release.is_none() && !self.heard
    }

    /// Whether the attempt has started and not ended.
    #[inline]
    pub(crate) fn is_launched(&self) -> bool {
        self.launched
    }

    /// The attempt starts.
    #[inline]
    pub(crate) fn launch(&mut self) {
        (self.launched, self.charged) = (true, false);
    }

    /// The attempt is over, and held nothing.
    #[inline]
    pub(crate) fn over(&mut self) {
        (self.launched, self.pended, self.charged, self.telling) = (false, false, false, false);
        self.after_timeout = false;
    }

    /// Whether it has a record in the timeline.
    #[inline]
    pub(crate) fn is_recorded(&self) -> bool {
        self.record.is_some()
    }

    /// Where its record stands in the timeline, if the call is recorded.
    #[inline]
    pub(crate) fn take_record(&mut self) -> Option<usize> {
        self.record.take().map(|place| place.get() as usize - 1)
    }

    pub(crate) fn set_record(&mut self, place: Option<usize>) {
        self.record = place.and_then(|place| u32::try_from(place + 1).ok()).and_then(NonZeroU32::new);
    }

    /// Keeps the budget's permit until the attempt ends.
    #[inline]
    pub(crate) fn hold(&mut self, release: Option<Release>) {
        self.release = release;
    }

    /// The budget's permit, to be given back.
    #[inline]
    pub(crate) fn take_release(&mut self) -> Option<Release> {
        self.release.take()
    }
}

impl Drop for Open {
    #[inline]
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            drop_quietly(release);
        }
    }
}

/// Only where another plugin's panic unwinds through the call: a second panic would abort the process.
#[cold]
fn drop_quietly(release: Release) {
    let _ = catch_unwind(AssertUnwindSafe(|| drop(release)));
}

/// The hedges of a group by slot. They are seldom, so their places are made when the first is launched.
#[derive(Default)]
pub(crate) struct HedgesOpen(Option<Box<[Open; SLOTS - 1]>>);

impl HedgesOpen {
    /// Whether no hedge was ever launched.
    #[inline]
    pub(crate) fn are_none(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn is_open(&self, slot: usize) -> bool {
        self.0.as_ref().is_some_and(|hedges| hedges[slot - 1].is_open())
    }

    pub(crate) fn at(&mut self, slot: usize) -> &mut Open {
        &mut self.0.get_or_insert_default()[slot - 1]
    }
}
