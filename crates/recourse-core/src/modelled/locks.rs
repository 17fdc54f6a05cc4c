//! Locks that are asked as `parking_lot`'s are.

use loom::sync::{self, MutexGuard, RwLockReadGuard, RwLockWriteGuard};

const NO_PANIC: &str = "no thread of a model check panics with the lock";

/// Loom's, which can't be poisoned.
#[derive(Debug)]
pub struct Mutex<T>(sync::Mutex<T>);

impl<T> Mutex<T> {
    /// A lock of this value.
    #[must_use]
    pub fn new(value: T) -> Self {
        Mutex(sync::Mutex::new(value))
    }

    /// Waits for it.
    ///
    /// # Panics
    ///
    /// Where a thread panicked with it.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect(NO_PANIC)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Mutex::new(T::default())
    }
}

/// Loom's, which can't be poisoned.
#[derive(Debug)]
pub struct RwLock<T>(sync::RwLock<T>);

impl<T> RwLock<T> {
    /// Waits until nobody writes.
    ///
    /// # Panics
    ///
    /// Where a thread panicked with it.
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.0.read().expect(NO_PANIC)
    }

    /// Waits until nobody else has it.
    ///
    /// # Panics
    ///
    /// Where a thread panicked with it.
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.0.write().expect(NO_PANIC)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        RwLock(sync::RwLock::new(T::default()))
    }
}
