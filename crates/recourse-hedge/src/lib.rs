//! Hedge triggers for recourse, and the latency window that they read.
//!
//! A hedge is a second attempt beside a slow first one; the first success wins. A trigger says when it is worth it.
//!
//! | trigger | registry name | hedge `n` fires |
//! |---|---|---|
//! | [`FixedDelay`] | `fixed_delay` | `n` x the policy's `hedge_delay` after the group began |
//! | [`Quantile`] | `p50`, `p90`, `p95`, `p99` | once the group is older than `n` x that quantile of the key's recent latencies |
//! | [`ExtraLoad`] | - | once the group is older than `n` x a delay at which at most so many calls in 100 are hedged |
//! | [`OnFailure`] | - | when an attempt has failed, or when the trigger within says so |
//! | [`WithinDeadline`] | `fixed_delay_within_deadline` round a [`FixedDelay`] | when the trigger within says so and the hedge can be back before the call's deadline |
//! | [`Observing`] | - | never: it counts when the trigger within would |
//!
//! The facade registers those that have a name, see [`builtin`]; the others are registered under a name of the user's.
//! A quantile follows the service as it gets faster or slower; a fixed delay is known beforehand, costs no bookkeeping,
//! and works from the first call on. Hedging at the p95 adds about 5 % of load, at the p50 about half: name a budget in
//! `hedge.budget` to bound it when everything turns slow. An extra load is bounded by itself.
//!
//! No trigger looks at the circuit or at the budget: the executor launches no hedge while the circuit is half-open or
//! the budget refuses.
//!
//! # Deadlines
//!
//! A hedge that can't be expected back before the call's deadline is load for nothing. [`Quantile`], [`ExtraLoad`] and the
//! failures of [`OnFailure`] launch none once less time is left than half of the key's recent calls took, as far as that is
//! known; each has an `ignore_deadline`. [`FixedDelay`] knows no latencies and stands in a [`WithinDeadline`] for it. No
//! trigger launches anything when no time at all is left.
//!
//! # Latencies
//!
//! Quantiles come from a [`LatencyWindow`] per key, which holds the samples of the last 30 to 60 seconds in 2.5 KiB, and
//! in more where threads fight over it.
//! Record one sample a call: from the start of its primary to the first acceptable result, or to its cancellation.
//! Recording what the winner alone took would hide the slow primaries and hedge twice as often as meant. Denied hedges
//! and failures that never left the process are no samples.
//!
//! # What may be relied on
//!
//! * One evaluation launches one hedge at most, and none beyond the policy's `max_hedges`.
//! * None is launched at the call's deadline or behind it.
//! * Several hedges for slowness are spaced: no two of one quantile trigger are closer than its quantile.
//! * Nothing here locks or reads a clock, and nothing allocates once it is made, but for the stripes of a
//!   [`LatencyWindow`] that threads fight over.

mod account;
mod accounts;
mod atomics;
mod buckets;
mod builtin;
mod counters;
mod deadline;
mod error;
mod extra_load;
mod fixed_delay;
mod kept;
mod latency;
mod marks;
mod observing;
mod on_failure;
mod place;
mod quantile;
mod stripes;
mod turn;
mod within_deadline;

pub use builtin::builtin;
pub use error::HedgeConfigError;
pub use extra_load::ExtraLoad;
pub use fixed_delay::FixedDelay;
pub use latency::LatencyWindow;
pub use observing::Observing;
pub use on_failure::OnFailure;
pub use quantile::Quantile;
pub use within_deadline::WithinDeadline;
