//! What must hold in every state, and on the way from each to the next.

use super::ledger::Ledger;
use super::world::{Happening, World};
use crate::call::decide::{Event, NEVER, Rules, Step, nanos};
use recourse_core::{Moment, OutcomeKind, StopReason};
use std::time::Duration;

/// One transition, and the rules of the call.
pub(super) struct Transition<'t> {
    pub(super) rules: &'t Rules,
    pub(super) before: &'t World,
    pub(super) happening: Happening,
    pub(super) after: &'t World,
}

/// Ends the test if the claim doesn't hold.
macro_rules! hold {
    ($claim:expr, $says:expr, $transition:expr) => {
        if !$claim {
            $transition.broken($says);
        }
    };
}

impl Transition<'_> {
    /// Everything there is to hold.
    pub(super) fn check(&self) {
        let after = self.after;
        if let Happening::LetGo = self.happening {
            let says = "a call that is let go leaves something behind, or gives back what it has not";
            return hold!(after.ledger.held == 0, says, self);
        }
        if let Step::Finish { stop } = after.step {
            hold!(after.progress.live() == 0, "something is held at the end", self);
            hold!(after.progress.done, "an end that goes on", self);
            return self.check_end(stop);
        }
        check_views(self.rules, after).unwrap_or_else(|says| self.broken(says));
        self.check_caps();
        if let Happening::Time = self.happening {
            return;
        }
        self.check_step();
        self.check_duties();
        let (before, after) = (measure(self.rules, self.before), measure(self.rules, after));
        hold!(after < before, "a step that brings the end no nearer", self);
    }

    fn event(&self) -> Option<Event> {
        match self.happening {
            Happening::Told(event) => Some(event),
            Happening::Probe => Some(Event::Admitted { slot: 0 }),
            Happening::Pends { .. } | Happening::Time | Happening::LetGo => None,
        }
    }

    fn now(&self) -> Moment {
        self.after.now
    }

    /// Whether a wait from now would be over before the deadline.
    fn fits(&self, wait: u64) -> bool {
        let deadline = self.after.ledger.deadline;
        deadline == NEVER || self.now() + Duration::from_nanos(wait) < deadline
    }

    /// Attempts stay within what the policy allows: in a group, and so in the call, which is that many groups.
    fn check_caps(&self) {
        let ledger = &self.after.ledger;
        hold!(ledger.group < self.rules.max_attempts, "a group too many", self);
        hold!(ledger.asked <= 1 + self.rules.max_hedges as usize, "a hedge too many", self);
        hold!(ledger.held >> ledger.asked == 0, "an attempt in a slot that was not asked for", self);
    }

    /// What the core says now is right where the call stands.
    fn check_step(&self) {
        let (before, ledger, now) = (&self.before.ledger, &self.after.ledger, self.now());
        let flying = ledger.held != 0;
        match self.after.step {
            Step::Poll => {
                hold!(flying, "waits for nothing", self);
                let ended = self.rules.cancel_on_first_terminal && is_terminal(ledger);
                hold!(!ended, "goes on after the outcome that ends the group", self);
            }
            Step::Ask { slot: 0 } => {
                hold!(matches!(self.event(), Some(Event::Waited { .. })), "a group without its wait", self);
                hold!(!flying, "a group goes on beside the next", self);
                hold!(ledger.group == before.group + 1, "groups are counted", self);
                hold!(now < ledger.deadline, "a group after the deadline", self);
            }
            Step::Ask { slot } => {
                let told = matches!(self.event(), Some(Event::Advised { decision, .. }) if decision.spawn);
                hold!(told, "a hedge that the trigger did not want", self);
                hold!(before.may_hedge(self.rules), "a hedge that may not be", self);
                hold!(slot == before.asked, "hedges take the slots in turn, and none twice", self);
            }
            Step::Advise => {
                hold!(ledger.may_hedge(self.rules), "asks for a hedge that may not be", self);
                hold!(self.asks_rightly(), "asks the trigger without a cause", self);
            }
            Step::Cut { slot } => {
                hold!(matches!(self.event(), Some(Event::Due { .. })), "a cut out of time", self);
                hold!(self.after.holds(slot), "cuts what is not there", self);
                hold!(ledger.cut_at[slot] <= now, "cuts an attempt before its time", self);
                hold!(now < ledger.deadline, "a cut after the deadline", self);
            }
            Step::Draw => {
                hold!(!flying, "a wait beside attempts in flight", self);
                let retryable = ledger.worst.is_some_and(|(kind, _)| kind == OutcomeKind::Retryable);
                hold!(retryable, "retries what must not be retried", self);
                hold!(ledger.group + 1 < self.rules.max_attempts, "a wait for no attempt", self);
                let bearable = ledger.server <= nanos(self.rules.max_server_delay);
                hold!(bearable, "a server's delay that is too long", self);
            }
            Step::Peek { wait } => {
                let same = matches!(self.event(), Some(Event::Drawn { wait: drawn, .. }) if drawn == wait);
                hold!(same, "the wait is not the one that was drawn", self);
                hold!(self.fits(wait), "would sleep past the deadline", self);
            }
            Step::Wait { wait } => {
                let same = matches!(self.event(), Some(Event::Peeked { wait: peeked, refusal: None }) if peeked == wait);
                hold!(same, "the wait is not the one that was found worth it", self);
                hold!(self.fits(wait), "sleeps past the deadline", self);
            }
            Step::Finish { .. } => {}
        }
    }

    /// The trigger is asked when the primary first waits, when it wanted to be, and after a failure if it cares for them.
    fn asks_rightly(&self) -> bool {
        match self.event() {
            Some(Event::Pended { slot, .. }) => slot == 0,
            Some(Event::Due { now }) => self.before.ledger.check <= now && now < self.after.ledger.deadline,
            Some(Event::Ended { .. }) => self.rules.hedge_on_failure && self.after.ledger.may_mend(),
            _ => false,
        }
    }

    /// What must follow from an event.
    fn check_duties(&self) {
        let (before, ledger, step) = (&self.before.ledger, &self.after.ledger, self.after.step);
        let Some(event) = self.event() else {
            return hold!(step == Step::Poll, "the core was told nothing", self);
        };
        let may_hedge = ledger.may_hedge(self.rules);
        match event {
            Event::Admitted { .. } => {
                hold!(step == Step::Poll, "an attempt is launched and not polled", self)
            }
            Event::Pended { slot, .. } => {
                let asks = slot == 0 && may_hedge;
                hold!((step == Step::Advise) == asks, "the trigger is asked when the primary waits", self);
            }
            Event::Ended { kind, .. } => {
                hold!(kind != OutcomeKind::Success, "a success does not end the call", self);
                let ends = self.rules.cancel_on_first_terminal && kind != OutcomeKind::Retryable;
                hold!(!ends, "goes on after the outcome that ends the group", self);
                let asks = self.rules.hedge_on_failure && may_hedge && ledger.may_mend();
                hold!((step == Step::Advise) == asks, "the trigger is asked after a failure", self);
            }
            Event::Due { now } => {
                hold!(now < ledger.deadline, "in flight after the deadline", self);
                let cut = matches!(step, Step::Cut { .. });
                let overdue = ledger.cut_at.iter().any(|&cut_at| cut_at <= now);
                hold!(cut == overdue, "an attempt outlasts its time", self);
            }
            Event::Advised { decision, .. } => {
                let asks = matches!(step, Step::Ask { .. });
                let wanted = decision.spawn && before.may_hedge(self.rules);
                hold!(asks == wanted, "a hedge that the trigger wants is asked for", self);
                hold!(step != Step::Advise, "the trigger is asked twice at once", self);
            }
            Event::Refused { slot, .. } => hold!(slot > 0, "goes on without its primary", self),
            Event::Waited { now } => {
                hold!(now.is_none_or(|now| now < ledger.deadline), "goes on after the deadline", self);
            }
            Event::Peeked { refusal, .. } => hold!(refusal.is_none(), "goes on after a refusal", self),
            Event::Broken { .. } => self.broken("goes on without its clock or sleeper"),
            Event::Drawn { .. } => {}
        }
    }

    /// The reason of the end fits what happened.
    fn check_end(&self, stop: Option<StopReason>) {
        let (ledger, rules, Some(event)) = (&self.after.ledger, self.rules, self.event()) else {
            self.broken("an end out of nothing");
        };
        let succeeded = matches!(event, Event::Ended { kind: OutcomeKind::Success, .. });
        hold!(succeeded == stop.is_none(), "a success is the end, and nothing else is one", self);
        let Some(stop) = stop else { return };
        let said = match event {
            Event::Refused { slot: 0, stop, .. } | Event::Broken { stop } => Some(stop),
            Event::Peeked { refusal, .. } => refusal,
            _ => None,
        };
        if let Some(said) = said {
            return hold!(stop == said, "the end has another reason than the one that was given", self);
        }
        let worst = ledger.worst.map(|(kind, _)| kind);
        let all_failed = ledger.held == 0 && worst.is_some();
        let cancelled = rules.cancel_on_first_terminal
            && matches!(event, Event::Ended { kind, .. } if kind != OutcomeKind::Retryable);
        let last = ledger.group + 1 == rules.max_attempts;
        let fits = match stop {
            StopReason::NonRetryable => worst == Some(OutcomeKind::NonRetryable) && (all_failed || cancelled),
            StopReason::Abort => worst == Some(OutcomeKind::Abort) && (all_failed || cancelled),
            StopReason::AttemptsExhausted => worst == Some(OutcomeKind::Retryable) && all_failed && last,
            StopReason::LeftToOuter => {
                let left = rules.leave_to_outer && ledger.group == 0 && !last;
                worst == Some(OutcomeKind::Retryable) && all_failed && left
            }
            StopReason::ServerDelayTooLong => {
                let too_long = ledger.server > nanos(rules.max_server_delay);
                worst == Some(OutcomeKind::Retryable) && all_failed && !last && too_long
            }
            StopReason::OverallTimeout => {
                let told = matches!(event, Event::Due { .. } | Event::Waited { .. });
                told && ledger.deadline <= self.now()
            }
            StopReason::DeadlineWouldPass => {
                matches!(event, Event::Drawn { wait, .. } if !self.fits(wait))
            }
            _ => false,
        };
        hold!(fits, "the reason of the end does not fit what happened", self);
        let decides = self.after.progress.deciding_slot() == ledger.worst.map(|(_, slot)| slot);
        hold!(decides, "another attempt decides the call", self);
    }

    #[cold]
    fn broken(&self, says: &str) -> ! {
        let Transition { rules, before, happening, after } = self;
        panic!("{says}\nbefore: {before:#?}\nthen: {happening:?}\nafter: {after:#?}\nunder {rules:?}");
    }
}

fn is_terminal(ledger: &Ledger) -> bool {
    ledger.worst.is_some_and(|(kind, _)| kind != OutcomeKind::Retryable)
}

/// What the core tells of itself is what has happened. Above all, what it holds in flight is what was admitted and has not
/// ended: a call that is dropped here, or that a panic unwinds through, gives back all of it and once.
fn check_views(rules: &Rules, world: &World) -> Result<(), &'static str> {
    let World { progress, ledger, .. } = world;
    let due = Some(ledger.next_due()).filter(|&due| due != NEVER);
    let deadline = Some(ledger.deadline).filter(|&deadline| deadline != NEVER);
    let server = Some(ledger.server).filter(|&server| server > 0);
    let timed = rules.timeout_per_attempt.is_some() || rules.overall_timeout.is_some();
    let claims = [
        (progress.live() == ledger.held, "what is in flight is not what was launched and has not ended"),
        (!progress.done, "an end that was not told"),
        (progress.group() == ledger.group, "the groups are miscounted"),
        (progress.used() as usize == ledger.asked, "the attempts of the group are miscounted"),
        (progress.failed() == ledger.failed, "the failures of the group are miscounted"),
        (progress.server_delay() == server, "the largest server's delay does not count"),
        (progress.deciding_slot() == ledger.worst.map(|(_, slot)| slot), "the wrong attempt decides"),
        (
            progress.worst.map(|(kind, _)| kind) == ledger.worst.map(|(kind, _)| kind),
            "the most severe outcome does not decide",
        ),
        (progress.deadline() == deadline, "the deadline has moved"),
        (progress.next_due() == due, "sleeps past something that is due"),
        (progress.cut_at == ledger.cut_at, "an attempt has the wrong time"),
        (progress.hedge_check == ledger.check, "the trigger is looked at out of time"),
        (progress.is_after_failure() == ledger.after_failure, "the trigger is told of no failure, or twice"),
        (progress.hedging == ledger.may_hedge(rules), "the hedges of the group are miscounted"),
        (
            progress.wants_time(rules) == (timed || ledger.may_hedge(rules)),
            "waits are not timed that must be",
        ),
    ];
    match claims.iter().find(|(holds, _)| !holds) {
        Some(&(_, says)) => Err(says),
        None => Ok(()),
    }
}

/// Falls with every step that takes no time, so that no call goes in circles: first the groups that are left, then the
/// hedges, then what the attempts in flight have before them, then whether the trigger is due, then the step itself.
fn measure(rules: &Rules, world: &World) -> [u32; 5] {
    let ledger = &world.ledger;
    let unpolled = (ledger.held & !ledger.pended).count_ones();
    let ahead = ledger.held.count_ones() + unpolled;
    let due = u32::from(ledger.check <= world.now);
    let (asked, looks, phase) = match world.step {
        Step::Ask { .. } => (3, 0, 0),
        Step::Poll => (0, 2 * due, 1),
        Step::Cut { .. } => (0, 2 * due, 0),
        // The check that is due stays so after a failure.
        Step::Advise => (0, if ledger.after_failure { 3 } else { 1 }, 0),
        Step::Draw => (0, 0, 3),
        Step::Peek { .. } => (0, 0, 2),
        Step::Wait { .. } => (0, 0, 1),
        Step::Finish { .. } => return [0; 5],
    };
    let groups = rules.max_attempts - ledger.group;
    let hedges = (1 + rules.max_hedges).saturating_sub(ledger.asked as u32);
    [groups, hedges, ahead + asked, looks, phase]
}
