//! Everything that may happen to a call next: what attempts, time, gates, plugins, the sleeper and the caller can do at
//! each step of the core, as the engine reports it.
//!
//! Panics that are caught are answers: a classifier's is an abort, a budget's a refusal, a trigger's a "never", a
//! breaker's an admission. Those of sleeper and clock end the call: [`Event::Broken`]. The operation's own goes on to the
//! caller, and to the call that is the same as being dropped.

use super::cases::{MS, TOO_LONG};
use super::world::{Happening, World};
use crate::call::decide::{Event, NEVER, Rules, SLOTS, Step};
use recourse_core::{Component, HedgeDecision, OutcomeKind, StopReason};
use std::time::Duration;

/// How an attempt may end; the first is a success. A server may ask for a wait, also with what is not retried.
const ENDINGS: [(OutcomeKind, Option<Duration>); 7] = [
    (OutcomeKind::Success, None),
    (OutcomeKind::Retryable, None),
    (OutcomeKind::Retryable, Some(MS)),
    (OutcomeKind::Retryable, Some(TOO_LONG)),
    (OutcomeKind::NonRetryable, None),
    (OutcomeKind::NonRetryable, Some(MS)),
    (OutcomeKind::Abort, None),
];

/// Why an attempt may not start, and whether that holds for the whole group.
const REFUSALS: [(StopReason, bool); 5] = [
    (StopReason::BudgetDenied, false),
    (StopReason::BudgetNotFound, true),
    (StopReason::PanicIn(Component::Budget), false),
    (StopReason::CircuitOpen, false),
    (StopReason::CircuitHalfOpenProbeLimit, false),
];

/// What a look at breaker and budget before a wait may give.
const PEEKED: [Option<StopReason>; 4] = [
    None,
    Some(StopReason::BudgetDenied),
    Some(StopReason::PanicIn(Component::Budget)),
    Some(StopReason::CircuitOpen),
];

/// A look at the trigger that is not the soonest.
const TWO: Duration = Duration::from_millis(2);

/// What a trigger may answer.
const DECISIONS: [HedgeDecision; 6] = [
    HedgeDecision::never(),
    HedgeDecision::spawn(),
    HedgeDecision::check_in(Duration::ZERO),
    HedgeDecision::check_in(TWO),
    HedgeDecision::spawn_and_check_in(Duration::ZERO),
    HedgeDecision::spawn_and_check_in(TWO),
];

/// A wait that outlasts every deadline.
const LONG: Duration = Duration::from_millis(7);

/// So many milliseconds may a sleeper be late: from none to past every deadline.
const LATE: std::ops::Range<u32> = 0..6;

const BROKEN_CLOCK: Event = Event::Broken { stop: StopReason::PanicIn(Component::Clock) };
const BROKEN_SLEEPER: Event = Event::Broken { stop: StopReason::PanicIn(Component::Sleeper) };

/// Whether a call gets nearer its end by this, while nothing breaks and nobody gives up.
pub(super) fn goes_on(happening: Happening) -> bool {
    !matches!(happening, Happening::Told(Event::Broken { .. }) | Happening::Time | Happening::LetGo)
}

/// Whatever may happen next, put behind what is in `found`.
pub(super) fn next(rules: &Rules, world: &World, found: &mut Vec<Happening>) {
    if let Step::Finish { .. } = world.step {
        return;
    }
    found.push(Happening::LetGo);
    // The clock is looked at before each step.
    found.push(Happening::Told(BROKEN_CLOCK));
    match world.step {
        Step::Ask { slot } => asked(rules, slot, found),
        Step::Poll => polled(rules, world, found),
        Step::Advise => found
            .extend(DECISIONS.map(|decision| Happening::Told(Event::Advised { now: world.now, decision }))),
        // Nothing was returned that could be a success.
        Step::Cut { slot } => ended(slot, &ENDINGS[1..], found),
        Step::Draw => drawn(rules, world, found),
        Step::Peek { wait } => {
            found.extend(PEEKED.map(|refusal| Happening::Told(Event::Peeked { wait, refusal })));
        }
        Step::Wait { wait } => waited(world, wait, found),
        Step::Finish { .. } => {}
    }
}

fn asked(rules: &Rules, slot: usize, found: &mut Vec<Happening>) {
    found.push(Happening::Told(Event::Admitted { slot }));
    // A hedge never takes a probe's place.
    if slot == 0 && rules.max_hedges > 0 {
        found.push(Happening::Probe);
    }
    let refused = |(stop, for_good)| Happening::Told(Event::Refused { slot, stop, for_good });
    found.extend(REFUSALS.map(refused));
}

fn ended(slot: usize, endings: &[(OutcomeKind, Option<Duration>)], found: &mut Vec<Happening>) {
    for &(kind, backoff) in endings {
        found.push(Happening::Told(Event::Ended { slot, kind, backoff }));
    }
}

/// Attempts in flight: each may end or have to wait, time may pass, and once all were polled the timer is looked at.
///
/// A superset of what the driver does, which polls them in their order: but what one poll can't give, several can.
fn polled(rules: &Rules, world: &World, found: &mut Vec<Happening>) {
    let (ledger, now) = (&world.ledger, world.now);
    for slot in 0..SLOTS {
        if !world.holds(slot) {
            continue;
        }
        ended(slot, &ENDINGS, found);
        if ledger.pended & (1 << slot) == 0 {
            found.push(match world.progress.wants_time(rules) {
                true => Happening::Told(Event::Pended { slot, now }),
                false => Happening::Pends { slot },
            });
        }
    }
    if ledger.awaits(now) {
        found.push(Happening::Time);
    }
    let due = ledger.next_due();
    if ledger.all_pended() && due != NEVER {
        found.push(Happening::Told(BROKEN_SLEEPER));
        if due <= now {
            found.push(Happening::Told(Event::Due { now }));
        }
    }
}

fn drawn(rules: &Rules, world: &World, found: &mut Vec<Happening>) {
    let now = rules.overall_timeout.map(|_| world.now);
    let mut draw = |wait: Duration| {
        found.push(Happening::Told(Event::Drawn { wait: wait.as_nanos() as u64, now }));
    };
    match world.progress.server_delay() {
        Some(server) => draw(Duration::from_nanos(server)),
        None => [Duration::ZERO, MS, LONG].into_iter().for_each(draw),
    }
}

fn waited(world: &World, wait: u64, found: &mut Vec<Happening>) {
    if wait > 0 {
        found.push(Happening::Told(BROKEN_SLEEPER));
    }
    let timed = world.progress.deadline().is_some();
    let late = if timed && wait > 0 { LATE } else { 0..1 };
    for late in late {
        let now = world.now + Duration::from_nanos(wait) + MS * late;
        found.push(Happening::Told(Event::Waited { now: timed.then_some(now) }));
    }
}
