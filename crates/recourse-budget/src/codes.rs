//! The reason codes that the budgets here give.

use recourse_core::{Label, reason};

/// Why an attempt was let through that the budget inside an [`Observing`](crate::Observing) would have denied. This
/// crate's own code, as any plugin may have them; stable for v1.x.
pub const OBSERVED_DENIAL: &str = "observed_denial";

/// Why an attempt was let through about which the budget inside an [`Observing`](crate::Observing) panicked. This crate's
/// own code; stable for v1.x.
pub const OBSERVED_PANIC: &str = "observed_panic";

pub(crate) const DENIED: Label = Label::from_static(reason::BUDGET_DENIED);
