//! [`Circuit`]: the state machine of the consecutive-failure breaker. Pure: no lock, no clock of its own.

use crate::cause;
use recourse_core::{
    Admission, AttemptKind, BreakerSettings, CircuitState, Health, Label, Moment, Now, Rejection, Ticket,
    Transition, reason,
};
use std::time::Duration;

/// A circuit of one key: votes in, answers out. The present moment is an argument, and read only where it matters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Circuit {
    phase: Phase,
    /// Moves at every change of state, and when a probe gives its slot back: so no two probes have the same one, and a
    /// report can never be taken for that of another probe.
    generation: u64,
    threshold: u32,
    cooldown: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Closed { failures: u32 },
    Open { since: Moment },
    HalfOpen { probing: bool },
}

impl Circuit {
    pub(crate) const fn closed(settings: &BreakerSettings) -> Self {
        Circuit {
            phase: Phase::Closed { failures: 0 },
            generation: 0,
            threshold: settings.threshold,
            cooldown: settings.cooldown,
        }
    }

    pub(crate) const fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) const fn state(&self) -> CircuitState {
        match self.phase {
            Phase::Closed { .. } => CircuitState::Closed,
            Phase::Open { .. } => CircuitState::Open,
            Phase::HalfOpen { .. } => CircuitState::HalfOpen,
        }
    }

    /// While open: a primary that asks from the first moment on and before the second is rejected, and changes nothing.
    pub(crate) fn rejecting(&self) -> Option<(Moment, Moment)> {
        match self.phase {
            Phase::Open { since } => Some((since, since + self.cooldown)),
            _ => None,
        }
    }

    /// Failures in a row; 0 unless closed.
    pub(crate) const fn failures(&self) -> u32 {
        match self.phase {
            Phase::Closed { failures } => failures,
            _ => 0,
        }
    }

    pub(crate) const fn settings(&self) -> BreakerSettings {
        BreakerSettings::new(self.threshold, self.cooldown)
    }

    pub(crate) fn reconfigure(&mut self, settings: &BreakerSettings) {
        (self.threshold, self.cooldown) = (settings.threshold, settings.cooldown);
    }

    /// An attempt asks to start. A hedge changes nothing, whatever the answer.
    pub(crate) fn admit(&mut self, kind: AttemptKind, now: &Now<'_>) -> Admission {
        let primary = kind == AttemptKind::Retry;
        match &mut self.phase {
            Phase::Closed { .. } => Admission::Admitted(Ticket::normal(self.generation), None),
            Phase::Open { since } if primary => {
                let now = now.get();
                // A clock that went back would keep the circuit open for the length of that step as well.
                *since = now.min(*since);
                if now < *since + self.cooldown {
                    return Admission::Rejected(open());
                }
                let moved = self.go(Phase::HalfOpen { probing: true }, cause::COOLDOWN_OVER, now);
                Admission::Admitted(Ticket::probe(self.generation), Some(moved))
            }
            Phase::Open { .. } => Admission::Rejected(open()),
            Phase::HalfOpen { probing } if primary && !*probing => {
                *probing = true;
                Admission::Admitted(Ticket::probe(self.generation), None)
            }
            Phase::HalfOpen { .. } => Admission::Rejected(Rejection::new(
                CircuitState::HalfOpen,
                Label::from_static(reason::CIRCUIT_HALF_OPEN_PROBE_LIMIT),
            )),
        }
    }

    /// An admitted attempt has ended.
    pub(crate) fn report(&mut self, ticket: Ticket, health: Health, now: &Now<'_>) -> Option<Transition> {
        if ticket.generation != self.generation {
            return None;
        }
        // While half-open, nobody but the probe holds a ticket of the present generation.
        match (&mut self.phase, health) {
            (Phase::Closed { failures }, Health::Up) => *failures = 0,
            (Phase::Closed { failures }, Health::Down) => {
                let counted = failures.saturating_add(1);
                if counted >= self.threshold {
                    return Some(self.open(cause::CONSECUTIVE_FAILURES, now.get()));
                }
                *failures = counted;
            }
            (Phase::HalfOpen { .. }, Health::Up) => {
                return Some(self.go(Phase::Closed { failures: 0 }, cause::PROBE_SUCCEEDED, now.get()));
            }
            (Phase::HalfOpen { .. }, Health::Down) => {
                return Some(self.open(cause::PROBE_FAILED, now.get()));
            }
            (Phase::HalfOpen { probing }, _) => {
                *probing = false;
                self.generation += 1;
            }
            (Phase::Closed { .. } | Phase::Open { .. }, _) => {}
        }
        None
    }

    /// Whether a primary attempt that asks `wait` from now finds the circuit open.
    pub(crate) fn would_reject(&self, now: &Now<'_>, wait: Duration) -> Option<Rejection> {
        let Phase::Open { since } = self.phase else {
            return None;
        };
        let now = now.get();
        (now + wait < now.min(since) + self.cooldown).then(open)
    }

    fn open(&mut self, cause: &'static str, now: Moment) -> Transition {
        self.go(Phase::Open { since: now }, cause, now)
    }

    fn go(&mut self, to: Phase, cause: &'static str, now: Moment) -> Transition {
        let from = self.state();
        self.phase = to;
        self.generation += 1;
        Transition::new(from, self.state(), Label::from_static(cause), now)
    }
}

pub(crate) fn open() -> Rejection {
    Rejection::new(CircuitState::Open, Label::from_static(reason::CIRCUIT_OPEN))
}

#[cfg(test)]
mod histories;
