//! Policies: the data that a key selects.
//!
//! A [`Policy`] holds what was written; [`Policy::normalize`] makes it an [`EffectivePolicy`], inside every limit and
//! with each change on record. Normalising is total, idempotent and never silent.

mod budget_ref;
mod circuit;
mod effective;
mod envelope;
mod error;
mod hedge;
pub mod limits;
mod normalize;
mod presets;
mod retry;
#[cfg(feature = "serde")]
mod serde;
#[cfg(feature = "serde")]
mod set;

pub use self::budget_ref::BudgetRef;
pub use self::circuit::CircuitPolicy;
pub use self::effective::{Change, EffectivePolicy, PolicySource};
pub use self::envelope::Policy;
pub use self::error::PolicyError;
pub use self::hedge::HedgePolicy;
pub use self::retry::{Jitter, RetryPolicy, UnknownJitter};
#[cfg(feature = "serde")]
pub use self::set::PolicySet;
