//! [`Seen`]: what an exploration has come across.

use super::world::World;
use crate::call::decide::{Rules, Step};
use recourse_core::{Component, StopReason};

/// Counts, and the farthest that any history went.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) states: usize,
    pub(super) steps: usize,
    pub(super) ends: usize,
    groups: u32,
    in_flight: u32,
    due_at_once: usize,
    reasons: Vec<Option<StopReason>>,
}

impl Seen {
    pub(super) fn state(&mut self, world: &World) {
        self.states += 1;
        self.groups = self.groups.max(world.progress.group() + 1);
        self.in_flight = self.in_flight.max(world.progress.live().count_ones());
        self.due_at_once = self.due_at_once.max(world.ledger.due(world.now));
    }

    pub(super) fn step(&mut self, after: &World) {
        self.steps += 1;
        if let Step::Finish { stop } = after.step {
            self.ends += 1;
            if !self.reasons.contains(&stop) {
                self.reasons.push(stop);
            }
        }
    }

    /// The exploration went as far as the rules let it: an invariant says nothing of what was never reached.
    pub(super) fn check(&self, rules: &Rules, can_hedge: bool) {
        let hedges = if can_hedge { rules.max_hedges } else { 0 };
        let (timed, limited) = (rules.timeout_per_attempt.is_some(), rules.overall_timeout.is_some());
        let groups = if rules.leave_to_outer { 1 } else { rules.max_attempts };
        assert_eq!(self.groups, groups, "groups that no history reached: {self:?}");
        assert_eq!(self.in_flight, 1 + hedges, "attempts that were never in flight at once: {self:?}");
        let timers = if timed { 1 + hedges as usize } else { 0 } + usize::from(limited);
        assert!(self.due_at_once >= timers, "timers that were never due at once: {self:?}");
        let (retries, left) = (groups > 1, groups < rules.max_attempts);
        let reasons = [
            (None, true),
            (Some(StopReason::AttemptsExhausted), !left),
            (Some(StopReason::LeftToOuter), left),
            (Some(StopReason::NonRetryable), true),
            (Some(StopReason::Abort), true),
            (Some(StopReason::BudgetDenied), true),
            (Some(StopReason::BudgetNotFound), true),
            (Some(StopReason::CircuitOpen), true),
            (Some(StopReason::CircuitHalfOpenProbeLimit), true),
            (Some(StopReason::OverallTimeout), limited),
            (Some(StopReason::DeadlineWouldPass), limited && retries),
            (Some(StopReason::ServerDelayTooLong), retries),
            (Some(StopReason::PanicIn(Component::Budget)), true),
            (Some(StopReason::PanicIn(Component::Clock)), true),
            (Some(StopReason::PanicIn(Component::Sleeper)), retries || timed || limited || hedges > 0),
            (Some(StopReason::ContextCanceled), true),
        ];
        for (reason, possible) in reasons {
            assert_eq!(self.reasons.contains(&reason), possible, "{reason:?}: {self:?}");
        }
        assert!(self.reasons.len() <= reasons.len(), "an end for a reason of its own: {self:?}");
    }
}
