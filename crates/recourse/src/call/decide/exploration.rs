//! Every history of a call of up to four attempts and three hedges: whatever attempts, timers, gates, plugins and callers
//! do, the invariants hold.
//!
//! The core itself is explored, state by state, from its start: [`events`] says what may happen to a [`world`] next,
//! [`invariants`] what must hold on the way there, by what the [`ledger`] knows from outside; [`likeness`] says which
//! worlds count as one, [`seen`] whether the exploration went everywhere, and [`cases`] which calls are explored.

mod cases;
mod events;
mod invariants;
mod ledger;
mod likeness;
mod seen;
mod world;

use super::*;
use cases::{Case, MS};
use invariants::Transition;
use seen::Seen;
use std::collections::HashSet;
use std::thread;
use world::World;

/// Goes through every state once. That an end is reachable from each follows from two things that hold everywhere:
/// something can happen that takes no time, and whatever takes none brings the end nearer.
fn explore(case: &Case) -> Seen {
    let rules = case.rules();
    let start = World::new(&rules, case.can_hedge);
    let mut known = HashSet::from([likeness::key(&start)]);
    let mut open = vec![start];
    let mut found = Vec::new();
    let mut seen = Seen::default();
    while let Some(before) = open.pop() {
        seen.state(&before);
        events::next(&rules, &before, &mut found);
        assert!(found.iter().any(|&happening| events::goes_on(happening)), "stuck: {before:?}");
        for happening in found.drain(..) {
            let after = before.after(&rules, happening);
            Transition { rules: &rules, before: &before, happening, after: &after }.check();
            seen.step(&after);
            if !matches!(after.step, Step::Finish { .. }) && known.insert(likeness::key(&after)) {
                open.push(after);
            }
        }
    }
    seen.check(&rules, case.can_hedge);
    seen
}

#[test]
#[allow(clippy::print_stdout, reason = "the counts are what a reader of the log wants to see")]
fn every_history_of_a_call_ends_once_and_holds_nothing_at_its_end() {
    let (mut states, mut steps, mut ends) = (0, 0, 0);
    thread::scope(|scope| {
        let explored: Vec<_> =
            Case::all().into_iter().map(|case| (case, scope.spawn(move || explore(&case)))).collect();
        for (case, seen) in explored {
            let seen = seen.join().unwrap_or_else(|_| panic!("an invariant is broken: see above; {case:?}"));
            let (of_case, name) = (seen.states, case.name());
            println!("{of_case:>7} states, {:>8} steps, {:>7} to an end: {name}", seen.steps, seen.ends);
            states += seen.states;
            steps += seen.steps;
            ends += seen.ends;
        }
    });
    println!("{states} states explored by {steps} steps, {ends} of them to an end");
    assert!(states > 580_000, "the exploration has shrunk to {states} states");
}

/// A group of a primary and this many hedges, all in flight.
fn in_flight(rules: &Rules, hedges: usize) -> Progress {
    let now = Moment::ZERO;
    let mut progress = Progress::new(rules, true, false);
    progress.on(rules, Event::Admitted { slot: 0 });
    progress.on(rules, Event::Pended { slot: 0, now });
    for slot in 1..=hedges {
        progress.on(rules, Event::Advised { now, decision: HedgeDecision::spawn() });
        progress.on(rules, Event::Admitted { slot });
    }
    progress
}

fn failed(slot: usize, kind: OutcomeKind, backoff: Option<Duration>) -> Event {
    Event::Ended { slot, kind, backoff }
}

#[test]
fn the_most_severe_outcome_decides_and_in_a_tie_the_primary() {
    let rules = Case::of(0, 1, 2).rules();
    let mut progress = in_flight(&rules, 2);
    assert_eq!(progress.on(&rules, failed(2, OutcomeKind::NonRetryable, None)), Step::Poll);
    assert_eq!(progress.on(&rules, failed(1, OutcomeKind::Retryable, None)), Step::Poll);
    let end = progress.on(&rules, failed(0, OutcomeKind::NonRetryable, None));
    assert_eq!(end, Step::Finish { stop: Some(StopReason::NonRetryable) });
    assert_eq!(progress.deciding_slot(), Some(0));
}

#[test]
fn of_several_server_delays_in_a_group_the_largest_counts() {
    let rules = Rules { max_server_delay: 4 * MS, ..Case::of(0, 2, 1).rules() };
    let mut progress = in_flight(&rules, 1);
    progress.on(&rules, failed(1, OutcomeKind::Retryable, Some(4 * MS)));
    assert_eq!(progress.on(&rules, failed(0, OutcomeKind::Retryable, Some(2 * MS))), Step::Draw);
    assert_eq!(progress.server_delay(), Some(nanos(4 * MS)));
}

#[cfg(debug_assertions)]
#[test]
fn an_event_after_the_end_is_refused_and_changes_nothing() {
    let (now, kind) = (Moment::ZERO, OutcomeKind::Success);
    let (stop, decision) = (StopReason::BudgetDenied, HedgeDecision::spawn());
    let rules = Case::of(0b1011, 4, 3).rules();
    let mut ended = in_flight(&rules, 3);
    ended.on(&rules, failed(3, kind, None));
    for event in [
        Event::Admitted { slot: 0 },
        Event::Refused { slot: 1, stop, for_good: true },
        Event::Pended { slot: 2, now },
        failed(2, kind, None),
        Event::Due { now },
        Event::Advised { now, decision },
        Event::Drawn { wait: 0, now: None },
        Event::Peeked { wait: 0, refusal: None },
        Event::Waited { now: None },
        Event::Broken { stop },
    ] {
        let mut progress = ended.clone();
        let told = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| progress.on(&rules, event)));
        assert!(told.is_err() && progress == ended, "{event:?}");
    }
}
