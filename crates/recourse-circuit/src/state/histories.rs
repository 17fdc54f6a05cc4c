//! Test: every sequence of events up to a depth, with the breaker's promises checked after each event.

use super::*;
use std::collections::HashSet;

const DEPTH: usize = 18;
/// Tickets in flight at once.
const MOST_LIVE: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Event {
    Ask(AttemptKind),
    /// The live ticket at this place is reported, and gone.
    Report(usize, Health),
    /// The last probe is reported once more.
    Again(Health),
    Tick,
    /// The clock goes back to its origin.
    Back,
    Reconfigure(u32, u64),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    circuit: Circuit,
    clock: Moment,
    live: Vec<Held>,
    spent: Option<Held>,
    /// Down votes in a row since the circuit was last closed, counted by the test.
    downs: u32,
    /// From when the cooldown counts: the opening, or the earliest primary that has asked since.
    opened: Moment,
}

/// A ticket, hashable: generation and probe.
type Held = (u64, bool);

fn ticket((generation, probe): Held) -> Ticket {
    if probe { Ticket::probe(generation) } else { Ticket::normal(generation) }
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn start() -> World {
    World {
        circuit: Circuit::closed(&BreakerSettings::new(2, secs(2))),
        clock: Moment::ZERO,
        live: Vec::new(),
        spent: None,
        downs: 0,
        opened: Moment::ZERO,
    }
}

fn events(world: &World) -> Vec<Event> {
    const VOTES: [Health; 3] = [Health::Up, Health::Down, Health::None];
    let mut events = vec![Event::Tick, Event::Back];
    events.extend(
        [(1, 2), (2, 1), (2, 2)].map(|(threshold, cooldown)| Event::Reconfigure(threshold, cooldown)),
    );
    if world.live.len() < MOST_LIVE {
        events.extend([AttemptKind::Retry, AttemptKind::Hedge].map(Event::Ask));
    }
    for at in 0..world.live.len() {
        events.extend(VOTES.map(|health| Event::Report(at, health)));
    }
    if world.spent.is_some() {
        events.extend(VOTES.map(Event::Again));
    }
    events
}

/// What the circuit answers a primary attempt at this moment; the circuit itself stays as it is.
fn asked(circuit: &Circuit, at: Moment) -> Admission {
    circuit.clone().admit(AttemptKind::Retry, &Now::at(at))
}

/// The circuit after a primary attempt has asked, if that was rejected; else as it was.
fn after_rejection(circuit: &Circuit, now: Moment) -> Circuit {
    let mut after = circuit.clone();
    match after.admit(AttemptKind::Retry, &Now::at(now)) {
        Admission::Rejected(_) => after,
        _ => circuit.clone(),
    }
}

fn is_open_rejection(answer: &Admission) -> bool {
    matches!(answer, Admission::Rejected(why) if why.state == CircuitState::Open && why.reason == "circuit_open")
}

impl World {
    /// The world after the event; panics where the answer breaks a promise.
    fn step(&self, event: Event) -> World {
        let mut next = self.clone();
        match event {
            Event::Tick => next.clock = self.clock + secs(1),
            Event::Back => next.clock = Moment::ZERO,
            Event::Reconfigure(threshold, cooldown) => {
                next.circuit.reconfigure(&BreakerSettings::new(threshold, secs(cooldown)));
                assert_eq!(next.circuit.phase, self.circuit.phase, "settings moved the state");
            }
            Event::Ask(kind) => next.ask(kind, self),
            Event::Report(at, health) => {
                let held = next.live.remove(at);
                next.vote(held, health, self);
                if held.1 {
                    next.spent = Some(held);
                }
            }
            Event::Again(health) => {
                if let Some(spent) = self.spent {
                    next.vote(spent, health, self);
                    assert_eq!(next.circuit, self.circuit, "a probe voted twice");
                }
            }
        }
        next.keeps_its_promises(self);
        next
    }

    fn ask(&mut self, kind: AttemptKind, before: &World) {
        let was = before.circuit.state();
        if kind == AttemptKind::Retry {
            self.opened = self.opened.min(self.clock);
        }
        let cooling = self.clock < self.opened + self.circuit.cooldown;
        match self.circuit.admit(kind, &Now::at(self.clock)) {
            Admission::Admitted(given, moved) => {
                assert_eq!(given.generation, self.circuit.generation);
                assert_eq!(given.probe, was != CircuitState::Closed);
                assert!(!given.probe || kind == AttemptKind::Retry, "a hedge took a probe slot");
                assert!(was != CircuitState::Open || !cooling, "the cooldown was cut short");
                self.live.push((given.generation, given.probe));
                self.moved(moved, before, cause::COOLDOWN_OVER);
            }
            Admission::Rejected(why) => {
                assert_eq!((why.state, self.circuit.state()), (was, was));
                let reason = match was {
                    CircuitState::Open => "circuit_open",
                    CircuitState::HalfOpen => "circuit_half_open_probe_limit",
                    _ => unreachable!("a closed circuit rejected"),
                };
                assert_eq!(why.reason, reason);
            }
            _ => unreachable!(),
        }
        if kind == AttemptKind::Hedge {
            assert_eq!(self.circuit, before.circuit, "a hedge changed the circuit");
        }
    }

    fn vote(&mut self, held: Held, health: Health, before: &World) {
        let moved = self.circuit.report(ticket(held), health, &Now::at(self.clock));
        if held.0 != before.circuit.generation {
            assert_eq!((&self.circuit, &moved), (&before.circuit, &None), "an old report counted");
            return;
        }
        let was = before.circuit.state();
        let cause = match (was, health) {
            (CircuitState::Closed, Health::Down) => {
                self.downs += 1;
                let trips = self.downs >= before.circuit.threshold;
                assert_eq!(trips, self.circuit.state() == CircuitState::Open);
                cause::CONSECUTIVE_FAILURES
            }
            (CircuitState::Closed, Health::Up) => {
                self.downs = 0;
                ""
            }
            (CircuitState::HalfOpen, Health::Up) => {
                assert_eq!(self.circuit.phase, Phase::Closed { failures: 0 });
                self.downs = 0;
                cause::PROBE_SUCCEEDED
            }
            (CircuitState::HalfOpen, Health::Down) => {
                assert_eq!(self.circuit.phase, Phase::Open { since: self.clock });
                cause::PROBE_FAILED
            }
            (CircuitState::HalfOpen, _) => {
                assert_eq!(self.circuit.phase, Phase::HalfOpen { probing: false });
                ""
            }
            _ => {
                assert_eq!(self.circuit, before.circuit);
                ""
            }
        };
        self.moved(moved, before, cause);
    }

    /// A transition is told exactly when the state has changed, and truly.
    fn moved(&mut self, told: Option<Transition>, before: &World, cause: &'static str) {
        let (from, to) = (before.circuit.state(), self.circuit.state());
        let expected = (from != to).then(|| Transition::new(from, to, cause, self.clock));
        assert_eq!(told, expected);
        if to == CircuitState::Open && from != to {
            self.opened = self.clock;
        }
    }

    fn keeps_its_promises(&self, before: &World) {
        let (now, state) = (self.clock, self.circuit.state());
        let probes = |&&(generation, probe): &&Held| probe && generation == self.circuit.generation;
        let probing = self.live.iter().filter(probes).count();
        assert!(self.circuit.generation >= before.circuit.generation);
        if state != before.circuit.state() {
            assert!(self.circuit.generation > before.circuit.generation);
        }
        assert_eq!(self.circuit.failures(), if state == CircuitState::Closed { self.downs } else { 0 });
        let answer = asked(&self.circuit, now);
        match state {
            CircuitState::Closed => {
                assert_eq!(answer, Admission::Admitted(Ticket::normal(self.circuit.generation), None))
            }
            CircuitState::HalfOpen => {
                assert!(probing <= 1, "two probes");
                let admitted = matches!(answer, Admission::Admitted(given, None) if given.probe);
                assert_eq!(admitted, probing == 0, "stuck, or one probe too many");
            }
            _ => {
                assert_eq!(probing, 0);
                let seen = after_rejection(&self.circuit, now);
                let later = asked(&seen, now + seen.cooldown);
                assert!(matches!(later, Admission::Admitted(given, Some(_)) if given.probe), "stuck open");
            }
        }
        for wait in [0, 1, 2].map(secs) {
            let told = self.circuit.would_reject(&Now::at(now), wait).map(Admission::Rejected);
            let later = asked(&after_rejection(&self.circuit, now), now + wait);
            assert_eq!(told, Some(later).filter(is_open_rejection));
        }
    }
}

#[test]
fn every_short_history_keeps_the_promises() {
    let mut seen = HashSet::from([start()]);
    let mut edge = vec![start()];
    for _ in 0..DEPTH {
        let mut further = Vec::new();
        for world in &edge {
            for event in events(world) {
                let next = world.step(event);
                if seen.insert(next.clone()) {
                    further.push(next);
                }
            }
        }
        edge = further;
    }
    let reached = |state| seen.iter().any(|world| world.circuit.state() == state);
    for state in [CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen] {
        assert!(reached(state), "{state} was never reached");
    }
}
