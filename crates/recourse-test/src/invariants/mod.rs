//! What every plugin must keep to, as checks of one line each: run them against your own in a test.
//!
//! | check | of | says |
//! |---|---|---|
//! | [`budget_peeks_truly`] | a budget | a denial that was foretold comes, each denial has a reason, no number makes it panic |
//! | [`budget_gives_everything_back`] | a budget | the same; what was never sent comes back whole and once, peeks take nothing, threads together get no more than one |
//! | [`budget_frees_what_has_ended`] | a budget that bounds what runs at once | however attempts end, their room is free again, and no more than theirs |
//! | [`breaker_is_never_stuck`] | a kind of breaker | whatever it was told and the clock did, it closes again when all is well; no hedge is a probe, and half-open all else is; what it foretells comes; late reports, peeks and new settings move nothing; no probe stays out |
//! | [`circuit_recovers`] | one breaker | it closes again when all is well |
//! | [`trigger_never_spins`] | a hedge trigger | it asks for no more than 200 looks a second, and no state makes it panic |
//! | [`trigger_spares_quick_calls`] | a hedge trigger | a call that is as quick as most is not hedged |
//! | [`classifier_is_total`] | a classifier | it has an answer to everything, the same each time, with codes of few values |
//! | [`classifier_judges`] | a classifier | the same for results of your own |
//! | [`observer_bears_everything`] | an observer | no call makes it panic, on no thread |
//! | [`provider_keeps_its_word`] | a policy provider | its answers are alike, are policies, and may be dropped unheard |
//! | [`policy_is_kept_as_written`] | a policy | every value is inside its limits |
//! | [`clock_never_goes_back`] | a clock | it shows no earlier moment than before |
//! | [`sleeper_wakes_in_time`] | a sleeper | a sleep is over in its time, wakes whom it must, and once |
//!
//! Each panics, at the line that calls it, with what was wrong. Give a check a fresh plugin: it asks a lot, and takes what
//! it can get.
//!
//! ```
//! use recourse_core::{AttemptKind, Budget, BudgetRequest, Decision};
//! use recourse_test::invariants;
//! use std::sync::Arc;
//! use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
//!
//! /// Two retries at once.
//! #[derive(Default)]
//! struct TwoAtOnce(Arc<AtomicU32>);
//!
//! impl Budget for TwoAtOnce {
//!     fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
//!         if request.is_first_attempt() {
//!             return Decision::allow();
//!         }
//!         let one_more = |out| if out < 2 { Some(out + 1) } else { None };
//!         match self.0.fetch_update(Relaxed, Relaxed, one_more) {
//!             Err(_) => Decision::deny("two_at_once"),
//!             Ok(_) => {
//!                 let out = self.0.clone();
//!                 Decision::allow().with_release(move || _ = out.fetch_sub(1, Relaxed))
//!             }
//!         }
//!     }
//! }
//!
//! invariants::budget_gives_everything_back(&TwoAtOnce::default());
//! invariants::budget_frees_what_has_ended(&TwoAtOnce::default());
//! ```
//!
//! For calls as a whole, register plugins inside [`WatchedBudget`](crate::WatchedBudget) and
//! [`WatchedBreakers`](crate::WatchedBreakers) and add [`WatchedCalls`](crate::WatchedCalls) as an observer: after a test
//! they say whether everything that was taken has come back.

mod breaker;
mod budget;
mod classifier;
mod others;
mod sleeper;
mod trigger;
mod unwinding;

pub use self::breaker::{breaker_is_never_stuck, circuit_recovers};
pub use self::budget::{budget_frees_what_has_ended, budget_gives_everything_back, budget_peeks_truly};
pub use self::classifier::{classifier_is_total, classifier_judges};
pub use self::others::{
    clock_never_goes_back, observer_bears_everything, policy_is_kept_as_written, provider_keeps_its_word,
};
pub use self::sleeper::sleeper_wakes_in_time;
pub use self::trigger::{trigger_never_spins, trigger_spares_quick_calls};
