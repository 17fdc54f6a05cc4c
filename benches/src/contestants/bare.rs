//! The operation alone, awaited with nothing round it: the floor of every row.

use crate::case::Case;
use crate::harness::{Runner, repeat};
use crate::operation::{Failing, Operation, PendingOnce, Ready};

/// Every case whose operation runs at all. Where three attempts fail, the operation is awaited three times.
pub fn prepare(case: Case) -> Option<Runner> {
    Some(match case {
        Case::BreakerOpen => return None,
        Case::PlainPending | Case::TimeoutArmed | Case::HedgeArmed | Case::AllArmed => {
            repeat(case, async || PendingOnce.call().await)
        }
        Case::ThreeFail | Case::ThreeFailBudget => repeat(case, async || {
            let _ = Failing.call().await;
            let _ = Failing.call().await;
            Failing.call().await
        }),
        _ => repeat(case, async || Ready.call().await),
    })
}
