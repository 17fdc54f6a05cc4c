//! Circuit breakers for [`recourse`](https://docs.rs/recourse): stop calling a side that is down.
//!
//! | name in a policy | kind | it opens when |
//! |---|---|---|
//! | `consecutive_failures`, or none | [`ConsecutiveFailures`] | `circuit.threshold` attempts in a row failed |
//! | `failure_ratio_count` | [`FailureRatio::over_attempts`] | too large a part of the last attempts failed |
//! | `failure_ratio_time` | [`FailureRatio::over_time`] | too large a part of the attempts of the last seconds failed |
//! | `slow_calls` | [`SlowCalls`] | too large a part was slow, or failed |
//!
//! The facade registers all of them with their defaults, see [`builtin`]. With options of your own, register what
//! `build()` returns under a name of your own.
//!
//! A breaker belongs to one key. It is asked before every attempt and told after it, so one that opens in the middle
//! of a call ends that call's retries. It counts **attempts**, not calls: with three attempts a call, a threshold of 5
//! trips in the second call.
//!
//! # States
//!
//! The kinds differ only in how a closed circuit counts. All else is one state machine:
//!
//! | from | to | when | cause |
//! |---|---|---|---|
//! | closed | open | the count says so | [`consecutive_failures`](cause::CONSECUTIVE_FAILURES), [`failure_ratio`](cause::FAILURE_RATIO), [`slow_calls`](cause::SLOW_CALLS), [`abandoned`](cause::ABANDONED) |
//! | open | half-open | a primary attempt asks once the open time is over; it is a probe | [`cooldown_over`](cause::COOLDOWN_OVER) |
//! | half-open | closed | as many probes as needed voted Up | [`probe_succeeded`](cause::PROBE_SUCCEEDED) |
//! | half-open | open | a probe voted Down, was throttled, was slow, or was given up once too often | [`probe_failed`](cause::PROBE_FAILED), [`probe_slow`](cause::PROBE_SLOW), [`abandoned`](cause::ABANDONED) |
//!
//! A half-open circuit lets exactly as many probes through as [`Recovery`] says (one, by default), and never a hedge. A
//! probe that says nothing (aborted, dropped, denied by a budget, panicked) gives its slot back, and one that hangs
//! loses it when its lease is over. So no circuit is stuck half-open.
//!
//! # What may be relied on
//!
//! * A report that was admitted before the last change of state is ignored, and so is that of a probe which has lost its
//!   slot: each ticket has a generation.
//! * A success never opens a circuit. Time that passes changes nothing until an attempt asks.
//! * The memory of a breaker is fixed when it is made. Asking and telling never allocate.
//! * A closed circuit admits by one load. Good votes take no lock; rejections by an open circuit, or by one whose probes
//!   are all out, neither.
//! * Only kinds that need the time read the clock: see each.
//! * A clock may jump or go backwards: a circuit is open for at most one open time after the first attempt that sees the
//!   new time.
//!
//! # Modes
//!
//! [`set_mode`](recourse_core::CircuitBreaker::set_mode) overrides what a breaker does, until it is set again:
//!
//! | mode | admits | counts | changes its state |
//! |---|---|---|---|
//! | enforcing | as its state says | yes | yes |
//! | observing | everything | yes | yes: a new kind can be watched before it is trusted |
//! | forced open | nothing | what is still in flight | no; goes on from where it was |
//! | forced closed | everything | yes | closes when it is set, and stays so |
//! | disabled | everything | no | closes, and begins anew when it is set again |
//!
//! Whoever sets a mode hears what it changed, from [`change_mode`](recourse_core::CircuitBreaker::change_mode): the state
//! that showed before and the one that shows now, with the mode's name as the cause ([`cause`]). An executor tells its
//! observers.
//!
//! # By hand
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
//! let breaker = ConsecutiveFailures::new().build()?.one(BreakerSettings::new(1, Duration::from_secs(10)))?;
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

mod breaker;
mod breakers;
mod builtin;
pub mod cause;
mod consecutive;
mod count;
mod failure_ratio;
mod millionths;
mod observing;
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
pub use self::observing::Observing;
pub use self::recovery::Recovery;
pub use self::settings::SettingsError;
pub use self::slow_calls::{SLOW_CALLS, SlowCalls};
