//! The words of `recourse`: traits for plugins, and the types that they speak in. Standard library only.
//!
//! Write a plugin against this crate alone; depend on [`recourse`](https://docs.rs/recourse) to run calls.
//!
//! | to plug in | implement | it is chosen by |
//! |---|---|---|
//! | a judge of results | [`Classifier`] | `retry.classifier_name`, or as the executor's default |
//! | a gate for attempts | [`Budget`] | `retry.budget.name`, `hedge.budget.name` |
//! | a reason to hedge | [`HedgeTrigger`] | `hedge.trigger_name` |
//! | a circuit breaker | [`CircuitBreaker`] and [`BreakerFactory`] | `circuit.breaker_name` |
//! | a listener | [`Observer`] | the executor |
//! | a source of policies | [`PolicyProvider`] | the executor |
//! | a runtime's timer | [`Sleeper`] | the executor |
//! | a source of time | [`Clock`] | the executor |
//!
//! # What may be relied on
//!
//! * Plugin methods are called on the caller's task. None may block; all may be called from many threads at once.
//! * A panic in a plugin never unwinds through the executor unless it was told to let it.
//! * What a plugin hands out is given back exactly once: a [`Release`] runs, a [`Ticket`] is reported or abandoned,
//!   however the attempt ends, also when the caller drops the call.
//! * The traits are stable for v1.x: new methods have defaults, argument types are `#[non_exhaustive]` with
//!   constructors for tests.
//!
//! # Features
//!
//! `serde` (off by default) makes policies readable from JSON, TOML and the like; it is the only thing here that
//! brings dependencies.

mod attempt;
mod attributes;
mod budget;
mod circuit;
mod classify;
mod failure;
mod generation;
mod hedge;
mod key;
mod label;
#[cfg(recourse_loom)]
#[doc(hidden)]
pub mod modelled;
mod observe;
mod outcome;
pub mod policy;
mod provider;
pub mod reason;
mod registry;
mod stop;
mod sync;
#[doc(hidden)]
pub mod threads;
mod time;
pub mod timeline;

pub use attempt::{Attempt, intern};
pub use attributes::Attributes;
pub use budget::{AttemptEnd, AttemptKind, Budget, BudgetRequest, Decision, Release};
pub use circuit::{
    Admission, AdmissionRequest, BreakerFactory, BreakerSettings, CircuitBreaker, CircuitMode, CircuitState,
    CircuitStatus, Glance, ModeChange, Rejection, Shown, Ticket, Transition,
};
pub use classify::{AttemptResult, Classifier, type_mismatch};
pub use failure::{Boxed, Cancelled, Failure, GrpcCode, GrpcFailure, HttpFailure, Itself, find_error};
pub use generation::Generation;
pub use hedge::{HedgeDecision, HedgeState, HedgeTrigger, LatencySnapshot};
pub use key::{Key, KeyError};
pub use label::Label;
pub use observe::{BudgetEvent, CallStart, DecisionMode, Observer};
pub use outcome::{Health, Outcome, OutcomeKind};
pub use policy::{EffectivePolicy, Jitter, Policy, PolicyError, PolicySource};
pub use provider::{PolicyProvider, ProvidedPolicy, ProviderError, ProviderErrorKind};
pub use registry::{Registry, RegistryError};
pub use stop::{Component, StopReason};
pub use time::{Clock, Moment, Now, Sleeper, Timer};
pub use timeline::{AttemptRecord, Ending, Timeline};
