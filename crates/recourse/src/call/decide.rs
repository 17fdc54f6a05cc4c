//! What a call does next: a plain state machine over (rules, progress, event). No clock, no randomness, no I/O.
//!
//! Slots are the attempts of a group: slot 0 is the primary, 1 to 3 its hedges. The shell reports an [`Event`] and
//! obeys the [`Step`] that comes back.

use recourse_core::{EffectivePolicy, HedgeDecision, Moment, OutcomeKind, StopReason};
use std::time::Duration;

/// A moment that does not come: nothing is due.
pub(crate) const NEVER: Moment = Moment::from_nanos(u64::MAX);

/// The primary and three hedges.
pub(crate) const SLOTS: usize = 4;

/// The earliest next look at a trigger, so that none can make the executor spin.
const SOONEST_CHECK: Duration = Duration::from_millis(1);

/// What the policy allows, in numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) max_attempts: u32,
    pub(crate) max_hedges: u32,
    pub(crate) timeout_per_attempt: Option<Duration>,
    pub(crate) overall_timeout: Option<Duration>,
    pub(crate) max_server_delay: Duration,
    pub(crate) cancel_on_first_terminal: bool,
    pub(crate) hedge_delay: Duration,
    /// Whether the trigger is asked also when an attempt has failed.
    pub(crate) hedge_on_failure: bool,
    /// Whether a call inside an attempt that may be retried makes one attempt.
    pub(crate) leave_to_outer: bool,
}

impl Rules {
    pub(crate) fn new(effective: &EffectivePolicy) -> Self {
        let (retry, hedge) = (&effective.policy.retry, &effective.policy.hedge);
        Rules {
            max_attempts: retry.max_attempts,
            max_hedges: if hedge.enabled { hedge.max_hedges } else { 0 },
            timeout_per_attempt: retry.timeout_per_attempt,
            overall_timeout: retry.overall_timeout,
            max_server_delay: retry.max_server_delay,
            cancel_on_first_terminal: hedge.cancel_on_first_terminal,
            hedge_delay: hedge.hedge_delay,
            hedge_on_failure: false,
            leave_to_outer: retry.leave_to_outer,
        }
    }

    /// Whether a first wait has to be timed at all.
    pub(crate) fn wants_time(&self, can_hedge: bool) -> bool {
        self.timeout_per_attempt.is_some()
            || self.overall_timeout.is_some()
            || (can_hedge && self.max_hedges > 0)
    }

    /// Whether a failure of a call's first attempt may be followed by another attempt.
    pub(crate) fn may_retry(&self, can_hedge: bool) -> bool {
        self.max_attempts > 1 || (can_hedge && self.hedge_on_failure && self.max_hedges > 0)
    }

    /// The time that an attempt has where this much is left of the call: the smaller of that and its own.
    #[inline]
    pub(crate) fn time_left(&self, of_call: Option<Duration>) -> Option<Duration> {
        match (self.timeout_per_attempt, of_call) {
            (Some(own), Some(left)) => Some(own.min(left)),
            (own, left) => own.or(left),
        }
    }
}

/// What has happened. Waits before the next group are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Event {
    /// The attempt may start.
    Admitted { slot: usize },
    /// The attempt may not start. `for_good`: nor may any other hedge of this group.
    Refused { slot: usize, stop: StopReason, for_good: bool },
    /// The attempt had to wait for the first time.
    Pended { slot: usize, now: Moment },
    /// The attempt has ended, with what the classifier said of it.
    Ended { slot: usize, kind: OutcomeKind, backoff: Option<Duration> },
    /// It is `now`, and something was due.
    Due { now: Moment },
    /// What the hedge trigger answered.
    Advised { now: Moment, decision: HedgeDecision },
    /// The wait before the next group is known; `now` only where there is an overall timeout.
    Drawn { wait: u64, now: Option<Moment> },
    /// Whether breaker or budget are sure to refuse the next attempt.
    Peeked { wait: u64, refusal: Option<StopReason> },
    /// The wait is over; `now` only where there is a deadline.
    Waited { now: Option<Moment> },
    /// Something outside the rules ends the call.
    Broken { stop: StopReason },
}

/// What to do. Waits are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    /// Ask breaker and budget for this attempt, and launch it.
    Ask { slot: usize },
    /// Go on polling the live attempts.
    Poll,
    /// Ask the hedge trigger.
    Advise,
    /// Cut this attempt: its time is over.
    Cut { slot: usize },
    /// Draw the wait before the next group.
    Draw,
    /// Ask breaker and budget whether the wait is worth it.
    Peek { wait: u64 },
    /// Wait.
    Wait { wait: u64 },
    /// The call is over; `None` is a success.
    Finish { stop: Option<StopReason> },
}

/// Where a call stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Progress {
    group: u32,
    /// Attempts in flight, a bit a slot.
    live: u8,
    /// Slots launched or refused in this group.
    used: u8,
    /// Attempts of this group that have failed.
    failed: u8,
    worst: Option<(OutcomeKind, u8)>,
    /// The longest wait that the other side asked for in this group, in nanoseconds; 0 for none.
    server: u64,
    hedge_check: Moment,
    /// Whether the trigger is asked because an attempt has failed.
    after_failure: bool,
    /// Whether this group may still be hedged.
    hedging: bool,
    /// Whether any group may.
    can_hedge: bool,
    deadline: Moment,
    /// Whether the call in whose attempt this one runs retries in its place.
    left_to_outer: bool,
    /// When each attempt in flight runs out of its time; `NEVER` for the others.
    cut_at: [Moment; SLOTS],
    done: bool,
}

impl Progress {
    /// A call at its start: the first step is to ask for slot 0.
    pub(crate) fn new(rules: &Rules, can_hedge: bool, outer_retries: bool) -> Self {
        Progress {
            group: 0,
            live: 0,
            used: 1,
            failed: 0,
            worst: None,
            server: 0,
            hedge_check: NEVER,
            after_failure: false,
            hedging: can_hedge && rules.max_hedges > 0,
            can_hedge,
            deadline: NEVER,
            left_to_outer: rules.leave_to_outer && outer_retries,
            cut_at: [NEVER; SLOTS],
            done: false,
        }
    }

    pub(crate) fn group(&self) -> u32 {
        self.group
    }

    /// Whether a failure of an attempt that starts now may be followed by another attempt: the next group's, or a hedge.
    pub(crate) fn may_retry(&self, rules: &Rules) -> bool {
        let hedges = self.hedging && rules.hedge_on_failure;
        !self.left_to_outer && (hedges || self.group + 1 < rules.max_attempts)
    }

    /// The attempts in flight, a bit a slot.
    #[inline]
    pub(crate) fn live(&self) -> u8 {
        self.live
    }

    /// Attempts launched or refused in this group.
    pub(crate) fn used(&self) -> u32 {
        u32::from(self.used)
    }

    /// The longest wait that the other side asked for in this group, in nanoseconds.
    pub(crate) fn server_delay(&self) -> Option<u64> {
        Some(self.server).filter(|&server| server > 0)
    }

    /// Attempts of this group that have failed.
    pub(crate) fn failed(&self) -> u32 {
        u32::from(self.failed)
    }

    /// Whether the trigger is asked because an attempt has failed.
    pub(crate) fn is_after_failure(&self) -> bool {
        self.after_failure
    }

    #[inline]
    pub(crate) fn deadline(&self) -> Option<Moment> {
        Some(self.deadline).filter(|&deadline| deadline != NEVER)
    }

    /// Whether a first wait has to be timed at all.
    pub(crate) fn wants_time(&self, rules: &Rules) -> bool {
        rules.wants_time(self.hedging)
    }

    /// No hedges in this group: the circuit is half-open.
    #[inline(always)]
    pub(crate) fn stop_hedging(&mut self) {
        self.hedging = false;
        self.hedge_check = NEVER;
    }

    /// The next moment at which something must happen while attempts are in flight.
    pub(crate) fn next_due(&self) -> Option<Moment> {
        let [primary, first, second, third] = self.cut_at;
        let due = primary.min(first).min(second).min(third).min(self.hedge_check).min(self.deadline);
        Some(due).filter(|&due| due != NEVER)
    }

    /// The attempt of the group that has decided it so far.
    pub(crate) fn deciding_slot(&self) -> Option<usize> {
        self.worst.map(|(_, slot)| usize::from(slot))
    }

    /// Inlined, so that what is known of the event where it is reported decides there.
    #[inline(always)]
    pub(crate) fn on(&mut self, rules: &Rules, event: Event) -> Step {
        debug_assert!(!self.done, "an event after the end: {event:?}");
        match event {
            Event::Admitted { slot } => {
                self.live |= 1 << slot;
                Step::Poll
            }
            Event::Refused { slot: 0, stop, .. } => self.finish(Some(stop)),
            Event::Refused { for_good, .. } => {
                if for_good {
                    self.stop_hedging();
                }
                self.go_on(rules)
            }
            Event::Pended { slot, now } => self.pended(rules, slot, now),
            Event::Ended { slot, kind, backoff } => self.ended(rules, slot, kind, backoff),
            Event::Due { now } => self.due(now),
            Event::Advised { now, decision } => self.advised(rules, now, decision),
            Event::Drawn { wait, now } => self.drawn(rules, wait, now),
            Event::Peeked { refusal: Some(stop), .. } | Event::Broken { stop } => self.finish(Some(stop)),
            Event::Peeked { wait, refusal: None } => Step::Wait { wait },
            // The sleeper came back too late.
            Event::Waited { now: Some(now) } if now >= self.deadline => {
                self.finish(Some(StopReason::OverallTimeout))
            }
            Event::Waited { .. } => {
                let fresh = Progress::new(rules, self.can_hedge, self.left_to_outer);
                *self = Progress { group: self.group + 1, deadline: self.deadline, ..fresh };
                Step::Ask { slot: 0 }
            }
        }
    }

    #[inline(always)]
    fn pended(&mut self, rules: &Rules, slot: usize, now: Moment) -> Step {
        self.start_deadline(rules, now);
        self.cut_at[slot] = rules.timeout_per_attempt.map_or(NEVER, |timeout| now + timeout);
        if slot == 0 && self.hedging { Step::Advise } else { Step::Poll }
    }

    #[inline(always)]
    fn start_deadline(&mut self, rules: &Rules, now: Moment) {
        if let (NEVER, Some(timeout)) = (self.deadline, rules.overall_timeout) {
            self.deadline = now + timeout;
        }
    }

    #[inline(always)]
    fn ended(&mut self, rules: &Rules, slot: usize, kind: OutcomeKind, backoff: Option<Duration>) -> Step {
        self.live &= !(1 << slot);
        self.cut_at[slot] = NEVER;
        if kind == OutcomeKind::Success {
            return self.finish(None);
        }
        self.failed += 1;
        self.server = self.server.max(backoff.map_or(0, nanos));
        let by = u8::try_from(slot).unwrap_or(u8::MAX);
        let ends_group = kind != OutcomeKind::Retryable && rules.cancel_on_first_terminal;
        let outranked =
            self.worst.is_some_and(|(worst, first)| worst > kind || (worst == kind && first < by));
        if ends_group || !outranked {
            self.worst = Some((kind, by));
        }
        if ends_group {
            return self.settle(rules, kind);
        }
        if self.left_to_outer {
            // Whatever repeats the attempt from here on is the outer call's.
            self.stop_hedging();
        }
        // A hedge now would undercut a wait that the other side has asked for, or come after a failure that no repetition
        // mends.
        let mends = self.worst.is_some_and(|(worst, _)| worst == OutcomeKind::Retryable);
        let may_hedge = mends && self.hedging && self.server == 0;
        if may_hedge && rules.hedge_on_failure {
            self.after_failure = true;
            return Step::Advise;
        }
        self.go_on(rules)
    }

    /// Polls what is in flight; where nothing is, every launched attempt of the group has failed.
    #[inline(always)]
    fn go_on(&mut self, rules: &Rules) -> Step {
        match self.worst {
            Some((worst, _)) if self.live == 0 => self.settle(rules, worst),
            _ => Step::Poll,
        }
    }

    /// Whether the other side has asked for a longer wait than the policy bears.
    #[inline]
    fn asked_too_long(&self, rules: &Rules) -> bool {
        self.server > 0 && self.server > nanos(rules.max_server_delay)
    }

    /// Every launched attempt of the group has failed, or one has ended it.
    #[inline(always)]
    fn settle(&mut self, rules: &Rules, kind: OutcomeKind) -> Step {
        let stop = match kind {
            OutcomeKind::NonRetryable => StopReason::NonRetryable,
            OutcomeKind::Retryable if self.group + 1 >= rules.max_attempts => StopReason::AttemptsExhausted,
            OutcomeKind::Retryable if self.left_to_outer => StopReason::LeftToOuter,
            OutcomeKind::Retryable if self.asked_too_long(rules) => StopReason::ServerDelayTooLong,
            OutcomeKind::Retryable => return Step::Draw,
            _ => StopReason::Abort,
        };
        self.finish(Some(stop))
    }

    #[inline(always)]
    fn due(&mut self, now: Moment) -> Step {
        if self.deadline <= now {
            return self.finish(Some(StopReason::OverallTimeout));
        }
        if let Some(slot) = (0..SLOTS).find(|&slot| self.cut_at[slot] <= now) {
            return Step::Cut { slot };
        }
        if self.hedge_check <= now { Step::Advise } else { Step::Poll }
    }

    #[inline(always)]
    fn advised(&mut self, rules: &Rules, now: Moment, decision: HedgeDecision) -> Step {
        let stands = if std::mem::take(&mut self.after_failure) { self.hedge_check } else { NEVER };
        self.hedge_check = decision.next_check_in.map_or(stands, |wait| now + wait.max(SOONEST_CHECK));
        let room = |used: u8| u32::from(used) <= rules.max_hedges && usize::from(used) < SLOTS;
        let slot = usize::from(self.used);
        let spawn = decision.spawn && room(self.used);
        self.used += u8::from(spawn);
        if !room(self.used) {
            self.stop_hedging();
        }
        if spawn { Step::Ask { slot } } else { self.go_on(rules) }
    }

    #[inline(always)]
    fn drawn(&mut self, rules: &Rules, wait: u64, now: Option<Moment>) -> Step {
        if let Some(now) = now {
            self.start_deadline(rules, now);
            if later(now, wait) >= self.deadline && self.deadline != NEVER {
                return self.finish(Some(StopReason::DeadlineWouldPass));
            }
        }
        Step::Peek { wait }
    }

    #[inline(always)]
    fn finish(&mut self, stop: Option<StopReason>) -> Step {
        self.live = 0;
        self.done = true;
        Step::Finish { stop }
    }
}

/// The moment so many nanoseconds later.
#[inline]
pub(crate) fn later(moment: Moment, nanos: u64) -> Moment {
    Moment::from_nanos(moment.as_nanos().saturating_add(nanos))
}

/// A duration in whole nanoseconds; all of 584 years fit.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod exploration;
