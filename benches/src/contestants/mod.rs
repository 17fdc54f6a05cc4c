//! The contestants, one module each, all with the same function: `prepare(case) -> Option<Runner>`.

pub mod backon;
pub mod bare;
pub mod by_hand;
pub mod execution_policy;
pub mod failsafe;
pub mod recloser;
pub mod recourse;
pub mod seatbelt;
pub mod tokio_retry2;
pub mod tower;
pub mod tower_resilience;
