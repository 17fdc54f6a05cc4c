//! [`Held`]: what a call holds, and gives back when it is dropped.

use crate::call::decide::NEVER;
use crate::call::engine::{Engine, Late, Running};
use crate::call::open::Open;
use crate::call::site::Site;
use crate::plan::PlanRef;
use crate::shared::Shared;
use recourse_core::Moment;

/// What a call holds. Dropping it ends the call, whatever it was at.
pub(crate) struct Held<'a> {
    shared: &'a Shared,
    plan: PlanRef<'a>,
    /// The group's primary.
    primary: Open,
    idempotent: Option<bool>,
    can_hedge: bool,
    running: Running,
    /// When the call first had to wait, for an attempt or between two: alike whether or not it is observed. `NEVER`
    /// before that.
    started: Moment,
    late: Option<Late<'a>>,
}

impl<'a> Held<'a> {
    /// A call that nothing was launched for.
    #[inline]
    pub(crate) fn new(site: &Site<'a>, plan: PlanRef<'a>, can_hedge: bool) -> Self {
        let Site { shared, idempotent, .. } = *site;
        Held {
            shared,
            plan,
            primary: Open::default(),
            idempotent,
            can_hedge,
            running: None,
            started: NEVER,
            late: None,
        }
    }

    /// A call whose first attempt is in flight, and had nobody to ask.
    #[inline]
    pub(crate) fn in_flight(site: &Site<'a>, plan: PlanRef<'a>) -> Self {
        let mut held = Held::new(site, plan, true);
        held.primary.launch();
        held
    }

    #[inline]
    pub(crate) fn engine(&mut self) -> Engine<'_, 'a> {
        Engine {
            shared: self.shared,
            plan: &self.plan,
            primary: &mut self.primary,
            idempotent: self.idempotent,
            can_hedge: self.can_hedge,
            running: &mut self.running,
            started: &mut self.started,
            late: &mut self.late,
        }
    }
}

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        let is_over = self.late.as_ref().is_none_or(|late| late.is_over);
        if !is_over || self.primary.is_open() {
            self.engine().give_up();
        }
    }
}
