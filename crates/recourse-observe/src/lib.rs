//! Observers for [`recourse`](https://docs.rs/recourse), and the names that telemetry is written in.
//!
//! | to | use |
//! |---|---|
//! | give one call to several observers | [`Fanout`] |
//! | look at the latest calls on a debug page | [`Recent`] |
//! | write a call as one line of a log | [`logfmt`] |
//! | read attributes and event fields without typing their names | [`names`] |
//!
//! To print a call over several lines, with its attempts on a time axis, print the
//! [`Timeline`](recourse_core::Timeline) itself.
//!
//! ```
//! use recourse_core::{Observer, Timeline};
//! use recourse_observe::{Fanout, Recent, logfmt};
//!
//! struct Log;
//! impl Observer for Log {
//!     fn on_failure(&self, timeline: &Timeline) {
//!         eprintln!("{}", logfmt(timeline));
//!     }
//! }
//!
//! let recent = Recent::new(100)?;
//! let observer = Fanout::new().with(Log).with(recent.clone());
//! # let _: &dyn Observer = &observer;
//! # Ok::<(), recourse_observe::CapacityError>(())
//! ```

mod fanout;
mod logfmt;
pub mod names;
mod recent;

pub use self::fanout::Fanout;
pub use self::logfmt::logfmt;
pub use self::recent::{CapacityError, Recent};
