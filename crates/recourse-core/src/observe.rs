//! [`Observer`]: hears what a call does, attempt by attempt.

use crate::budget::AttemptKind;
use crate::circuit::Transition;
use crate::key::Key;
use crate::label::Label;
use crate::policy::EffectivePolicy;
use crate::timeline::{AttemptRecord, Timeline};
use std::fmt;
use std::sync::Arc;

/// Hears what a call does. Every method does nothing by default.
///
/// Exactly one of [`on_success`](Self::on_success) and [`on_failure`](Self::on_failure) follows each
/// [`on_start`](Self::on_start), also when the caller drops the call. Methods are called on the caller's task, some of
/// them while the call is being dropped: they must not block. Watching changes no decision.
///
/// ```
/// use recourse_core::{Observer, Timeline};
///
/// struct Log;
/// impl Observer for Log {
///     fn on_failure(&self, timeline: &Timeline) {
///         eprintln!("{timeline}");
///     }
/// }
/// ```
pub trait Observer: Send + Sync {
    /// A call starts.
    fn on_start(&self, start: &CallStart<'_>) {
        let _ = start;
    }
    /// An attempt has ended, or was denied.
    fn on_attempt(&self, key: &Key, record: &AttemptRecord) {
        let _ = (key, record);
    }
    /// A hedge is launched. Its record is still open.
    fn on_hedge_spawn(&self, key: &Key, record: &AttemptRecord) {
        let _ = (key, record);
    }
    /// A hedge was dropped before it ended: it lost the race (`superseded`), or the call was dropped or ended by a
    /// plugin's panic (`cancelled`).
    fn on_hedge_cancel(&self, key: &Key, record: &AttemptRecord, reason: &str) {
        let _ = (key, record, reason);
    }
    /// A budget that the policy names was asked, or is missing.
    fn on_budget_decision(&self, event: &BudgetEvent) {
        let _ = event;
    }
    /// The key's circuit breaker changed its state, or was given another mode (`Executor::set_circuit_mode`): then the
    /// cause is the mode's name, and the states may be the same. It is told by whoever made the change, a call or the
    /// setter of the mode, right after it.
    fn on_circuit_transition(&self, key: &Key, transition: &Transition) {
        let _ = (key, transition);
    }
    /// The call runs without a breaker and without latencies, because the cap of keys is reached.
    fn on_state_capped(&self, key: &Key) {
        let _ = key;
    }
    /// The call has succeeded.
    fn on_success(&self, timeline: &Timeline) {
        let _ = timeline;
    }
    /// The call has failed or was dropped.
    fn on_failure(&self, timeline: &Timeline) {
        let _ = timeline;
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn on_start(&self, start: &CallStart<'_>) {
        (**self).on_start(start);
    }
    fn on_attempt(&self, key: &Key, record: &AttemptRecord) {
        (**self).on_attempt(key, record);
    }
    fn on_hedge_spawn(&self, key: &Key, record: &AttemptRecord) {
        (**self).on_hedge_spawn(key, record);
    }
    fn on_hedge_cancel(&self, key: &Key, record: &AttemptRecord, reason: &str) {
        (**self).on_hedge_cancel(key, record, reason);
    }
    fn on_budget_decision(&self, event: &BudgetEvent) {
        (**self).on_budget_decision(event);
    }
    fn on_circuit_transition(&self, key: &Key, transition: &Transition) {
        (**self).on_circuit_transition(key, transition);
    }
    fn on_state_capped(&self, key: &Key) {
        (**self).on_state_capped(key);
    }
    fn on_success(&self, timeline: &Timeline) {
        (**self).on_success(timeline);
    }
    fn on_failure(&self, timeline: &Timeline) {
        (**self).on_failure(timeline);
    }
}

/// A call that starts.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CallStart<'a> {
    /// The call's key.
    pub key: &'a Key,
    /// The policy that it will obey; `None` where there is none, and the call is about to fail.
    pub policy: Option<&'a EffectivePolicy>,
}

impl<'a> CallStart<'a> {
    /// A call with this key and policy.
    #[must_use]
    pub const fn new(key: &'a Key, policy: Option<&'a EffectivePolicy>) -> Self {
        CallStart { key, policy }
    }
}

/// A budget's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetEvent {
    /// The call's key.
    pub key: Key,
    /// The attempt's index, from 0.
    pub attempt: u32,
    /// Primary or hedge.
    pub kind: AttemptKind,
    /// The budget's name.
    pub budget: Label,
    /// What the policy says the attempt costs.
    pub cost: u32,
    /// How the decision came about.
    pub mode: DecisionMode,
    /// Whether the attempt may start.
    pub allowed: bool,
    /// Why, as a low-cardinality code.
    pub reason: Label,
}

impl BudgetEvent {
    /// An allowed attempt at cost 1, decided by the budget itself.
    #[must_use]
    pub fn new(key: Key, attempt: u32, kind: AttemptKind, budget: impl Into<Label>) -> Self {
        BudgetEvent {
            key,
            attempt,
            kind,
            budget: budget.into(),
            cost: 1,
            mode: DecisionMode::Standard,
            allowed: true,
            reason: Label::from_static(crate::reason::ALLOWED),
        }
    }
}

/// How a decision came about: by the plugin itself, or by the failure mode for a missing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DecisionMode {
    /// The plugin decided.
    Standard,
    /// It is missing, and that allows.
    Allow,
    /// It is missing, and that denies.
    Deny,
    /// It is missing, and a fallback stands in.
    Fallback,
    /// It is missing, and the attempts go through unguarded.
    AllowUnsafe,
    /// Nobody knows.
    Unknown,
}

impl DecisionMode {
    /// The name in events: `standard`, `allow`, `deny`, `fallback`, `allow_unsafe` or `unknown`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            DecisionMode::Standard => "standard",
            DecisionMode::Allow => "allow",
            DecisionMode::Deny => "deny",
            DecisionMode::Fallback => "fallback",
            DecisionMode::AllowUnsafe => "allow_unsafe",
            DecisionMode::Unknown => "unknown",
        }
    }
}

impl fmt::Display for DecisionMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
