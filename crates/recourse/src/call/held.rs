//! [`Held`]: what a call holds, and gives back when it is dropped.

use crate::call::decide::NEVER;
use crate::call::engine::Engine;
use crate::call::entry::Entry;
use crate::call::nesting::Nesting;
use crate::call::open::Open;
use crate::call::site::Site;
use crate::call::state::{CallState, Late};
use crate::plan::PlanRef;
use crate::shared::Shared;

/// What a call holds. Dropping it ends the call, whatever it was at.
pub(crate) struct Held<'a> {
    shared: &'a Shared,
    plan: PlanRef<'a>,
    state: CallState<'a>,
}

impl<'a> Held<'a> {
    /// A call that nothing was launched for.
    #[inline]
    pub(crate) fn new(site: &Site<'a>, plan: PlanRef<'a>, can_hedge: bool, around: Nesting) -> Self {
        Held::with(Open::default(), site, plan, can_hedge, around)
    }

    /// A call whose first attempt is in flight, and held no more than this.
    #[inline(always)]
    pub(crate) fn in_flight(site: &Site<'a>, plan: PlanRef<'a>, around: Nesting, entry: impl Entry) -> Self {
        let (ticket, started) = entry.hand_over();
        let mut held = Held::with(Open::launched(ticket), site, plan, true, around);
        if started != NEVER {
            (held.state.group_started, held.state.floor) = (started, started);
        }
        held
    }

    #[inline(always)]
    fn with(primary: Open, site: &Site<'a>, plan: PlanRef<'a>, can_hedge: bool, around: Nesting) -> Self {
        let (shared, times) = (&**site.shared, plan.latency.is_some());
        Held { shared, plan, state: CallState::new(primary, site.idempotent, can_hedge, around, times) }
    }

    #[inline]
    pub(crate) fn engine(&mut self) -> Engine<'_, 'a> {
        Engine { shared: self.shared, plan: &self.plan, state: &mut self.state }
    }

    /// Whether nothing was launched, nothing is held and nothing has to be told.
    #[inline]
    fn holds_nothing(&self) -> bool {
        self.state.late.as_ref().is_none_or(|late| late.is_over)
            && !self.state.primary.is_open()
            && self.state.ended
    }

    /// Whether dropping it would do nothing, as after most ends. That is known at a glance, and spares the look into every
    /// place of it.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.state.late.as_ref().is_none_or(Late::is_spent)
            && matches!(self.plan, PlanRef::Kept(_))
            && !self.state.primary.is_open()
            && !self.state.recorder.is_on()
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.holds_nothing() {
            self.engine().give_up();
        }
    }
}
