//! [`Ledger`]: what whoever watches a call from outside knows of it, kept after the contract's words and not after the
//! core's code.

use super::cases::MS;
use crate::call::decide::{Event, NEVER, Rules, SLOTS};
use recourse_core::{Moment, OutcomeKind};

/// What has happened in a call, as far as it bears on what may happen next.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    /// Groups that are over.
    pub(super) group: u32,
    /// Attempts of this group that breaker and budget were asked for; their slots are the first so many.
    pub(super) asked: usize,
    /// Admitted and not ended: what has to be given back, a bit a slot.
    pub(super) held: u8,
    /// Those that have had to wait, a bit a slot.
    pub(super) pended: u8,
    /// Attempts of this group that have failed.
    pub(super) failed: u32,
    /// The most severe failure of the group, and where; in a tie the lower slot's, so the primary's before all.
    pub(super) worst: Option<(OutcomeKind, usize)>,
    /// The longest server's delay of the group, in nanoseconds.
    pub(super) server: u64,
    /// No hedges in this group, however many are left: it is a probe, or hedges were refused for good.
    pub(super) unhedged: bool,
    pub(super) cut_at: [Moment; SLOTS],
    pub(super) check: Moment,
    /// The trigger is to be asked because an attempt has failed.
    pub(super) after_failure: bool,
    pub(super) deadline: Moment,
    can_hedge: bool,
}

/// Abort before non-retryable before retryable.
fn severity(kind: OutcomeKind) -> u8 {
    match kind {
        OutcomeKind::Success => 0,
        OutcomeKind::Retryable => 1,
        OutcomeKind::NonRetryable => 2,
        _ => 3,
    }
}

impl Ledger {
    pub(super) fn new(can_hedge: bool) -> Self {
        Ledger {
            group: 0,
            asked: 1,
            held: 0,
            pended: 0,
            failed: 0,
            worst: None,
            server: 0,
            unhedged: !can_hedge,
            cut_at: [NEVER; SLOTS],
            check: NEVER,
            after_failure: false,
            deadline: NEVER,
            can_hedge,
        }
    }

    /// Whether this group may have one more hedge.
    pub(super) fn may_hedge(&self, rules: &Rules) -> bool {
        !self.unhedged && self.asked <= rules.max_hedges as usize
    }

    /// Whether every attempt in flight has been polled.
    pub(super) fn all_pended(&self) -> bool {
        self.held & !self.pended == 0
    }

    /// The next moment at which something must happen while attempts are in flight.
    pub(super) fn next_due(&self) -> Moment {
        let mut due = self.check.min(self.deadline);
        for cut_at in self.cut_at {
            due = due.min(cut_at);
        }
        due
    }

    /// No hedge may be launched any more in this group, so there is nothing to look for either.
    pub(super) fn stop_hedging(&mut self) {
        (self.unhedged, self.check) = (true, NEVER);
    }

    fn start_deadline(&mut self, rules: &Rules, now: Moment) {
        if let (NEVER, Some(timeout)) = (self.deadline, rules.overall_timeout) {
            self.deadline = now + timeout;
        }
    }

    fn failed(&mut self, slot: usize, kind: OutcomeKind) {
        self.failed += 1;
        let takes_over = self
            .worst
            .is_none_or(|(worst, first)| severity(kind) > severity(worst) || (kind == worst && slot < first));
        if takes_over {
            self.worst = Some((kind, slot));
        }
    }

    /// These attempts are given back, each once: what is held and not among them stays so, and so does what is among them
    /// and not held.
    pub(super) fn give_back(&mut self, live: u8) {
        self.held ^= live;
    }

    /// Whether a timer is set that is not due yet.
    pub(super) fn awaits(&self, now: Moment) -> bool {
        self.timers().any(|moment| moment != NEVER && moment > now)
    }

    /// How many timers are due at once.
    pub(super) fn due(&self, now: Moment) -> usize {
        self.timers().filter(|&moment| moment <= now).count()
    }

    /// Whether another attempt of the group may mend its failures: none of them is final, and a hedge now would not
    /// undercut a wait that the other side has asked for.
    pub(super) fn may_mend(&self) -> bool {
        matches!(self.worst, Some((OutcomeKind::Retryable, _))) && self.server == 0
    }

    fn timers(&self) -> impl Iterator<Item = Moment> {
        self.cut_at.into_iter().chain([self.check, self.deadline])
    }

    /// Notes what the core is told; it goes on after it.
    pub(super) fn note(&mut self, rules: &Rules, event: Event) {
        match event {
            Event::Admitted { slot } => self.held |= 1 << slot,
            Event::Refused { for_good: true, .. } => self.stop_hedging(),
            Event::Pended { slot, now } => {
                self.pended |= 1 << slot;
                self.start_deadline(rules, now);
                self.cut_at[slot] = rules.timeout_per_attempt.map_or(NEVER, |timeout| now + timeout);
            }
            Event::Ended { slot, kind, backoff } => {
                self.held &= !(1 << slot);
                self.pended &= !(1 << slot);
                self.cut_at[slot] = NEVER;
                if kind != OutcomeKind::Success {
                    self.failed(slot, kind);
                    if rules.leave_to_outer {
                        self.stop_hedging();
                    }
                    self.server = self.server.max(backoff.map_or(0, |wait| wait.as_nanos() as u64));
                    self.after_failure = rules.hedge_on_failure && self.may_hedge(rules) && self.may_mend();
                }
            }
            Event::Advised { now, decision } => {
                // Zero means soon, which is a millisecond. Who is asked after a failure and names no check leaves the one
                // that stands.
                match decision.next_check_in {
                    Some(wait) => self.check = now + wait.max(MS),
                    None if self.after_failure => {}
                    None => self.check = NEVER,
                }
                self.after_failure = false;
                self.asked += usize::from(decision.spawn);
                if !self.may_hedge(rules) {
                    self.check = NEVER;
                }
            }
            Event::Drawn { now: Some(now), .. } => self.start_deadline(rules, now),
            Event::Waited { now } if now.is_none_or(|now| now < self.deadline) => {
                let fresh = Ledger::new(self.can_hedge);
                *self = Ledger { group: self.group + 1, deadline: self.deadline, ..fresh };
            }
            _ => {}
        }
    }
}
