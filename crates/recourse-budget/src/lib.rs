//! Budgets for recourse: gates that keep retries and hedges from becoming a storm.
//!
//! Without a budget, three attempts a call are three times the load, just when the server can bear it least. A budget
//! is shared by as many policies as name it, and bounds what their retries and hedges add together.
//!
//! | budget | from | what it bounds | fed by |
//! |---|---|---|---|
//! | [`TokenBucket`] | ITU-T I.371 | extra attempts a second, with room for a burst | time |
//! | [`RetryRatio`] | Finagle, Linkerd, tower | extra attempts as a share of first ones | requests |
//! | [`Throttle`] | gRPC, proposal A6 | extra attempts while too many attempts fail | successes |
//! | [`Quota`] | AWS SDKs, standard mode | extra attempts that don't help | successes |
//! | [`InFlight`] | Envoy, failsafe-go | extra attempts that run at once | ends |
//! | [`AdaptiveThrottle`] | Google SRE book, chapter 21 | all attempts, by what the other side accepts | successes |
//! | [`Unlimited`] | | nothing: for switching a budget off by configuration, and tests | |
//!
//! | around others | |
//! |---|---|
//! | [`AllOf`] | all must allow; what a part granted is given back if another denies |
//! | [`AnyOf`] | one must allow |
//! | [`Observing`] | says what a budget would deny, and denies nothing |
//!
//! Two things to know when choosing. A budget that is fed by requests or time goes on paying while everything fails; one
//! that is fed by successes drains, and so lets a service recover. And a budget that bounds a rate doesn't bound how
//! many attempts run at once, nor the other way round: join one of each with [`AllOf`].
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
//! * A call's first attempt is neither charged nor denied, unless the budget was built to gate first attempts: a bucket
//!   with [`gate_first_attempts`](TokenBucket::gate_first_attempts), and the adaptive throttle. Hedges are always charged.
//! * An attempt gets all that it costs or nothing, in one atomic step. No budget here locks or waits, and none
//!   allocates, but for the rare release of [`AnyOf`] and [`Observing`], which say when.
//! * What is counted is counted in whole numbers: what was granted, less what was given back, is what is spent, at any
//!   number of threads, any cost and any time. A clock that goes a little backwards adds nothing; one that
//!   was [set back](#a-clock-that-jumps) keeps no budget from going on.
//! * The clock is the request's, and read only where the time counts.
//! * Asking [`would_deny`](recourse_core::Budget::would_deny) takes nothing and changes nothing that there is, and if
//!   nothing happens in between, the attempt gets the answer that was foretold.
//!
//! # A clock that jumps
//!
//! A clock should not go backwards. Threads that read it in one order and ask in another make it look as if it did, by
//! little: such a step adds nothing and takes nothing. A clock that reads more than a budget remembers before the latest
//! moment was set back, and the budget goes on from there, with what it has. It remembers
//!
//! | | |
//! |---|---|
//! | [`TokenBucket`], the reserve of a [`RetryRatio`] | what fills it, or a second if that is more |
//! | the credit of a [`RetryRatio`] | its ttl |
//! | [`AdaptiveThrottle`] | its window |
//!
//! So a clock that jumps far ahead and back stops no budget for longer. The bounds hold with the time that the clock has
//! gone forward: a jump ahead counts, and counts again where it comes again.
//!
//! # What the caller must do
//!
//! For each attempt that was allowed, drop the decision's release, and right after it, on the same thread, call
//! [`on_outcome`](recourse_core::Budget::on_outcome) if the attempt was sent or
//! [`refund`](recourse_core::Budget::refund) if it wasn't: one of the two, once. The executor does. Where
//! [`wants_outcomes`](recourse_core::Budget::wants_outcomes) is false, `on_outcome` may be left out; `refund` may not.

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
mod throttle;
mod token_bucket;
mod unlimited;
mod window;

pub use adaptive_throttle::AdaptiveThrottle;
pub use all_of::AllOf;
pub use any_of::AnyOf;
pub use codes::{OBSERVED_DENIAL, OBSERVED_PANIC};
pub use error::BudgetConfigError;
pub use in_flight::InFlight;
pub use observing::Observing;
pub use quota::Quota;
pub use retry_ratio::RetryRatio;
pub use throttle::Throttle;
pub use token_bucket::TokenBucket;
pub use unlimited::Unlimited;
