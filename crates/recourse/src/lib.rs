//! Resilience for Rust services: name a call with a low-cardinality key, and the key's policy decides attempts,
//! backoff, timeouts, budgets, hedging and circuit breaking. The executor records, attempt by attempt, what it did
//! and why.
//!
//! ```
//! use recourse::budget::TokenBucket;
//! use recourse::{Executor, Policy};
//!
//! # async fn get_user(_: u32) -> Result<String, std::io::Error> { Ok("Ada".into()) }
//! # futures::executor::block_on(async {
//! let executor = Executor::builder()
//!     .budget("retries", TokenBucket::new(100, 50.0)?) // 100 tokens, 50 per second
//!     .policy("user-service.GetUser", Policy::http().max_attempts(4).retry_budget("retries"))
//!     .build()?;
//!
//! let (user, timeline) = executor.call("user-service.GetUser").run_captured(|_| get_user(7)).await;
//! eprintln!("{timeline}");
//! assert_eq!(user?, "Ada");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! ```
//!
//! # How a call flows
//!
//! **key -> policy -> plan -> attempts -> outcome -> timeline.** The [`Key`] names the call site; its [`Policy`] comes
//! from a [`PolicyProvider`]; the names in the policy resolve to plugins in the executor's registries; each attempt is
//! judged by a [`Classifier`]; what happened stands in a [`Timeline`].
//!
//! # On any runtime
//!
//! The default sleeper works on every executor, or none. The features `tokio`, `smol` and `async-std` add sleepers for
//! those runtimes, in [`runtime`].
//!
//! # Writing plugins
//!
//! Depend on `recourse-core` alone: its traits are re-exported here, and its page says which is which.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod breakers;
mod build_error;
mod builder;
mod call;
pub mod classify;
mod default;
#[cfg(doctest)]
mod doctests;
mod error;
mod executor;
mod explain;
mod fence;
mod key_ref;
mod missing;
mod plan;
pub mod runtime;
mod shared;
mod static_check;
mod sync;

pub use build_error::{BuildError, Problem};
pub use builder::ExecutorBuilder;
pub use call::Call;
pub use default::{SetDefaultError, call, default_executor, run, set_default};
pub use error::Error;
pub use executor::{Executor, Handle};
pub use explain::{ExplainError, Explanation, Resolved};
pub use fence::{PanicCounts, PanicError};
pub use key_ref::KeyRef;
pub use missing::{MissingBreaker, MissingBudget, MissingClassifier, MissingPolicy, MissingTrigger};
pub use plan::{MissingPlugin, StaticProvider};
pub use static_check::PolicyChange;

pub use recourse_budget as budget;
pub use recourse_circuit as circuit;
pub use recourse_core::*;
pub use recourse_hedge as hedge;
pub use recourse_observe as observe;

#[cfg(feature = "async-std")]
pub use runtime::AsyncStdSleeper;
#[cfg(feature = "smol")]
pub use runtime::SmolSleeper;
pub use runtime::{FuturesTimerSleeper, SystemClock};
#[cfg(feature = "tokio")]
pub use runtime::{TokioClock, TokioSleeper};
