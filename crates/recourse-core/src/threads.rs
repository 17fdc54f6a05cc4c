//! How many threads run at once, and which of a few things is a thread's own: for counters that have a cell for each.
//!
//! No part of what may be relied on: for the libraries of this project alone.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many threads can run at once; 1 where nobody knows. The system is asked once in a process.
pub fn at_once() -> usize {
    static AT_ONCE: OnceLock<usize> = OnceLock::new();
    *AT_ONCE.get_or_init(|| std::thread::available_parallelism().map_or(1, usize::from))
}

/// A number of this thread's own, counted from 0 in the order in which threads first ask: so those that start one after the
/// other, such as the workers of a runtime, differ in the low bits.
#[inline]
pub fn turn() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    const NONE: usize = usize::MAX;
    thread_local!(static TURN: Cell<usize> = const { Cell::new(NONE) });
    TURN.with(|turn| {
        if turn.get() == NONE {
            turn.set(NEXT.fetch_add(1, Ordering::Relaxed) & (NONE >> 1));
        }
        turn.get()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threads_turn_is_its_own_and_stays() {
        let mine = turn();
        let others = std::thread::scope(|scope| {
            [(); 2].map(|()| scope.spawn(|| [turn(), turn()])).map(|thread| thread.join())
        });
        let others = others.map(|turns| turns.expect("it ends"));
        assert!(others.iter().all(|[first, again]| first == again && *first != mine));
        assert_ne!(others[0], others[1]);
        assert_eq!(turn(), mine);
        assert!(at_once() >= 1);
    }
}
