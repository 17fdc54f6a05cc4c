//! Circuit breakers for [`recourse`](https://docs.rs/recourse): stop calling a side that is down.
//!
//! | name in a policy | breaker | it opens when |
//! |---|---|---|
//! | `consecutive_failures`, or none | [`ConsecutiveFailures`] | `circuit.threshold` attempts in a row failed |
//!
//! A breaker belongs to one key. It is asked before every attempt and told after it, so one that opens in the middle
//! of a call ends that call's retries. It counts **attempts**, not calls: with three attempts a call, a threshold of 5
//! trips in the second call.
//!
//! # States
//!
//! | from | to | when | cause |
//! |---|---|---|---|
//! | closed | open | `threshold` Down votes in a row | [`consecutive_failures`](cause::CONSECUTIVE_FAILURES) |
//! | open | half-open | a primary attempt asks once `cooldown` is over; it is the probe | [`cooldown_over`](cause::COOLDOWN_OVER) |
//! | half-open | closed | the probe votes Up | [`probe_succeeded`](cause::PROBE_SUCCEEDED) |
//! | half-open | open | the probe votes Down; the cooldown starts again | [`probe_failed`](cause::PROBE_FAILED) |
//!
//! A half-open circuit lets one probe through at a time, and never a hedge. A probe that says nothing (aborted,
//! dropped, denied by a budget, panicked) gives its slot back. A probe holds its slot for as long as it runs: give the
//! policy a timeout.
//!
//! Without an executor, a breaker is asked and told by hand:
//!
//! ```
//! use recourse_circuit::ConsecutiveFailures;
//! use recourse_core::{
//!     Admission, AdmissionRequest, AttemptKind, BreakerSettings, CircuitBreaker, CircuitState, Health, Moment, Now,
//! };
//! use std::time::Duration;
//!
//! let breaker = ConsecutiveFailures::new(BreakerSettings::new(1, Duration::from_secs(10)))?;
//! let ask = |secs| {
//!     let now = Now::at(Moment::ZERO + Duration::from_secs(secs));
//!     breaker.admit(&AdmissionRequest::new(AttemptKind::Retry, now))
//! };
//! let Admission::Admitted(ticket, _) = ask(0) else { panic!("a new circuit is closed") };
//! breaker.report(ticket, Health::Down, &Now::at(Moment::ZERO));
//! assert_eq!(breaker.state(), CircuitState::Open);
//! assert!(matches!(ask(9), Admission::Rejected(why) if why.reason == "circuit_open"));
//! assert!(matches!(ask(10), Admission::Admitted(ticket, _) if ticket.probe));
//! # Ok::<(), recourse_circuit::SettingsError>(())
//! ```

#![allow(unexpected_cfgs, reason = "`loom` is set by the model checks alone")]

mod breaker;
mod breakers;
mod builtin;
pub mod cause;
mod consecutive;
mod count;
mod failure_ratio;
mod millionths;
mod recovery;
mod settings;
mod slow_calls;
mod state;
mod summary;
mod sync;

pub use self::breakers::Breakers;
pub use self::builtin::builtin;
pub use self::consecutive::{CONSECUTIVE_FAILURES, ConsecutiveFailures, consecutive_failures};
pub use self::failure_ratio::{FAILURE_RATIO_COUNT, FAILURE_RATIO_TIME, FailureRatio};
pub use self::recovery::Recovery;
pub use self::settings::SettingsError;
pub use self::slow_calls::{SLOW_CALLS, SlowCalls};
