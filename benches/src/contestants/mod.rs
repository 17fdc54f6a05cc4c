//! The contestants, one module each, all with the same function: `prepare(case) -> Option<Runner>`.

use crate::case::Case;
use crate::harness::Runner;
use std::time::Duration;

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

/// Attempts of a call, the first included.
pub(crate) const ATTEMPTS: u32 = 3;
/// The time limit of an attempt.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);
/// The wait before a hedge.
pub(crate) const HEDGE_AFTER: Duration = Duration::from_millis(100);
/// How long a circuit stays open: longer than any run.
pub(crate) const OPEN_FOR: Duration = Duration::from_secs(3_600);

/// A column of the table.
#[derive(Clone, Copy, Debug)]
pub struct Contestant {
    /// The name in reports.
    pub name: &'static str,
    /// A runner of the case; `None` where the contestant doesn't do that.
    pub prepare: fn(Case) -> Option<Runner>,
}

/// Every contestant, in the order of the table.
pub const CONTESTANTS: [Contestant; 13] = [
    Contestant { name: "bare", prepare: bare::prepare },
    Contestant { name: "recourse", prepare: recourse::prepare },
    Contestant { name: "recourse-static-key", prepare: recourse::prepare_by_static_key },
    Contestant { name: "recourse-string-key", prepare: recourse::prepare_by_string_key },
    Contestant { name: "backon", prepare: backon::prepare },
    Contestant { name: "tokio-retry2", prepare: tokio_retry2::prepare },
    Contestant { name: "tower", prepare: tower::prepare },
    Contestant { name: "seatbelt", prepare: seatbelt::prepare },
    Contestant { name: "failsafe", prepare: failsafe::prepare },
    Contestant { name: "recloser", prepare: recloser::prepare },
    Contestant { name: "execution-policy", prepare: execution_policy::prepare },
    Contestant { name: "tower-resilience", prepare: tower_resilience::prepare },
    Contestant { name: "by-hand", prepare: by_hand::prepare },
];
