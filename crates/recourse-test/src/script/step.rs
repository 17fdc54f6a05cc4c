//! One step of a script: what an attempt does, and how long it takes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

pub(super) struct Step<T, E> {
    pub(super) does: Does<T, E>,
    /// Virtual time; `None` for the script's own.
    pub(super) takes: Option<Duration>,
    /// Polls that are pending and wake themselves, before anything else.
    pub(super) yields: u32,
}

/// What an attempt ends with. A copy is made by a plain function, so that only the step that needs it asks for `Clone`.
pub(super) enum Does<T, E> {
    Value(T, fn(&T) -> T),
    Error(E, fn(&E) -> E),
    Make(Arc<Mutex<Make<T, E>>>),
    Never,
    Panic(String),
}

/// Makes the result of the attempt with this number.
pub(super) type Make<T, E> = dyn FnMut(u32) -> Result<T, E> + Send;
