//! [`Decision`]: a budget's answer. [`Release`] gives back what it took.

use crate::label::Label;
use crate::reason;
use std::fmt;

/// A budget's answer.
#[derive(Debug)]
#[non_exhaustive]
pub struct Decision {
    /// Whether the attempt may start.
    pub allowed: bool,
    /// Why, as a low-cardinality code.
    pub reason: Label,
    /// Run when the allowed attempt ends, however it ends.
    pub release: Option<Release>,
}

impl Decision {
    /// The attempt may start.
    #[must_use]
    #[inline]
    pub const fn allow() -> Self {
        Decision { allowed: true, reason: Label::from_static(reason::ALLOWED), release: None }
    }

    /// The attempt may not start; an empty reason becomes `budget_denied`.
    #[must_use]
    #[inline]
    pub fn deny(reason: impl Into<Label>) -> Self {
        let reason = reason.into();
        let reason = if reason.is_empty() { Label::from_static(reason::BUDGET_DENIED) } else { reason };
        Decision { allowed: false, reason, release: None }
    }

    /// The same with something to run when the attempt ends.
    #[must_use]
    pub fn with_release(mut self, release: impl FnOnce() + Send + 'static) -> Self {
        self.release = Some(Release::new(release));
        self
    }
}

/// Gives back what a budget took. Runs exactly once: when it is dropped.
///
/// ```
/// use recourse_core::Release;
/// use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
///
/// let in_flight = Arc::new(AtomicU32::new(1));
/// let counter = in_flight.clone();
/// drop(Release::new(move || { counter.fetch_sub(1, Ordering::Relaxed); }));
/// assert_eq!(in_flight.load(Ordering::Relaxed), 0);
/// ```
pub struct Release(Box<dyn FnMut() + Send>);

impl Release {
    /// Runs `give_back` when dropped.
    #[must_use]
    #[inline]
    pub fn new(give_back: impl FnOnce() + Send + 'static) -> Self {
        let mut give_back = Some(give_back);
        Release(Box::new(move || {
            if let Some(give_back) = give_back.take() {
                give_back();
            }
        }))
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl fmt::Debug for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Release")
    }
}
