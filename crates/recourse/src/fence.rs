//! The fence round plugins: a panic there is caught, counted and turned into an answer.

use recourse_core::Component;
use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

/// A plugin panicked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PanicError {
    /// Which plugin.
    pub component: Component,
    /// What it said, if it said it as text.
    pub message: String,
}

impl PanicError {
    fn new(component: Component, payload: &(dyn Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "(no message)".to_owned());
        PanicError { component, message }
    }
}

impl fmt::Display for PanicError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panic in {}: {}", self.component, self.message)
    }
}

impl std::error::Error for PanicError {}

/// What goes through a plugin when the clock has panicked in its hands.
pub(crate) struct ClockPanicked;

/// What a plugin panicked with.
pub(crate) type Held = Box<dyn Any + Send>;

/// Catches panics of plugins, where recovery is on, and counts them.
#[derive(Debug)]
pub(crate) struct Fence {
    recover: bool,
    counts: [AtomicU64; Component::ALL.len()],
}

impl Fence {
    pub(crate) fn new(recover: bool) -> Self {
        Fence { recover, counts: std::array::from_fn(|_| AtomicU64::new(0)) }
    }

    /// Runs a plugin. With recovery off its panic unwinds.
    #[inline(always)]
    pub(crate) fn run<R>(&self, component: Component, plugin: impl FnOnce() -> R) -> Result<R, PanicError> {
        if self.recover { self.always(component, plugin) } else { Ok(plugin()) }
    }

    /// Runs a plugin from a drop, where a panic must never unwind.
    #[inline(always)]
    pub(crate) fn always<R>(
        &self,
        component: Component,
        plugin: impl FnOnce() -> R,
    ) -> Result<R, PanicError> {
        catch_unwind(AssertUnwindSafe(plugin)).map_err(|payload| self.told(component, payload))
    }

    #[cold]
    fn told(&self, component: Component, payload: Held) -> PanicError {
        let panic = self.caught(component, &*payload);
        discard(payload);
        panic
    }

    /// Runs a plugin and holds its panic back.
    #[inline(always)]
    pub(crate) fn hold<R>(&self, component: Component, plugin: impl FnOnce() -> R) -> Result<R, Held> {
        catch_unwind(AssertUnwindSafe(plugin)).map_err(|payload| self.held(component, payload))
    }

    /// Lets a panic go on that was held back; it ends here with recovery on, and `in_drop`, where none may unwind.
    pub(crate) fn let_go(&self, panic: Option<Held>, in_drop: bool) {
        match panic {
            Some(panic) if self.recover || in_drop => discard(panic),
            Some(panic) => resume_unwind(panic),
            None => {}
        }
    }

    #[cold]
    fn held(&self, component: Component, payload: Held) -> Held {
        self.caught(component, &*payload);
        payload
    }

    fn caught(&self, component: Component, payload: &(dyn Any + Send)) -> PanicError {
        if payload.is::<ClockPanicked>() {
            // It was counted where the clock was read.
            return PanicError::new(Component::Clock, payload);
        }
        self.counts[component as usize].fetch_add(1, Ordering::Relaxed);
        PanicError::new(component, payload)
    }

    pub(crate) fn counts(&self) -> PanicCounts {
        PanicCounts(std::array::from_fn(|at| self.counts[at].load(Ordering::Relaxed)))
    }
}

/// The earlier of two panics; the other is gone.
pub(crate) fn first_of(first: Option<Held>, also: Option<Held>) -> Option<Held> {
    match (first, also) {
        (Some(first), Some(also)) => {
            discard(also);
            Some(first)
        }
        (first, also) => first.or(also),
    }
}

/// Drops what somebody panicked with. Its own drop may panic as well, and what it panics with then is forgotten.
pub(crate) fn discard(payload: Held) {
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(another);
    }
}

/// How many panics of plugins an executor has caught.
///
/// ```
/// use recourse::{Component, Executor};
///
/// let executor = Executor::builder().build()?;
/// assert_eq!(executor.plugin_panics().count(Component::Classifier), 0);
/// # Ok::<(), recourse::BuildError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PanicCounts([u64; Component::ALL.len()]);

impl PanicCounts {
    /// Panics of one component.
    #[must_use]
    pub fn count(&self, component: Component) -> u64 {
        self.0[component as usize]
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

impl fmt::Debug for PanicCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counted =
            Component::ALL.into_iter().map(|component| (component.to_string(), self.count(component)));
        f.debug_map().entries(counted).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_its_own_index() {
        for (at, component) in Component::ALL.into_iter().enumerate() {
            assert_eq!(component as usize, at);
        }
    }

    #[test]
    fn a_caught_panic_is_counted_and_named() {
        let fence = Fence::new(true);
        let error = fence.run(Component::Budget, || panic!("out of {}", "luck")).unwrap_err();
        assert_eq!(error.to_string(), "panic in budget: out of luck");
        assert_eq!((fence.counts().count(Component::Budget), fence.counts().total()), (1, 1));
    }

    #[test]
    fn with_recovery_off_only_a_drop_is_fenced() {
        let fence = Fence::new(false);
        assert!(fence.always(Component::Observer, || panic!("in a drop")).is_err());
        let unwound = catch_unwind(AssertUnwindSafe(|| fence.run(Component::Observer, || panic!("outside"))));
        assert!(unwound.is_err());
    }
}
