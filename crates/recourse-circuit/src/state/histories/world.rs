//! Test: a circuit, a clock and the attempts in flight; what may happen to them, and what must then hold.

use super::super::*;
use crate::count::Streak;

/// Longer than any open time or lease here.
const LONG: Duration = Duration::from_secs(1_000_000_000);

#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    Ask(AttemptKind),
    /// The live ticket at this place is reported, and gone.
    Report(usize, Health),
    /// The live ticket at this place is given up, and gone.
    Abandon(usize),
    /// The last probe is reported once more.
    Again(Health),
    Tick,
    /// The clock goes back to its origin.
    Back,
    Reconfigure(u32, u64),
    Mode(CircuitMode),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) circuit: Circuit<Streak>,
    clock: Moment,
    pub(super) live: Vec<Held>,
    pub(super) spent: Option<Held>,
    /// Millionths of failures in a row since the circuit was last closed, counted by the test.
    weight: u64,
    /// Attempts given up in a row, counted by the test.
    abandoned: u32,
    /// From when the open time counts: the opening, or the earliest primary that has asked since.
    opened: Moment,
}

/// A ticket, hashable: generation and probe.
pub(super) type Held = (u64, bool);

fn ticket((generation, probe): Held) -> Ticket {
    if probe { Ticket::probe(generation) } else { Ticket::normal(generation) }
}

pub(super) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// What the circuit answers a primary attempt at this moment; the circuit itself stays as it is.
fn asked(circuit: &Circuit<Streak>, at: Moment) -> Admission {
    circuit.clone().admit(AttemptKind::Retry, &Now::at(at), &())
}

/// The circuit after a primary attempt has asked, if that was rejected; else as it was.
fn after_rejection(circuit: &Circuit<Streak>, now: Moment) -> Circuit<Streak> {
    let mut after = circuit.clone();
    match after.admit(AttemptKind::Retry, &Now::at(now), &()) {
        Admission::Rejected(_) => after,
        _ => circuit.clone(),
    }
}

fn is_open_rejection(answer: &Admission) -> bool {
    matches!(answer, Admission::Rejected(why) if why.state == CircuitState::Open && why.reason == "circuit_open")
}

impl World {
    pub(super) fn new(rules: Rules) -> Self {
        let settings = BreakerSettings::new(2, secs(2));
        World {
            circuit: Circuit::closed(Streak::new(rules.throttled), rules, &settings, 7),
            clock: Moment::ZERO,
            live: Vec::new(),
            spent: None,
            weight: 0,
            abandoned: 0,
            opened: Moment::ZERO,
        }
    }

    /// The world after the event; panics where the answer breaks a promise.
    pub(super) fn step(&self, event: Event) -> World {
        let mut next = self.clone();
        match event {
            Event::Tick => next.clock = self.clock + secs(1),
            Event::Back => next.clock = Moment::ZERO,
            Event::Reconfigure(threshold, cooldown) => {
                next.circuit.reconfigure(&BreakerSettings::new(threshold, secs(cooldown)));
                assert_eq!(next.circuit.phase, self.circuit.phase, "settings moved the state");
                assert_eq!(next.circuit.count, self.circuit.count, "settings moved the count");
            }
            Event::Mode(mode) => next.turn(mode, self),
            Event::Ask(kind) => next.ask(kind, self),
            Event::Report(at, health) => {
                let held = next.live.remove(at);
                next.vote(held, Some(health), self);
                if held.1 {
                    next.spent = Some(held);
                }
            }
            Event::Abandon(at) => {
                let held = next.live.remove(at);
                next.vote(held, None, self);
                if held.1 {
                    next.spent = Some(held);
                }
            }
            Event::Again(health) => {
                if let Some(spent) = self.spent {
                    next.vote(spent, Some(health), self);
                    assert_eq!(next.circuit, self.circuit, "a probe voted twice");
                }
            }
        }
        next.keeps_its_promises(self);
        // Only told to people: worlds that differ in it alone are one.
        next.circuit.last_trip = None;
        next
    }

    fn turn(&mut self, mode: CircuitMode, before: &World) {
        let told = self.circuit.set_mode(mode, &());
        let states = (before.circuit.state(), self.circuit.state());
        assert_eq!(
            told,
            (mode != before.circuit.mode).then_some(states),
            "a change of mode is told, and once"
        );
        assert!(told.is_some() || states.0 == states.1, "the state moved and nobody was told");
        let counting = |mode| mode != CircuitMode::Disabled;
        let kept = match mode {
            CircuitMode::Disabled => false,
            CircuitMode::ForcedClosed => {
                before.circuit.phase == Phase::Closed && counting(before.circuit.mode)
            }
            _ => counting(before.circuit.mode),
        };
        if kept {
            assert_eq!(self.circuit.phase, before.circuit.phase);
            assert_eq!(self.circuit.count, before.circuit.count);
        } else {
            assert_eq!(self.circuit.phase, Phase::Closed);
            assert!(self.circuit.generation > before.circuit.generation);
            (self.weight, self.abandoned) = (0, 0);
        }
    }

    fn ask(&mut self, kind: AttemptKind, before: &World) {
        let (mode, was) = (before.circuit.mode, before.circuit.state());
        if kind == AttemptKind::Retry && mode != CircuitMode::ForcedOpen {
            self.opened = self.opened.min(self.clock);
        }
        let Phase::Open { random, .. } = before.circuit.phase else {
            return self.asked_unless_open(kind, before);
        };
        let cooling = self.clock < self.opened + before.circuit.open_for(random);
        match self.circuit.admit(kind, &Now::at(self.clock), &()) {
            Admission::Admitted(given, moved) => {
                if matches!(self.circuit.phase, Phase::Open { .. }) {
                    assert_eq!((mode, given), (CircuitMode::Observing, OBSERVED));
                } else {
                    assert!(!cooling, "the open time was cut short");
                    self.abandoned = 0;
                }
                self.given(given, moved, kind, before);
            }
            Admission::Rejected(why) => {
                assert!(kind == AttemptKind::Hedge || cooling || mode == CircuitMode::ForcedOpen);
                assert_eq!((why.state, was), (CircuitState::Open, CircuitState::Open));
                assert_eq!(why.reason, "circuit_open");
            }
            _ => unreachable!(),
        }
    }

    fn asked_unless_open(&mut self, kind: AttemptKind, before: &World) {
        match self.circuit.admit(kind, &Now::at(self.clock), &()) {
            Admission::Admitted(given, moved) => {
                let closed = before.circuit.phase == Phase::Closed;
                assert!(given.probe != closed || before.circuit.mode == CircuitMode::Observing);
                self.given(given, moved, kind, before);
            }
            Admission::Rejected(why) if before.circuit.mode == CircuitMode::ForcedOpen => {
                assert_eq!(self.circuit, before.circuit);
                assert_eq!(why.reason, "circuit_open");
            }
            Admission::Rejected(why) => {
                assert_eq!(
                    (why.state, why.reason.as_str()),
                    (CircuitState::HalfOpen, "circuit_half_open_probe_limit")
                );
                let out = before.circuit.probes.out();
                assert!(kind == AttemptKind::Hedge || out == before.circuit.rules.probes, "a free slot");
            }
            _ => unreachable!(),
        }
    }

    fn given(&mut self, given: Ticket, moved: Option<Transition>, kind: AttemptKind, before: &World) {
        let observing = before.circuit.mode == CircuitMode::Observing;
        let probe = self.circuit.probes.holds(given.generation);
        assert_eq!(given.probe, probe && !observing);
        assert!(given.generation == self.circuit.generation || observing);
        assert!(!probe || kind == AttemptKind::Retry, "a hedge took a probe slot");
        let mine = (given.generation, probe);
        assert!(!probe || (!self.live.contains(&mine) && self.spent != Some(mine)), "a ticket twice");
        self.live.push(mine);
        self.moved(moved, before, &[cause::COOLDOWN_OVER]);
        if kind == AttemptKind::Hedge {
            assert_eq!(self.circuit, before.circuit, "a hedge changed the circuit");
        }
    }

    /// A report, or (`None`) a giving up.
    fn vote(&mut self, held: Held, health: Option<Health>, before: &World) {
        let now = Now::at(self.clock);
        let moved = match health {
            Some(health) => self.circuit.report(ticket(held), health, &now, &()),
            None => self.circuit.abandon(ticket(held), &now, &()),
        };
        let rules = before.circuit.rules;
        let heeded = match before.circuit.phase {
            Phase::Closed => held == (before.circuit.generation, false),
            Phase::HalfOpen { .. } => held.1 && before.circuit.probes.holds(held.0),
            Phase::Open { .. } => false,
        };
        if !heeded || before.circuit.mode == CircuitMode::Disabled {
            assert_eq!((&self.circuit, &moved), (&before.circuit, &None), "an old report counted");
            return;
        }
        let mut given_up = false;
        let weight = match health {
            Some(Health::Up) => None,
            Some(Health::Down) => Some(1_000_000),
            Some(Health::Throttled) => Some(rules.throttled.get()),
            Some(_) => Some(0),
            None => {
                self.abandoned += u32::from(rules.abandoned.is_some());
                given_up = rules.abandoned.is_some_and(|limit| self.abandoned > limit);
                Some(if given_up { 1_000_000 } else { 0 })
            }
        };
        if matches!(health, Some(Health::Up | Health::Down | Health::Throttled)) {
            self.abandoned = 0;
        }
        let mut causes = vec![];
        if before.circuit.phase == Phase::Closed {
            self.weight = weight.map_or(0, |weight| self.weight + weight);
            let reached = self.weight >= u64::from(before.circuit.threshold) * 1_000_000;
            let may = matches!(before.circuit.mode, CircuitMode::Enforcing | CircuitMode::Observing);
            assert_eq!(reached && may && weight > Some(0), moved.is_some(), "{before:?} {held:?} {health:?}");
            causes.push(if given_up { cause::ABANDONED } else { cause::CONSECUTIVE_FAILURES });
        } else {
            let succeeded = weight.is_none();
            match weight {
                Some(0) => assert!(moved.is_none()),
                Some(_) => assert_eq!(self.circuit.state(), CircuitState::Open),
                None => assert_eq!(moved.is_some(), self.circuit.phase == Phase::Closed),
            }
            assert!(!self.circuit.probes.holds(held.0), "a slot was kept");
            causes.push(match (given_up, succeeded) {
                (true, _) => cause::ABANDONED,
                (_, true) => cause::PROBE_SUCCEEDED,
                _ => cause::PROBE_FAILED,
            });
        }
        if moved.is_some() {
            (self.weight, self.abandoned) = (0, 0);
        }
        self.moved(moved, before, &causes);
    }

    /// A transition is told exactly when the state has changed, and truly; the last trip is remembered.
    fn moved(&mut self, told: Option<Transition>, before: &World, causes: &[&'static str]) {
        let (from, to) = (before.circuit.state(), self.circuit.state());
        let expected = causes.iter().map(|cause| Transition::new(from, to, *cause, self.clock));
        assert!(if from == to {
            told.is_none()
        } else {
            expected.map(Some).any(|expected| told == expected)
        });
        if to == CircuitState::Open && from != to {
            self.opened = self.clock;
            assert_eq!(self.circuit.status(&(), &Now::at(Moment::ZERO)).last_trip, told);
        }
    }

    fn keeps_its_promises(&self, before: &World) {
        let (circuit, now, state) = (&self.circuit, self.clock, self.circuit.state());
        assert!(circuit.generation >= before.circuit.generation);
        if circuit.phase != before.circuit.phase && state != before.circuit.state() {
            assert!(circuit.generation > before.circuit.generation || circuit.mode != before.circuit.mode);
        }
        assert_eq!(circuit.abandoned, self.abandoned);
        // Every slot is held by an attempt in flight: none is lost.
        let out = self.live.iter().filter(|held| held.1 && circuit.probes.holds(held.0)).count();
        assert_eq!(u32::try_from(out), Ok(circuit.probes.out()));
        assert!(circuit.probes.out() <= circuit.rules.probes, "a probe too many");
        assert!(out == 0 || matches!(circuit.phase, Phase::HalfOpen { .. }));
        let answer = asked(circuit, now);
        match circuit.mode {
            CircuitMode::ForcedOpen => assert!(is_open_rejection(&answer) && state == CircuitState::Open),
            CircuitMode::ForcedClosed | CircuitMode::Disabled => {
                assert_eq!(state, CircuitState::Closed);
                assert_eq!(answer, Admission::Admitted(Ticket::normal(circuit.generation), None));
            }
            CircuitMode::Observing => assert!(matches!(answer, Admission::Admitted(..))),
            _ => self.enforces(&answer),
        }
    }

    fn enforces(&self, answer: &Admission) {
        let (circuit, now) = (&self.circuit, self.clock);
        let late = asked(&after_rejection(circuit, now), now + LONG);
        match circuit.phase {
            Phase::Closed => {
                assert_eq!(*answer, Admission::Admitted(Ticket::normal(circuit.generation), None));
            }
            Phase::HalfOpen { .. } => {
                let admitted = matches!(answer, Admission::Admitted(given, None) if given.probe);
                assert!(admitted || circuit.probes.out() == circuit.rules.probes, "stuck");
                assert!(matches!(late, Admission::Admitted(given, None) if given.probe), "stuck half-open");
            }
            Phase::Open { random, .. } => {
                let seen = after_rejection(circuit, now);
                let later = asked(&seen, now + seen.open_for(random));
                assert!(matches!(later, Admission::Admitted(given, Some(_)) if given.probe), "stuck open");
            }
        }
        if let Some((from, until)) = circuit.rejecting() {
            if now >= from && now < until {
                assert!(matches!(answer, Admission::Rejected(_)));
                assert_eq!(after_rejection(circuit, now), *circuit, "the window is one of no change");
            }
        }
        for wait in [0, 1, 2].map(secs) {
            let told = circuit.would_reject(&Now::at(now), wait).map(Admission::Rejected);
            let later = asked(&after_rejection(circuit, now), now + wait);
            assert_eq!(told, Some(later).filter(is_open_rejection));
        }
    }
}
