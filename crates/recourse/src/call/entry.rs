//! [`Entry`]: how a first attempt was let through that the engine hears nothing of if it succeeds.

use crate::call::decide::NEVER;
use crate::call::site::Site;
use crate::plan::Plan;
use recourse_core::{Glance, Health, Moment, Now, Shown, Ticket};

/// What a call holds while its first attempt is polled, and nothing was made for it yet.
pub(crate) trait Entry {
    /// The attempt has succeeded, and the call with it. That this may have changed a circuit is nobody's to hear: a call
    /// that is observed has no entry.
    fn succeeded(self, site: &Site<'_>);

    /// Ticket and start, for whoever goes on with the call.
    fn hand_over(self) -> (Option<Ticket>, Moment);
}

/// There was nobody to ask: no breaker, or one whose glance admits. Where the operation panics, nothing has to be given
/// back: a normal ticket without a vote says nothing.
pub(crate) struct Glanced<'a> {
    plan: &'a Plan,
    glance: &'a Glance,
    shown: Shown,
}

impl<'a> Glanced<'a> {
    #[inline(always)]
    pub(crate) fn at(plan: &'a Plan) -> Option<Self> {
        let glance = &*plan.start.glance;
        let shown = glance.look();
        shown.admits().then_some(Glanced { plan, glance, shown })
    }
}

impl Entry for Glanced<'_> {
    #[inline(always)]
    fn succeeded(self, site: &Site<'_>) {
        if !self.glance.look().ignores_success() {
            tell(site, self.plan, self.shown);
        }
    }

    #[inline(always)]
    fn hand_over(self) -> (Option<Ticket>, Moment) {
        (self.plan.breaker.is_some().then(|| Ticket::normal(self.shown.generation())), NEVER)
    }
}

/// Tells the breaker of a success. It is one of our own, and doesn't panic. Its arguments fit into registers: the way of a
/// success that nobody has to be told of needs no room for them.
#[inline(never)]
fn tell(site: &Site<'_>, plan: &Plan, shown: Shown) {
    if let Some(breaker) = &plan.breaker {
        let now = Now::of(&*site.shared.clock);
        drop(breaker.plugin.report(Ticket::normal(shown.generation()), Health::Up, &now));
    }
}
