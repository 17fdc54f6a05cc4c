//! [`Fanout`]: several observers in the place of one.

use recourse_core::{AttemptRecord, BudgetEvent, CallStart, Key, Observer, Timeline, Transition};
use std::any::Any;
use std::fmt;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

/// Tells every observer in it of every callback, in the order in which they were added.
///
/// # Panics
///
/// An observer that panics silences none of the others: once all have been told, the first panic goes on to the
/// executor, which counts it and, with panic recovery on, keeps it from the call. Later panics of the same callback are
/// dropped.
///
/// ```
/// use recourse_core::{Observer, Timeline};
/// use recourse_observe::Fanout;
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
///
/// #[derive(Default)]
/// struct Failures(AtomicU64);
/// impl Observer for Failures {
///     fn on_failure(&self, _: &Timeline) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let (mine, theirs) = (Arc::new(Failures::default()), Arc::new(Failures::default()));
/// let both = Fanout::new().with(mine.clone()).with(theirs.clone());
/// assert_eq!(both.len(), 2);
/// # let _: &dyn Observer = &both;
/// ```
#[derive(Clone, Default)]
pub struct Fanout {
    observers: Vec<Arc<dyn Observer>>,
}

impl Fanout {
    /// Tells nobody.
    #[must_use]
    pub const fn new() -> Self {
        Fanout { observers: Vec::new() }
    }

    /// The same and one more; an `Arc` of an observer is one too.
    #[must_use]
    pub fn with(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// How many observers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.observers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.observers.is_empty()
    }

    fn each(&self, tell: impl Fn(&dyn Observer)) {
        let mut first: Option<Box<dyn Any + Send>> = None;
        for observer in &self.observers {
            // Nothing of ours is changed in there: what an observer leaves half done is its own.
            match catch_unwind(AssertUnwindSafe(|| tell(&**observer))) {
                Err(panic) if first.is_none() => first = Some(panic),
                // Dropping what a panic carries may panic once more.
                Err(panic) => forget(catch_unwind(AssertUnwindSafe(|| drop(panic)))),
                Ok(()) => {}
            }
        }
        if let Some(panic) = first {
            resume_unwind(panic);
        }
    }
}

impl From<Vec<Arc<dyn Observer>>> for Fanout {
    fn from(observers: Vec<Arc<dyn Observer>>) -> Self {
        Fanout { observers }
    }
}

impl fmt::Debug for Fanout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fanout({} observers)", self.observers.len())
    }
}

impl Observer for Fanout {
    fn on_start(&self, start: &CallStart<'_>) {
        self.each(|observer| observer.on_start(start));
    }
    fn on_attempt(&self, key: &Key, record: &AttemptRecord) {
        self.each(|observer| observer.on_attempt(key, record));
    }
    fn on_hedge_spawn(&self, key: &Key, record: &AttemptRecord) {
        self.each(|observer| observer.on_hedge_spawn(key, record));
    }
    fn on_hedge_cancel(&self, key: &Key, record: &AttemptRecord, reason: &str) {
        self.each(|observer| observer.on_hedge_cancel(key, record, reason));
    }
    fn on_budget_decision(&self, event: &BudgetEvent) {
        self.each(|observer| observer.on_budget_decision(event));
    }
    fn on_circuit_transition(&self, key: &Key, transition: &Transition) {
        self.each(|observer| observer.on_circuit_transition(key, transition));
    }
    fn on_state_capped(&self, key: &Key) {
        self.each(|observer| observer.on_state_capped(key));
    }
    fn on_success(&self, timeline: &Timeline) {
        self.each(|observer| observer.on_success(timeline));
    }
    fn on_failure(&self, timeline: &Timeline) {
        self.each(|observer| observer.on_failure(timeline));
    }
}
