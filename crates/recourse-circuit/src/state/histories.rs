//! Test: every sequence of events up to a depth, with the breaker's promises checked after each event.

mod world;

use self::world::{Event, World, secs};
use super::{Growth, Millionths, Rules};
use recourse_core::{AttemptKind, CircuitMode, CircuitState, Health};
use std::collections::HashSet;

/// Tickets in flight at once.
const MOST_LIVE: usize = 3;
/// What is explored: rules, and the events beside those of every exploration.
struct Scope {
    rules: Rules,
    votes: &'static [Health],
    modes: &'static [CircuitMode],
    settings: &'static [(u32, u64)],
    depth: usize,
}

fn events(scope: &Scope, world: &World) -> Vec<Event> {
    let mut events = vec![Event::Tick, Event::Back];
    events.extend(scope.settings.iter().map(|&(threshold, secs)| Event::Reconfigure(threshold, secs)));
    events.extend(scope.modes.iter().map(|&mode| Event::Mode(mode)));
    if world.live.len() < MOST_LIVE {
        events.extend([AttemptKind::Retry, AttemptKind::Hedge].map(Event::Ask));
    }
    for at in 0..world.live.len() {
        events.extend(scope.votes.iter().map(|&health| Event::Report(at, health)));
        events.push(Event::Abandon(at));
    }
    if world.spent.is_some() {
        events.extend(scope.votes.iter().map(|&health| Event::Again(health)));
    }
    events
}

/// How many worlds there are.
fn explore(scope: &Scope) -> usize {
    let mut seen = HashSet::from([World::new(scope.rules)]);
    let mut edge = vec![World::new(scope.rules)];
    for _ in 0..scope.depth {
        let mut further = Vec::new();
        for world in &edge {
            for event in events(scope, world) {
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
    seen.len()
}

#[test]
fn every_short_history_of_failures_in_a_row_keeps_the_promises() {
    let scope = Scope {
        // Given up or not is explored below, with a limit that a short history reaches.
        rules: Rules { abandoned: None, ..Rules::FIXED },
        votes: &[Health::Up, Health::Down, Health::Throttled, Health::None],
        modes: &[],
        settings: &[(1, 2), (2, 1), (2, 2)],
        depth: 18,
    };
    let worlds = explore(&scope);
    assert!(worlds > 10_000, "{worlds}");
}

#[test]
fn every_short_history_with_all_options_keeps_the_promises() {
    let rules = Rules {
        probes: 2,
        successes: 2,
        lease: secs(2),
        growth: Some(Growth { cap: secs(4), reset_after: secs(2) }),
        throttled: Millionths::of(0.5).expect("a part"),
        abandoned: Some(1),
        jitter: Millionths::of(0.5).expect("a part"),
        slow: None,
    };
    let votes = &[Health::Up, Health::Down, Health::Throttled, Health::None];
    let worlds = explore(&Scope { rules, votes, modes: &[], settings: &[(1, 1)], depth: 14 });
    assert!(worlds > 10_000, "{worlds}");
}

#[test]
fn every_short_history_through_every_mode_keeps_the_promises() {
    let modes = &[
        CircuitMode::Enforcing,
        CircuitMode::Observing,
        CircuitMode::ForcedOpen,
        CircuitMode::ForcedClosed,
        CircuitMode::Disabled,
    ];
    let votes = &[Health::Up, Health::Down];
    let rules = Rules { abandoned: Some(1), lease: secs(2), ..Rules::FIXED };
    let worlds = explore(&Scope { rules, votes, modes, settings: &[(1, 1)], depth: 11 });
    assert!(worlds > 10_000, "{worlds}");
}
