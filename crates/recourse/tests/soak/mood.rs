//! [`Mood`]: whether a plugin panics now.

use crate::dice::Dice;
use recourse::Component;
use std::any::Any;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What everything here panics with on purpose. It unwinds without a message, so that what is printed is a mistake.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum OnPurpose {
    Plugin(Component),
    Operation,
}

impl OnPurpose {
    pub(crate) fn panic(self) -> ! {
        resume_unwind(Box::new(self))
    }

    pub(crate) fn is(payload: &(dyn Any + Send)) -> bool {
        payload.is::<OnPurpose>()
    }
}

/// How often the plugins of a world panic. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Mood {
    dice: Dice,
    probability: f64,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    is_bad: AtomicBool,
    panics: [AtomicU64; Component::ALL.len()],
    faults: Mutex<Vec<String>>,
}

impl Mood {
    /// With this probability at each call of a plugin; never at 0.
    pub(crate) fn new(dice: &Dice, probability: f64) -> Self {
        let mood = Mood { dice: dice.clone(), probability, state: Arc::default() };
        mood.state.is_bad.store(probability > 0.0, Ordering::Relaxed);
        mood
    }

    /// Whether no plugin ever panics.
    pub(crate) fn is_calm(&self) -> bool {
        self.probability == 0.0
    }

    /// A plugin of this kind is called.
    pub(crate) fn swings(&self, component: Component) {
        if self.is_bad_now() {
            self.throws(component);
        }
    }

    fn is_bad_now(&self) -> bool {
        self.state.is_bad.load(Ordering::Relaxed) && self.dice.chance(self.probability)
    }

    fn throws(&self, component: Component) -> ! {
        self.state.panics[component as usize].fetch_add(1, Ordering::Relaxed);
        OnPurpose::Plugin(component).panic()
    }

    /// No plugin panics any more.
    pub(crate) fn calm_down(&self) {
        self.state.is_bad.store(false, Ordering::Relaxed);
    }

    pub(crate) fn panics(&self, component: Component) -> u64 {
        self.state.panics[component as usize].load(Ordering::Relaxed)
    }

    /// A plugin was treated as none may be.
    pub(crate) fn fault(&self, what: String) {
        self.state.faults.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub(crate) fn faults(&self) -> Vec<String> {
        self.state.faults.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
