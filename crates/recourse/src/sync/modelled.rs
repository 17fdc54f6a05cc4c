//! Stand-ins for what loom doesn't have, as thin as they can be. A model that holds with them says something of the code
//! that uses them; that the real ones do what they promise, it takes for granted.

use recourse_core::modelled::{AtomicUsize, Mutex, Ordering};
use std::sync::Arc;

/// A reader sees it empty or whole, and which of the two is a step of its own: one acquiring load, as in the real one.
/// Who fills it holds a lock that others wait for, and releases once. The value stands in a real cell, which only the
/// flag leads to: what is modelled is the order, not the memory.
#[derive(Debug)]
pub(crate) struct OnceLock<T> {
    filled: AtomicUsize,
    filling: Mutex<()>,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(crate) fn new() -> Self {
        OnceLock { filled: AtomicUsize::new(0), filling: Mutex::new(()), value: std::sync::OnceLock::new() }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        (self.filled.load(Ordering::Acquire) == 1).then(|| self.value.get())?
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.get_or_init(|| value.take().expect("it is filled once"));
        value.map_or(Ok(()), Err)
    }

    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let _one = self.filling.lock();
        if self.get().is_none() {
            // Not in the cell's own closure: there no other thread of the model could run.
            let value = make();
            self.value.get_or_init(|| value);
            self.filled.store(1, Ordering::Release);
        }
        self.get().expect("it is filled")
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        OnceLock::new()
    }
}

/// Every value that was ever stored, and the place of the newest: a load and a store are one step each, and a load brings
/// what was done before the store of what it finds. That a replaced value is freed in time is not modelled.
#[derive(Debug)]
pub(crate) struct ArcSwap<T> {
    newest: AtomicUsize,
    stored: std::sync::Mutex<Vec<Arc<T>>>,
}

impl<T> ArcSwap<T> {
    pub(crate) fn new(value: Arc<T>) -> Self {
        ArcSwap { newest: AtomicUsize::new(0), stored: std::sync::Mutex::new(vec![value]) }
    }

    pub(crate) fn load_full(&self) -> Arc<T> {
        let newest = self.newest.load(Ordering::Acquire);
        self.stored.lock().expect("it is never held at a panic")[newest].clone()
    }

    pub(crate) fn store(&self, value: Arc<T>) {
        let mut stored = self.stored.lock().expect("it is never held at a panic");
        stored.push(value);
        let at = stored.len() - 1;
        // The next step is another thread's perhaps.
        drop(stored);
        self.newest.store(at, Ordering::Release);
    }
}
