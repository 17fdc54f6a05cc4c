//! The contestants, one module each, all with the same interface: [`Contestant`](crate::Contestant).

mod backon;
mod bare;
mod by_hand;
mod execution_policy;
mod failsafe;
mod floors;
mod recloser;
pub mod recourse;
mod same_duties;
mod seatbelt;
mod tokio_retry2;
mod tower;
mod tower_resilience;

pub use backon::Backon;
pub use bare::Bare;
pub use by_hand::ByHand;
pub use execution_policy::ExecutionPolicy;
pub use failsafe::Failsafe;
pub use recloser::Recloser;
pub use recourse::{Recourse, RecourseByStaticKey, RecourseByStringKey};
pub use same_duties::SameDuties;
pub use seatbelt::Seatbelt;
pub use tokio_retry2::TokioRetry2;
pub use tower::Tower;
pub use tower_resilience::TowerResilience;
