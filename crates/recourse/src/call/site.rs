//! [`Site`]: what is known of a call before it starts.

use crate::plan::Target;
use crate::shared::Shared;

/// Where a call finds its plan, and what its call site said beside the key.
pub(crate) struct Site<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) target: Target<'a>,
    /// Whether the operation may be repeated; `None` if the call site said nothing.
    pub(crate) idempotent: Option<bool>,
}
