//! recourse, by prepared handle, by static key and by string key.

mod by_handle;
mod by_key;
pub(in crate::contestants) mod executor;
mod keys;
mod parts;
mod sizes;

pub use by_handle::Recourse;
pub use by_key::{RecourseByStaticKey, RecourseByStringKey};
pub use sizes::{Tracking, call_keys, future_overhead};
