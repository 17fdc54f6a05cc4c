//! What the libraries share words and locks with where a model is checked: loom's, with the names of the real ones.
//!
//! It is here because every crate that has models stands on this one. Without `--cfg recourse_loom` it isn't.

mod atomics;
mod locks;

pub use self::atomics::{AtomicU64, AtomicUsize};
pub use self::locks::{Mutex, RwLock};
pub use loom::sync::atomic::{Ordering, fence};
