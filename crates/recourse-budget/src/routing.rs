//! Which of several budgets an attempt's end belongs to: what an allowed attempt leaves behind until it ends.
//!
//! A budget that holds others is told of an end, but not which of its decisions it belongs to. The decision's release
//! knows: it runs on the ending call's thread, right before the end or the refund is told. So the release of a decision
//! that went another way than usual notes the way on its thread, and the telling that follows takes the note. Decisions
//! that went the usual way carry nothing and cost no allocation.

use recourse_core::Release;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Notes that a thread keeps without memory of its own. Each is taken at once, so there are seldom more than a few: one for
/// each budget that an attempt went another way through.
const PLACES: usize = 8;

#[derive(Clone, Copy, PartialEq)]
struct Note {
    /// Whose; 0 for none's.
    owner: u64,
    members: u64,
    /// Later ones have larger numbers.
    number: u64,
}

const NOBODYS: Note = Note { owner: 0, members: 0, number: 0 };

/// A thread's notes. One that nobody takes, because a panic went by, stays until its owner's next one, or until newer ones
/// need its place.
struct Pending {
    notes: [Cell<Note>; PLACES],
    /// Those that found no place. Not dropped with the thread, so that a release which runs that late still finds it; it
    /// gives its memory back when it is empty.
    more: ManuallyDrop<RefCell<Vec<Note>>>,
    /// How many there were.
    left: Cell<u64>,
}

thread_local! {
    static PENDING: Pending = const {
        Pending {
            notes: [const { Cell::new(NOBODYS) }; PLACES],
            more: ManuallyDrop::new(RefCell::new(Vec::new())),
            left: Cell::new(0),
        }
    };
}

/// Budgets that may leave notes.
static OWNERS: AtomicUsize = AtomicUsize::new(0);

/// One budget's right to leave notes.
#[derive(Debug)]
pub(crate) struct Routes {
    owner: u64,
}

impl Routes {
    pub(crate) fn new() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        OWNERS.fetch_add(1, Ordering::Relaxed);
        Routes { owner: LAST.fetch_add(1, Ordering::Relaxed) + 1 }
    }

    /// A release that notes which members have allowed, as bits.
    pub(crate) fn note(&self, members: u64) -> Release {
        let owner = self.owner;
        Release::new(move || PENDING.with(|pending| pending.leave(owner, members)))
    }

    /// The members that were noted for the attempt that has just ended; `None` if it went the usual way.
    pub(crate) fn take(&self) -> Option<u64> {
        PENDING.with(|pending| pending.take(self.owner))
    }
}

impl Drop for Routes {
    fn drop(&mut self) {
        OWNERS.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pending {
    /// In the place of an older note of the same owner, which nobody took, or in a free one.
    fn leave(&self, owner: u64, members: u64) {
        let number = self.left.get() + 1;
        self.left.set(number);
        let note = Note { owner, members, number };
        let mut more = self.more.borrow_mut();
        let of = |owner| self.notes.iter().find(move |place| place.get().owner == owner);
        if let Some(place) = of(owner) {
            place.set(note);
        } else if let Some(older) = more.iter_mut().find(|older| older.owner == owner) {
            *older = note;
        } else if let Some(place) = of(NOBODYS.owner) {
            place.set(note);
        } else {
            more.push(note);
            self.forget_one(&mut more);
        }
    }

    /// The notes of one end have an owner each, and its owners exist. So where there are more notes than owners, at least
    /// one is of an earlier end, and the oldest is.
    fn forget_one(&self, more: &mut Vec<Note>) {
        if self.notes.len() + more.len() <= OWNERS.load(Ordering::Relaxed) {
            return;
        }
        let Some(place) = self.notes.iter().min_by_key(|place| place.get().number) else { return };
        match (0..more.len()).min_by_key(|&at| more[at].number) {
            Some(at) if more[at].number < place.get().number => _ = more.swap_remove(at),
            _ => place.set(more.pop().unwrap_or(NOBODYS)),
        }
    }

    fn take(&self, owner: u64) -> Option<u64> {
        if let Some(place) = self.notes.iter().find(|place| place.get().owner == owner) {
            return Some(place.replace(NOBODYS).members);
        }
        let mut more = self.more.borrow_mut();
        let at = more.iter().position(|note| note.owner == owner)?;
        let taken = more.swap_remove(at);
        if more.is_empty() {
            *more = Vec::new();
        }
        Some(taken.members)
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

    /// Notes that wait on this thread.
    fn waiting() -> usize {
        PENDING.with(|pending| {
            let places = pending.notes.iter().filter(|place| place.get() != NOBODYS).count();
            places + pending.more.borrow().len()
        })
    }

    #[test]
    fn no_note_is_lost_however_many_are_left_at_once() {
        for count in [1, PLACES, PLACES + 1, 64, 64 * 64] {
            let owners = Vec::from_iter((0..count).map(|_| Routes::new()));
            owners.iter().zip(0..).for_each(|(owner, members)| drop(owner.note(members)));
            assert_eq!(waiting(), count);
            owners.iter().zip(0..).for_each(|(owner, members)| assert_eq!(owner.take(), Some(members)));
            assert_eq!(waiting(), 0);
        }
        let capacity = PENDING.with(|pending| pending.more.borrow().capacity());
        assert_eq!(capacity, 0, "what was needed beside the places is given back");
    }

    #[test]
    fn notes_that_nobody_takes_do_not_gather() {
        for _ in 0..10_000 {
            drop(Routes::new().note(1));
        }
        // Other tests have budgets too, and are under way.
        assert!(waiting() < 10_000, "{}", waiting());
        let last = Routes::new();
        drop(last.note(2));
        drop(last.note(3));
        assert_eq!((last.take(), last.take()), (Some(3), None));
    }

    #[test]
    fn notes_that_nobody_takes_crowd_out_no_new_ones() {
        let owners = Vec::from_iter((0..20).map(|_| Routes::new()));
        owners.iter().for_each(|owner| drop(owner.note(1)));
        let nested = Vec::from_iter((0..30).map(|_| Routes::new()));
        for round in 1..20 {
            nested.iter().zip(round..).for_each(|(budget, members)| drop(budget.note(members)));
            let taken = Vec::from_iter(nested.iter().map(Routes::take));
            assert_eq!(taken, Vec::from_iter((round..round + 30).map(Some)));
            drop(owners[round as usize].note(1));
        }
    }

    #[test]
    fn a_note_that_is_left_while_its_thread_ends_is_found() {
        struct Late(Vec<Routes>);
        impl Drop for Late {
            fn drop(&mut self) {
                self.0.iter().for_each(|owner| drop(owner.note(4)));
                let taken = self.0.iter().filter(|owner| owner.take() == Some(4)).count();
                TAKEN.store(taken, Ordering::Relaxed);
            }
        }
        static TAKEN: AtomicUsize = AtomicUsize::new(0);
        thread_local!(static LATE: RefCell<Option<Late>> = const { RefCell::new(None) });
        let ends = std::thread::spawn(|| {
            LATE.set(Some(Late(Vec::from_iter((0..20).map(|_| Routes::new())))));
            drop(Routes::new().note(1));
        });
        ends.join().unwrap();
        assert_eq!(TAKEN.load(Ordering::Relaxed), 20);
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
