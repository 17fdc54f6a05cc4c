//! Which of several budgets an attempt's end belongs to: what an allowed attempt leaves behind until it ends.
//!
//! A budget that holds others is told of an end, but not which of its decisions it belongs to. The decision's release
//! knows: it runs on the ending call's thread, right before the end or the refund is told. So the release of a decision
//! that went another way than usual notes the way on its thread, and the telling that follows takes the note. Decisions
//! that went the usual way carry nothing and cost no allocation.

use recourse_core::Release;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

/// Notes on one thread; each is taken at once, so there are as many as budgets stand within each other.
const NOTES: usize = 8;

#[derive(Clone, Copy)]
struct Note {
    /// Whose; 0 for none's.
    owner: u64,
    members: u64,
}

thread_local! {
    static PENDING: [Cell<Note>; NOTES] = const { [const { Cell::new(Note { owner: 0, members: 0 }) }; NOTES] };
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
        let note = Note { owner: self.owner, members };
        Release::new(move || PENDING.with(|notes| leave(notes, note)))
    }

    /// The members that were noted for the attempt that has just ended; `None` if it went the usual way.
    pub(crate) fn take(&self) -> Option<u64> {
        PENDING.with(|notes| {
            let found = notes.iter().find(|note| note.get().owner == self.owner)?;
            Some(found.replace(Note { owner: 0, members: 0 }).members)
        })
    }
}

/// In the place of an older note of the same owner, which nobody took, or in a free one, or in the first.
fn leave(notes: &[Cell<Note>; NOTES], note: Note) {
    let owned_by = |owner| notes.iter().find(move |place| place.get().owner == owner);
    owned_by(note.owner).or_else(|| owned_by(0)).unwrap_or(&notes[0]).set(note);
}

/// Both releases in one.
pub(crate) fn both(one: Option<Release>, other: Option<Release>) -> Option<Release> {
    match (one, other) {
        (Some(one), Some(other)) => Some(Release::new(move || {
            drop(one);
            drop(other);
        })),
        (one, other) => one.or(other),
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
    fn both_releases_run() {
        let (one, other) = (Routes::new(), Routes::new());
        drop(both(Some(one.note(1)), Some(other.note(2))));
        assert_eq!((one.take(), other.take()), (Some(1), Some(2)));
        assert!(both(None, None).is_none());
        drop(both(None, Some(one.note(3))));
        assert_eq!(one.take(), Some(3));
    }
}
