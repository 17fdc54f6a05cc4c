//! [`Contestant`]: the columns of the table.

use crate::case::Case;
use crate::contestants::{
    backon, bare, by_hand, execution_policy, failsafe, recloser, recourse, seatbelt, tokio_retry2, tower,
    tower_resilience,
};
use crate::harness::Runner;

/// A column of the table.
#[derive(Clone, Copy, Debug)]
pub struct Contestant {
    /// The name in reports and on the command line.
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
