//! [`Shared`]: what every call of an executor uses.

use crate::fence::Fence;
use crate::plan::{Slots, World};
use crate::runtime::random::Random;
use crate::static_check::PolicyChange;
use recourse_core::{Clock, Observer, Sleeper};
use std::sync::Arc;

pub(crate) struct Shared {
    pub(crate) world: World,
    pub(crate) slots: Slots,
    pub(crate) observers: Box<[Arc<dyn Observer>]>,
    pub(crate) clock: Box<dyn Clock>,
    /// The system's own clock needs no fence.
    pub(crate) clock_trusted: bool,
    pub(crate) sleeper: Arc<dyn Sleeper>,
    pub(crate) random: Random,
    pub(crate) fence: Arc<Fence>,
    /// What normalisation has changed in the policies that it was built with.
    pub(crate) changes: Vec<PolicyChange>,
}

impl Shared {
    /// Whether anybody observes.
    #[inline]
    pub(crate) fn is_watched(&self) -> bool {
        !self.observers.is_empty()
    }
}
