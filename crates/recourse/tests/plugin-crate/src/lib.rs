//! Plugins of a shop that has business hours, one of each kind. The manifest names `recourse-core` and nothing else.
//!
//! | kind | plugin | what it does |
//! |---|---|---|
//! | classifier | [`ByTheDoor`] | a [`ShopClosed`] is retried when the shop opens again |
//! | budget | [`BusinessHours`] | no hedges while the shop is open: its staff is busy |
//! | hedge trigger | [`HalfPatience`] | one hedge, half-way through the policy's delay |
//! | observer | [`Ledger`] | counts served and lost customers |
//! | sleeper | [`Unhurried`] | waits so many times longer than it is asked to |

mod budget;
mod classifier;
mod observer;
mod sleeper;
mod trigger;

pub use budget::BusinessHours;
pub use classifier::{ByTheDoor, ShopClosed};
pub use observer::Ledger;
pub use sleeper::Unhurried;
pub use trigger::HalfPatience;
