//! [`Circuit`]: the state machine of every breaker. Pure: no lock, no clock and no random numbers of its own.

mod probes;
mod rules;

pub(crate) use self::rules::{ABANDONED, Growth, Rules};

use self::probes::Probes;
use crate::cause;
use crate::count::{Answer, Count, Sums, Vote};
use crate::millionths::Millionths;
use recourse_core::{
    Admission, AttemptKind, BreakerSettings, CircuitMode, CircuitState, CircuitStatus, Health, Label, Moment,
    Now, Rejection, Ticket, Transition, reason,
};
use std::time::Duration;

/// A circuit of one key: votes in, answers out. The present moment is an argument, and read only where it matters; if
/// reading it panics, nothing has changed.
///
/// The kinds of breakers share all of this and differ in `C`, the counting while closed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Circuit<C> {
    count: C,
    phase: Phase,
    mode: CircuitMode,
    /// Moves at every change of state, and with each probe: so no two probes have the same one, and a report can never
    /// be taken for that of another probe.
    generation: u64,
    threshold: u32,
    cooldown: Duration,
    rules: Rules,
    probes: Probes,
    /// Attempts in a row that were given up. Not counted where the rules don't ask.
    abandoned: u32,
    /// Trips in a row. Not counted where the open time doesn't grow.
    trips: u32,
    closed_at: Moment,
    last_trip: Option<Change>,
    /// What had been counted when the circuit opened; nothing while it is closed.
    tripped_by: Sums,
    /// What the jitter depends on, beside the generation.
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Closed,
    Open { since: Moment, random: u32 },
    HalfOpen { successes: u32 },
}

/// The ticket of attempts that an observed circuit would have rejected: no circuit has its generation, so that their votes
/// count nowhere.
pub(crate) const OBSERVED: Ticket = Ticket::normal(u64::MAX).with_observed_rejection();

/// A transition, hashable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Change {
    from: CircuitState,
    to: CircuitState,
    cause: &'static str,
    at: Moment,
}

impl Change {
    fn told(self) -> Transition {
        Transition::new(self.from, self.to, Label::from_static(self.cause), self.at)
    }
}

impl<C: Count> Circuit<C> {
    pub(crate) fn closed(count: C, rules: Rules, settings: &BreakerSettings, seed: u64) -> Self {
        Circuit {
            phase: Phase::Closed,
            mode: CircuitMode::Enforcing,
            generation: 0,
            threshold: reachable(&count, settings),
            count,
            cooldown: settings.cooldown,
            rules,
            probes: Probes::new(rules.probes),
            abandoned: 0,
            trips: 0,
            closed_at: Moment::ZERO,
            last_trip: None,
            tripped_by: Sums::default(),
            seed,
        }
    }

    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) const fn mode(&self) -> CircuitMode {
        self.mode
    }

    /// The state, as the mode has it.
    pub(crate) const fn state(&self) -> CircuitState {
        match (self.mode, self.phase) {
            (CircuitMode::ForcedOpen, _) | (_, Phase::Open { .. }) => CircuitState::Open,
            (_, Phase::Closed) => CircuitState::Closed,
            (_, Phase::HalfOpen { .. }) => CircuitState::HalfOpen,
        }
    }

    /// From the first moment on and before the second, whoever asks is rejected, and nothing changes.
    pub(crate) fn rejecting(&self) -> Option<(Moment, Moment)> {
        match self.phase {
            Phase::Open { since, random } => Some((since, since + self.open_for(random))),
            Phase::HalfOpen { .. } => self.probes.full(),
            Phase::Closed => None,
        }
    }

    /// Whether a good vote must be told to a closed circuit, instead of to the inbox.
    pub(crate) fn minds_good_votes(&self) -> bool {
        self.abandoned > 0 || self.count.minds_good_votes()
    }

    /// Whether tickets have to tell when their attempts were admitted.
    pub(crate) const fn times_attempts(&self) -> bool {
        self.rules.slow.is_some()
    }

    pub(crate) fn reconfigure(&mut self, settings: &BreakerSettings) {
        (self.threshold, self.cooldown) = (reachable(&self.count, settings), settings.cooldown);
    }

    pub(crate) fn status(&self, inbox: &C::Inbox, now: &Now<'_>) -> CircuitStatus {
        let mut status = CircuitStatus::new(self.state());
        status.mode = self.mode;
        status.probes = self.probes.out();
        status.last_trip = self.last_trip.map(Change::told);
        let sums = match self.phase {
            Phase::Closed => self.count.sums(inbox, now),
            _ => self.tripped_by,
        };
        (status.counted, status.slow) = (sums.total, sums.slow);
        status.failed = sums.failed + sums.throttled;
        status
    }

    /// Closes where the mode keeps it closed. What was admitted before the change is not counted after it, unless both
    /// modes count. The states that show before and after, if it had another mode.
    pub(crate) fn set_mode(
        &mut self,
        mode: CircuitMode,
        inbox: &C::Inbox,
    ) -> Option<(CircuitState, CircuitState)> {
        let (from, changes) = (self.state(), mode != self.mode);
        let uncounted = [mode, self.mode].contains(&CircuitMode::Disabled);
        let closes = uncounted || (mode == CircuitMode::ForcedClosed && self.phase != Phase::Closed);
        if closes {
            self.go(Phase::Closed, inbox);
            self.trips = 0;
        }
        if mode == CircuitMode::ForcedOpen {
            self.probes.clear();
        }
        self.mode = mode;
        changes.then(|| (from, self.state()))
    }

    /// An attempt asks to start. A hedge changes nothing, whatever the answer.
    pub(crate) fn admit(&mut self, kind: AttemptKind, now: &Now<'_>, inbox: &C::Inbox) -> Admission {
        if self.mode == CircuitMode::ForcedOpen {
            return Admission::Rejected(open());
        }
        let observing = self.mode == CircuitMode::Observing;
        match self.ask(kind, now, inbox) {
            Ok((mut ticket, moved)) => {
                // Who only watches must not make the executor treat an attempt as a probe.
                ticket.probe &= !observing;
                Admission::Admitted(self.rules.stamp(ticket, now), moved)
            }
            Err(_) if observing => Admission::Admitted(OBSERVED, None),
            Err(rejection) => Admission::Rejected(rejection),
        }
    }

    fn ask(
        &mut self,
        kind: AttemptKind,
        now: &Now<'_>,
        inbox: &C::Inbox,
    ) -> Result<(Ticket, Option<Transition>), Rejection> {
        let hedge = kind != AttemptKind::Retry;
        match self.phase {
            Phase::Closed => return Ok((Ticket::normal(self.generation), None)),
            Phase::Open { .. } if hedge => return Err(open()),
            Phase::HalfOpen { .. } if hedge => return Err(probe_limit()),
            _ => {}
        }
        let at = now.get();
        let mut moved = None;
        if let Phase::Open { since, random } = &mut self.phase {
            // A clock that went back would keep the circuit open for the length of that step as well.
            *since = at.min(*since);
            let (since, random) = (*since, *random);
            if at < since + self.open_for(random) {
                return Err(open());
            }
            moved = Some(self.change(Phase::HalfOpen { successes: 0 }, cause::COOLDOWN_OVER, at, inbox));
        }
        if !self.probes.grant(self.generation + 1, self.rules.lease, at) {
            return Err(probe_limit());
        }
        self.generation += 1;
        Ok((Ticket::probe(self.generation), moved))
    }

    /// An admitted attempt has ended.
    pub(crate) fn report(
        &mut self,
        ticket: Ticket,
        health: Health,
        now: &Now<'_>,
        inbox: &C::Inbox,
    ) -> Option<Transition> {
        if !self.heeds(ticket) {
            return None;
        }
        let answer = match health {
            Health::Up => Answer::Fine,
            Health::Down => Answer::Failed,
            Health::Throttled => Answer::Throttled,
            _ => {
                self.probes.give_back(ticket.generation);
                return None;
            }
        };
        let vote = Vote { answer, slow: self.rules.is_slow(ticket, now) };
        let moved = self.hear(ticket, vote, None, now, inbox);
        self.abandoned = 0;
        moved
    }

    /// An admitted attempt was given up. It is slow if it has taken too long already; and it is a failure if the rules
    /// say so and more attempts than they allow were given up in a row.
    pub(crate) fn abandon(&mut self, ticket: Ticket, now: &Now<'_>, inbox: &C::Inbox) -> Option<Transition> {
        if !self.heeds(ticket) {
            return None;
        }
        let abandoned = self.abandoned.saturating_add(1);
        let failed = self.rules.abandoned.is_some_and(|limit| abandoned > limit);
        let slow = self.rules.is_slow(ticket, now);
        let moved = match (failed, slow) {
            (true, slow) => {
                self.hear(ticket, Vote { slow, ..Vote::FAILED }, Some(cause::ABANDONED), now, inbox)
            }
            (false, true) => self.hear(ticket, Vote { answer: Answer::Fine, slow }, None, now, inbox),
            (false, false) => {
                self.probes.give_back(ticket.generation);
                None
            }
        };
        // A circuit that has opened by it begins anew.
        self.abandoned = if self.rules.abandoned.is_some() && moved.is_none() { abandoned } else { 0 };
        moved
    }

    /// Whether the attempt was admitted since the last change of state, and not overtaken by its lease.
    fn heeds(&self, ticket: Ticket) -> bool {
        match self.phase {
            Phase::Closed => !ticket.probe && ticket.generation == self.generation && self.counts(),
            Phase::HalfOpen { .. } => self.probes.holds(ticket.generation),
            Phase::Open { .. } => false,
        }
    }

    fn counts(&self) -> bool {
        self.mode != CircuitMode::Disabled
    }

    fn hear(
        &mut self,
        ticket: Ticket,
        vote: Vote,
        cause: Option<&'static str>,
        now: &Now<'_>,
        inbox: &C::Inbox,
    ) -> Option<Transition> {
        let Phase::HalfOpen { successes } = self.phase else {
            let trips = self.count.vote(vote, self.threshold, now, inbox)?;
            let may = matches!(self.mode, CircuitMode::Enforcing | CircuitMode::Observing);
            return may.then(|| self.trip(cause.unwrap_or(trips), now.get(), inbox));
        };
        let failed = match vote.answer {
            Answer::Failed => true,
            Answer::Throttled => self.rules.throttled > Millionths::ZERO,
            Answer::Fine => false,
        };
        if failed {
            return Some(self.trip(cause.unwrap_or(cause::PROBE_FAILED), now.get(), inbox));
        }
        if vote.slow {
            return Some(self.trip(cause::PROBE_SLOW, now.get(), inbox));
        }
        if vote.is_good() {
            if successes + 1 >= self.rules.successes {
                let at = now.get();
                let moved = self.change(Phase::Closed, cause::PROBE_SUCCEEDED, at, inbox);
                if self.rules.growth.is_some() {
                    self.closed_at = at;
                }
                return Some(moved);
            }
            self.phase = Phase::HalfOpen { successes: successes + 1 };
        }
        self.probes.give_back(ticket.generation);
        None
    }

    /// Whether a primary attempt that asks `wait` from now finds the circuit open.
    pub(crate) fn would_reject(&self, now: &Now<'_>, wait: Duration) -> Option<Rejection> {
        match (self.mode, self.phase) {
            (CircuitMode::ForcedOpen, _) => Some(open()),
            (CircuitMode::Enforcing, Phase::Open { since, random }) => {
                let now = now.get();
                (now + wait < now.min(since) + self.open_for(random)).then(open)
            }
            _ => None,
        }
    }

    fn open_for(&self, random: u32) -> Duration {
        self.rules.open_for(self.cooldown, self.trips, random)
    }

    fn trip(&mut self, cause: &'static str, at: Moment, inbox: &C::Inbox) -> Transition {
        if self.rules.growth.is_some() {
            if self.phase == Phase::Closed && self.rules.held(self.closed_at, at) {
                self.trips = 0;
            }
            self.trips = self.trips.saturating_add(1);
        }
        let random = match self.rules.jitter {
            Millionths::ZERO => 0,
            _ => fastrand::Rng::with_seed(self.seed.wrapping_add(self.generation)).u32(..),
        };
        let tripped_by =
            if self.phase == Phase::Closed { self.count.last_sums(inbox, at) } else { self.tripped_by };
        let moved = self.change(Phase::Open { since: at, random }, cause, at, inbox);
        self.tripped_by = tripped_by;
        self.last_trip = Some(Change { from: moved.from, to: moved.to, cause, at });
        moved
    }

    fn change(&mut self, to: Phase, cause: &'static str, at: Moment, inbox: &C::Inbox) -> Transition {
        let from = self.state();
        self.go(to, inbox);
        Transition::new(from, self.state(), Label::from_static(cause), at)
    }

    fn go(&mut self, to: Phase, inbox: &C::Inbox) {
        self.phase = to;
        self.generation += 1;
        self.count.restart(self.generation, inbox);
        self.probes.clear();
        self.abandoned = 0;
        if to == Phase::Closed {
            self.tripped_by = Sums::default();
        }
    }
}

/// The threshold that is set, or the next one at which the circuit can open.
fn reachable<C: Count>(count: &C, settings: &BreakerSettings) -> u32 {
    settings.threshold.clamp(1, count.max_threshold())
}

pub(crate) fn open() -> Rejection {
    Rejection::new(CircuitState::Open, Label::from_static(reason::CIRCUIT_OPEN))
}

pub(crate) fn probe_limit() -> Rejection {
    Rejection::new(CircuitState::HalfOpen, Label::from_static(reason::CIRCUIT_HALF_OPEN_PROBE_LIMIT))
}

#[cfg(test)]
mod histories;
