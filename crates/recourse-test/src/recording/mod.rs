//! Recording what observers hear: [`RecordingObserver`] keeps every callback as an [`Event`].

mod event;
mod observer;

pub use self::event::Event;
pub use self::observer::RecordingObserver;
