//! [`Open`]: an attempt in flight, with everything that must be given back when it ends.

use crate::fence::Fence;
use recourse_core::{Component, Release, Ticket};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// An attempt in flight: the breaker's ticket, the budget's release, and the place of its record.
#[derive(Default)]
pub(crate) struct Open {
    pub(crate) ticket: Option<Ticket>,
    release: Option<Release>,
    /// Where its record stands in the timeline, if the call is recorded.
    pub(crate) record: Option<usize>,
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
