//! Which of several budgets an attempt's end belongs to: what an allowed attempt leaves behind until it ends.
//!
//! A budget that holds others is told of an end, but not which of its decisions it belongs to. The decision's release
//! knows: it runs on the ending call's thread, right before the end or the refund is told. So the release of a decision
//! that went another way than usual notes the way on its thread, and the telling that follows takes the note. Decisions
//! that went the usual way carry nothing and cost no allocation.

use recourse_core::Release;
use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// Notes on one thread; each is taken at once, so there are as many as budgets stand within each other. One that nobody
/// takes, because a panic went by, stays until newer ones need its place.
const NOTES: usize = 8;

#[derive(Clone, Copy)]
struct Note {
    /// Whose; 0 for none's.
    owner: u64,
    members: u64,
    /// Later ones have larger numbers.
    number: u64,
}

const NOBODYS: Note = Note { owner: 0, members: 0, number: 0 };

/// A thread's notes.
struct Pending {
    notes: [Cell<Note>; NOTES],
    /// How many there were.
    left: Cell<u64>,
}

thread_local! {
    static PENDING: Pending =
        const { Pending { notes: [const { Cell::new(NOBODYS) }; NOTES], left: Cell::new(0) } };
}

/// One budget's right to leave notes.
#[derive(Debug)]
pub(crate) struct Routes {
    owner: u64,
}

impl Routes {
    pub(crate) fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Routes { owner: LAST.fetch_add(1, Ordering::Relaxed) + 1 }
    }

    /// A release that notes which members have allowed, as bits.
    pub(crate) fn note(&self, members: u64) -> Release {
        let owner = self.owner;
        Release::new(move || PENDING.with(|pending| pending.leave(owner, members)))
    }

    /// The members that were noted for the attempt that has just ended; `None` if it went the usual way.
    pub(crate) fn take(&self) -> Option<u64> {
        PENDING.with(|pending| {
            let found = pending.notes.iter().find(|note| note.get().owner == self.owner)?;
            Some(found.replace(NOBODYS).members)
        })
    }
}

impl Pending {
    /// In the place of an older note of the same owner, which nobody took, or in a free one, or in that of the oldest.
    fn leave(&self, owner: u64, members: u64) {
        let number = self.left.get() + 1;
        self.left.set(number);
        // A free place has the number 0.
        let oldest = self.notes.iter().min_by_key(|place| place.get().number);
        let place = self.notes.iter().find(|place| place.get().owner == owner).or(oldest);
        if let Some(place) = place {
            place.set(Note { owner, members, number });
        }
    }
}

/// Both releases in one. The second runs also if the first panics; if both do, the first one's panic goes on.
pub(crate) fn both(one: Option<Release>, other: Option<Release>) -> Option<Release> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Release::new(move || {
            let mut turns = Turns::default();
            turns.take(|| drop(one));
            turns.take(|| drop(other));
            turns.end();
        })),
        (one, other) => one.or(other),
    }
}

/// Foreign code that runs one after the other: each has its turn also if one before it panics.
#[derive(Default)]
pub(crate) struct Turns {
    panic: Option<Box<dyn Any + Send>>,
}

impl Turns {
    pub(crate) fn take(&mut self, turn: impl FnOnce()) {
        match (catch_unwind(AssertUnwindSafe(turn)), &self.panic) {
            (Err(panic), None) => self.panic = Some(panic),
            // What it panicked with may panic when it is dropped.
            (Err(another), Some(_)) => std::mem::forget(another),
            (Ok(()), _) => {}
        }
    }

    /// No panic goes on; whether there was one.
    pub(crate) fn forget(self) -> bool {
        let Some(panic) = self.panic else { return false };
        if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
            std::mem::forget(another);
        }
        true
    }

    /// The first panic goes on.
    pub(crate) fn end(self) {
        if let Some(panic) = self.panic {
            resume_unwind(panic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_taken_once_by_its_owner_on_its_thread() {
        let (one, other) = (Routes::new(), Routes::new());
        let (first, second) = (one.note(5), other.note(9));
        assert_eq!(one.take(), None);
        drop(first);
        drop(second);
        std::thread::scope(|scope| scope.spawn(|| assert_eq!(one.take(), None)).join().unwrap());
        assert_eq!((other.take(), one.take()), (Some(9), Some(5)));
        assert_eq!((other.take(), one.take()), (None, None));
    }

    #[test]
    fn notes_that_nobody_takes_do_not_gather() {
        let owners = Vec::from_iter((0..20).map(|_| Routes::new()));
        owners.iter().for_each(|owner| drop(owner.note(1)));
        let last = &owners[19];
        drop(last.note(2));
        drop(last.note(3));
        assert_eq!((last.take(), last.take()), (Some(3), None));
    }

    #[test]
    fn notes_that_nobody_takes_crowd_out_no_new_ones() {
        let owners = Vec::from_iter((0..20).map(|_| Routes::new()));
        owners.iter().for_each(|owner| drop(owner.note(1)));
        let nested = Vec::from_iter((0..NOTES as u64).map(|_| Routes::new()));
        for round in 1..20 {
            nested.iter().zip(round..).for_each(|(budget, members)| drop(budget.note(members)));
            let taken = Vec::from_iter(nested.iter().map(Routes::take));
            assert_eq!(taken, Vec::from_iter((round..round + NOTES as u64).map(Some)));
            drop(owners[round as usize].note(1));
        }
    }

    #[test]
    fn a_release_that_panics_keeps_the_other_from_nothing() {
        let (one, other) = (Routes::new(), Routes::new());
        let noted = both(Some(Release::new(|| panic!("first"))), Some(other.note(2)));
        let panic = catch_unwind(AssertUnwindSafe(|| drop(noted))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"first"));
        assert_eq!(other.take(), Some(2));
        let bad = || Some(Release::new(|| panic!("again")));
        let worse = both(both(bad(), bad()), Some(one.note(1)));
        assert!(catch_unwind(AssertUnwindSafe(|| drop(worse))).is_err());
        assert_eq!(one.take(), Some(1));
    }

    #[test]
    fn both_releases_run() {
        let (one, other) = (Routes::new(), Routes::new());
        drop(both(Some(one.note(1)), Some(other.note(2))));
        assert_eq!((one.take(), other.take()), (Some(1), Some(2)));
        assert!(both(None, None).is_none());
        drop(both(None, Some(one.note(3))));
        assert_eq!(one.take(), Some(3));
    }
}
