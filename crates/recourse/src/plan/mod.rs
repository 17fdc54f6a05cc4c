//! Key -> policy -> plan: names are resolved once and kept until something changes.
//!
//! ```text
//! world            everything that a key or a name can resolve to
//! resolve          asks the provider for a key's policy
//! normal           a policy inside its limits, which keys share
//! bind             turns a policy's names into plugins: the Plan
//! glances          what plans without a breaker show to their calls
//! fed              lets the budget of hedges hear of first attempts
//! plans            the plans that a key has had; a call borrows the last
//! slot, slots      one place a key, with its plans and its state; bounded
//! ```

mod bind;
mod fed;
mod glances;
mod missing_plugin;
#[cfg(all(test, recourse_loom))]
mod models;
mod normal;
#[allow(clippy::module_inception, reason = "the folder is the way to a plan")]
mod plan;
mod plans;
mod resolve;
mod slot;
mod slots;
mod static_provider;
mod world;

pub use self::missing_plugin::MissingPlugin;
pub(crate) use self::normal::LastNormal;
pub(crate) use self::plan::{BoundBreaker, BoundBudget, Plan};
pub(crate) use self::plans::PlanRef;
pub(crate) use self::slot::Slot;
pub(crate) use self::slots::{Slots, Target, Unkept};
pub use self::static_provider::StaticProvider;
pub(crate) use self::world::{Modes, World};
