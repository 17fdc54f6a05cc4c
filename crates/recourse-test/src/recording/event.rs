//! [`Event`]: one callback of an observer.

use recourse_core::timeline::AttemptRecord;
use recourse_core::{BudgetEvent, EffectivePolicy, Key, Timeline, Transition};
use std::fmt;

/// One callback of an [`Observer`](recourse_core::Observer). Prints as one short line, without times.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A call started.
    Start(Key, Option<Box<EffectivePolicy>>),
    /// An attempt ended, or was denied.
    Attempt(Key, AttemptRecord),
    /// A hedge was launched.
    HedgeSpawn(Key, AttemptRecord),
    /// A hedge was dropped before it ended; the last part says why.
    HedgeCancel(Key, AttemptRecord, String),
    /// A budget was asked, or is missing.
    Budget(BudgetEvent),
    /// A circuit breaker changed its state.
    Transition(Key, Transition),
    /// A call runs without state of its key.
    StateCapped(Key),
    /// A call succeeded.
    Success(Timeline),
    /// A call failed or was dropped.
    Failure(Timeline),
}

impl Event {
    /// The key of the call.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Event::Start(key, _)
            | Event::Attempt(key, _)
            | Event::HedgeSpawn(key, _)
            | Event::HedgeCancel(key, _, _)
            | Event::Transition(key, _)
            | Event::StateCapped(key) => key,
            Event::Budget(event) => &event.key,
            Event::Success(timeline) | Event::Failure(timeline) => &timeline.key,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Start(key, _) => write!(f, "start {key}"),
            Event::Attempt(key, record) => {
                write!(f, "attempt {key} {} {} {}", Name(record), record.ending, record.outcome.reason)
            }
            Event::HedgeSpawn(key, record) => write!(f, "hedge_spawn {key} {}", Name(record)),
            Event::HedgeCancel(key, record, reason) => {
                write!(f, "hedge_cancel {key} {} {reason}", Name(record))
            }
            Event::Budget(event) => {
                let verdict = if event.allowed { "allowed" } else { "denied" };
                write!(f, "budget {} #{} {}", event.key, event.attempt, event.kind)?;
                write!(f, " {} {verdict} {}", event.budget, event.reason)
            }
            Event::Transition(key, change) => {
                write!(f, "transition {key} {} -> {} {}", change.from, change.to, change.cause)
            }
            Event::StateCapped(key) => write!(f, "state_capped {key}"),
            Event::Success(timeline) => write!(f, "success {}", timeline.key),
            Event::Failure(timeline) => {
                write!(f, "failure {}", timeline.key)?;
                match timeline.stop {
                    Some(stop) => write!(f, " {stop}"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// `#0` for a primary attempt, `#0.1` for its first hedge.
struct Name<'a>(&'a AttemptRecord);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.hedge_index {
            0 => write!(f, "#{}", self.0.attempt),
            hedge => write!(f, "#{}.{hedge}", self.0.attempt),
        }
    }
}
