//! [`Open`]: an attempt in flight, with everything that must be given back when it ends.

use crate::call::decide::SLOTS;
use crate::fence::Fence;
use recourse_core::{Component, Release, Ticket};
use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An attempt in flight: the breaker's ticket, the budget's release, and the place of its record.
#[derive(Default)]
pub(crate) struct Open {
    pub(crate) ticket: Option<Ticket>,
    release: Option<Release>,
    /// Where its record stands in the timeline, from 1, if the call is recorded.
    record: Option<NonZeroU32>,
    pub(crate) pended: bool,
    launched: bool,
}

impl Open {
    /// An attempt that the breaker has admitted, if there is one.
    pub(crate) fn admitted(ticket: Option<Ticket>) -> Self {
        let mut open = Open::default();
        open.ticket = ticket;
        open
    }

    /// Whether there is anything to give back or to close.
    pub(crate) fn is_open(&self) -> bool {
        self.launched || self.ticket.is_some() || self.release.is_some()
    }

    /// The attempt starts.
    pub(crate) fn launch(&mut self) {
        self.launched = true;
    }

    /// Where its record stands in the timeline, if the call is recorded.
    pub(crate) fn record(&self) -> Option<usize> {
        self.record.map(|place| place.get() as usize - 1)
    }

    pub(crate) fn set_record(&mut self, place: Option<usize>) {
        self.record = place.and_then(|place| u32::try_from(place + 1).ok()).and_then(NonZeroU32::new);
    }

    /// Keeps the budget's permit until the attempt ends.
    pub(crate) fn hold(&mut self, release: Option<Release>) {
        self.release = release;
    }

    /// Gives the budget's permit back.
    pub(crate) fn release(&mut self, fence: &Fence, in_drop: bool) {
        let Some(release) = self.release.take() else {
            return;
        };
        let _ = match in_drop {
            true => fence.always(Component::Budget, || drop(release)),
            false => fence.run(Component::Budget, || drop(release)),
        };
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // Only where another plugin's panic unwinds through the call: a second panic would abort the process.
        if let Some(release) = self.release.take() {
            let _ = catch_unwind(AssertUnwindSafe(|| drop(release)));
        }
    }
}

/// The attempts of a group by slot. Hedges are seldom, so their places are made when the first is launched.
#[derive(Default)]
pub(crate) struct Opens {
    primary: Open,
    hedges: Option<Box<[Open; SLOTS - 1]>>,
}

impl Opens {
    pub(crate) fn is_open(&self, slot: usize) -> bool {
        match (slot, &self.hedges) {
            (0, _) => self.primary.is_open(),
            (hedge, Some(hedges)) => hedges[hedge - 1].is_open(),
            (_, None) => false,
        }
    }

    pub(crate) fn any_open(&self) -> bool {
        (0..SLOTS).any(|slot| self.is_open(slot))
    }

    pub(crate) fn at(&mut self, slot: usize) -> &mut Open {
        match slot {
            0 => &mut self.primary,
            hedge => &mut self.hedges.get_or_insert_default()[hedge - 1],
        }
    }

    pub(crate) fn take(&mut self, slot: usize) -> Open {
        std::mem::take(self.at(slot))
    }
}
