//! Timelines: one call and all of its attempts, closed.
//!
//! A [`Timeline`] prints itself: one line an attempt, drawn on a time axis.

mod call;
mod draw;
mod record;

pub use self::call::Timeline;
pub use self::record::{AttemptRecord, Ending};
