//! Atomics whose reads and writes are tried in every order.

use loom::sync::atomic::{self, Ordering};

/// A step that comes before or after every other turn of its word, and orders nothing else.
///
/// Loom compares a write with the last access alone. Where the writer has read the same word just before, it overlooks
/// the readers before that, and never tries them the other way round (tokio-rs/loom, issues 166 and 392): a model may
/// end after one execution. So whoever reads or writes takes a turn first, and loom tries the turns in every order.
#[derive(Debug)]
struct Turn(atomic::AtomicUsize);

impl Turn {
    fn new() -> Self {
        Turn(atomic::AtomicUsize::new(0))
    }

    fn take(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

macro_rules! atomics {
    ($($name:ident: $number:ty { $($method:ident($($argument:ident: $kind:ty),*) -> $result:ty;)* })*) => {$(
        /// Asked as the standard library's is.
        #[derive(Debug)]
        pub struct $name {
            word: atomic::$name,
            turn: Turn,
        }

        impl $name {
            /// A word of this value.
            #[must_use]
            pub fn new(value: $number) -> Self {
                $name { word: atomic::$name::new(value), turn: Turn::new() }
            }

            $(
                /// As the standard library's.
                #[allow(clippy::missing_errors_doc, clippy::must_use_candidate, reason = "it is another's")]
                pub fn $method(&self, $($argument: $kind),*) -> $result {
                    self.turn.take();
                    self.word.$method($($argument),*)
                }
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                $name::new(0)
            }
        }
    )*};
}

atomics! {
    AtomicU64: u64 {
        load(order: Ordering) -> u64;
        store(value: u64, order: Ordering) -> ();
        swap(value: u64, order: Ordering) -> u64;
        fetch_add(value: u64, order: Ordering) -> u64;
        fetch_sub(value: u64, order: Ordering) -> u64;
        fetch_and(value: u64, order: Ordering) -> u64;
        fetch_or(value: u64, order: Ordering) -> u64;
        fetch_max(value: u64, order: Ordering) -> u64;
        compare_exchange(current: u64, new: u64, success: Ordering, failure: Ordering) -> Result<u64, u64>;
        compare_exchange_weak(current: u64, new: u64, success: Ordering, failure: Ordering) -> Result<u64, u64>;
    }
    AtomicUsize: usize {
        load(order: Ordering) -> usize;
        store(value: usize, order: Ordering) -> ();
        fetch_add(value: usize, order: Ordering) -> usize;
    }
}

impl AtomicU64 {
    /// As the standard library's: a load, and an exchange as often as another was faster.
    #[allow(clippy::missing_errors_doc, reason = "it is another's")]
    pub fn fetch_update(
        &self,
        set: Ordering,
        fetch: Ordering,
        mut update: impl FnMut(u64) -> Option<u64>,
    ) -> Result<u64, u64> {
        let mut seen = self.load(fetch);
        while let Some(next) = update(seen) {
            match self.compare_exchange_weak(seen, next, set, fetch) {
                Ok(before) => return Ok(before),
                Err(other) => seen = other,
            }
        }
        Err(seen)
    }
}
