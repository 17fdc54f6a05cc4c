//! Budgets for recourse: gates that keep retries and hedges from becoming a storm.
//!
//! Without a budget, three attempts a call are three times the load, just when the server can bear it least. A budget
//! is shared by as many policies as name it, and bounds what their retries and hedges add together.
//!
//! | budget | what it bounds | look here |
//! |---|---|---|
//! | [`TokenBucket`] | extra attempts a second, with room for a burst | a service with a known capacity |
//! | [`Unlimited`] | nothing | switching a budget off by configuration, tests |
//!
//! # Use
//!
//! Register a budget under a name, and name it in `retry.budget` or `hedge.budget` of a policy. Naming the same one in
//! both places shares it. Nothing is registered by default, and a name that is missing fails closed.
//!
//! ```
//! use recourse_budget::TokenBucket;
//! use recourse_core::{Budget, Registry};
//! use std::sync::Arc;
//!
//! let budgets: Registry<dyn Budget> = Registry::new();
//! budgets.register("extra_load", Arc::new(TokenBucket::new(100, 50.0)?))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What may be relied on
//!
//! * A call's first attempt is neither charged nor denied, and costs no clock read, unless the budget was built to
//!   gate first attempts. Hedges are always charged.
//! * An attempt gets all that it costs or nothing, in one atomic step. No budget here locks, allocates or waits.
//! * Asking [`would_deny`](recourse_core::Budget::would_deny) takes nothing and changes nothing.

mod adaptive_throttle;
mod all_of;
mod any_of;
mod atomic;
mod codes;
mod credit;
mod decimal;
mod error;
mod expiry;
mod flow;
mod in_flight;
mod members;
mod observing;
mod quota;
mod refill;
mod retry_ratio;
mod routing;
mod stock;
mod throttle;
mod token_bucket;
mod unlimited;
mod window;

pub use adaptive_throttle::AdaptiveThrottle;
pub use all_of::AllOf;
pub use any_of::AnyOf;
pub use codes::OBSERVED_DENIAL;
pub use error::BudgetConfigError;
pub use in_flight::InFlight;
pub use observing::Observing;
pub use quota::Quota;
pub use retry_ratio::RetryRatio;
pub use throttle::Throttle;
pub use token_bucket::TokenBucket;
pub use unlimited::Unlimited;
