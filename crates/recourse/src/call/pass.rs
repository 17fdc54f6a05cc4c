//! [`Pass`]: all that a call holds whose first attempt had nobody to ask but a breaker of our own, or that is timed.

use crate::call::decide::NEVER;
use crate::call::entry::Entry;
use crate::call::site::Site;
use crate::plan::{BoundBreaker, Plan};
use crate::shared::Shared;
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, Clock, Health, Moment, Now, Rejection, StopReason, Ticket,
};
use recourse_hedge::LatencyWindow;
use std::hint::black_box;
use std::mem;

/// A first attempt's ticket and start. Dropped where the operation panics, the ticket is given back without a vote.
pub(crate) struct Pass<'a> {
    clock: &'a dyn Clock,
    admitted: Option<(&'a BoundBreaker, Ticket)>,
    /// Where nobody wants to know how long it takes there is neither.
    timed: Option<(&'a LatencyWindow, Moment)>,
}

/// Why there is no pass.
pub(crate) enum NoPass {
    /// The breaker rejects the attempt.
    Refused(StopReason),
    /// What the breaker answered isn't its usual answer, and for the engine.
    Unusual(Admission),
}

impl<'a> Pass<'a> {
    /// Asks the breaker, if there is one. `stop` says why a call ends that it rejects.
    #[inline(always)]
    pub(crate) fn ask(
        shared: &'a Shared,
        plan: &'a Plan,
        stop: fn(&Rejection) -> StopReason,
    ) -> Result<Self, NoPass> {
        let clock = &*shared.clock;
        let admitted = match &plan.breaker {
            Some(breaker) => {
                // Without latencies to record, the call has looked there before.
                let glance = if plan.latency.is_some() { breaker.admits() } else { None };
                let ticket = match glance {
                    Some(ticket) => ticket,
                    None => ask(clock, breaker, stop)?,
                };
                Some((breaker, ticket))
            }
            None => None,
        };
        let timed = plan.latency.as_deref().map(|window| (window, clock.now()));
        Ok(Pass { clock, admitted, timed })
    }
}

/// The ticket of an attempt that the breaker admits as usual.
#[inline(always)]
fn ask(
    clock: &dyn Clock,
    breaker: &BoundBreaker,
    stop: fn(&Rejection) -> StopReason,
) -> Result<Ticket, NoPass> {
    let admission = breaker.plugin.admit(&AdmissionRequest::new(AttemptKind::Retry, Now::of(clock)));
    // Looked at where it is: moved, it would be read in wide pieces behind the narrow stores that made it.
    if let Admission::Rejected(rejection) = &admission {
        return Err(NoPass::Refused(stop(rejection)));
    }
    match admission {
        Admission::Admitted(ticket, None) if !ticket.probe => Ok(apart(&ticket)),
        admission => Err(NoPass::Unusual(admission)),
    }
}

impl Entry for Pass<'_> {
    #[inline(always)]
    fn succeeded(self, _: &Site<'_>) {
        // None of these unwinds: the breaker, the window and the clock are our own.
        let Pass { clock, admitted, timed } = *mem::ManuallyDrop::new(self);
        if let Some((window, started)) = timed {
            let now = clock.now();
            window.record_since(started, now);
        }
        if admitted.is_some_and(|(breaker, _)| !breaker.ignores_success()) {
            give_back(clock, admitted, Health::Up);
        }
    }

    #[inline(always)]
    fn hand_over(self) -> (Option<Ticket>, Moment) {
        let parts =
            (self.admitted.map(|(_, ticket)| ticket), self.timed.map_or(NEVER, |(_, started)| started));
        mem::forget(self);
        parts
    }
}

#[inline(always)]
fn give_back(clock: &dyn Clock, admitted: Option<(&BoundBreaker, Ticket)>, health: Health) {
    if let Some((breaker, ticket)) = admitted {
        drop(breaker.plugin.report(ticket, health, &Now::of(clock)));
    }
}

impl Drop for Pass<'_> {
    #[cold]
    fn drop(&mut self) {
        give_back(self.clock, self.admitted, Health::None);
    }
}

/// A copy made word by word. The breaker has written the ticket a moment ago, a word at a time, and a copy in one piece
/// waits until all of them have left the processor's store buffer: a third of what the breaker costs a call.
#[inline(always)]
pub(super) fn apart(ticket: &Ticket) -> Ticket {
    Ticket::normal(black_box(ticket.generation)).at(ticket.admitted_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_that_is_copied_word_by_word_is_the_same() {
        let ticket = Ticket::normal(7).at(Moment::from_nanos(3));
        assert_eq!(apart(&ticket), ticket);
    }
}
