//! Every history of a small call: whatever attempts, timers and gates do, the invariants hold.

use super::*;
use std::collections::HashSet;

const MS: Duration = Duration::from_millis(1);

fn rules(max_attempts: u32, max_hedges: u32, timed: bool, cancel: bool) -> Rules {
    asking_on_failure(false, max_attempts, max_hedges, timed, cancel)
}

fn asking_on_failure(
    hedge_on_failure: bool,
    max_attempts: u32,
    max_hedges: u32,
    timed: bool,
    cancel: bool,
) -> Rules {
    Rules {
        max_attempts,
        max_hedges,
        timeout_per_attempt: timed.then_some(10 * MS),
        overall_timeout: timed.then_some(24 * MS),
        max_server_delay: 5 * MS,
        cancel_on_first_terminal: cancel,
        hedge_delay: 3 * MS,
        hedge_on_failure,
    }
}

/// The present: every moment is kept relative to it, so that histories that differ only in time are one.
const NOW: Moment = Moment::ZERO;

/// A call at one point of one history.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    progress: Progress,
    step: WorldStep,
    pended: u8,
    launched: u32,
    succeeded: bool,
}

/// A [`Step`] that can be kept in a set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum WorldStep {
    Ask(usize),
    Poll,
    Advise,
    Cut(usize),
    Draw,
    Peek(u64),
    Wait(u64),
    Finish(Option<StopReason>),
}

impl World {
    fn new(rules: &Rules) -> Self {
        let progress = Progress::new(rules, true);
        World { progress, step: WorldStep::Ask(0), pended: 0, launched: 0, succeeded: false }
    }

    fn after(&self, rules: &Rules, event: Event) -> World {
        let mut world = self.clone();
        world.step = match world.progress.on(rules, event) {
            Step::Ask { slot } => WorldStep::Ask(slot),
            Step::Poll => WorldStep::Poll,
            Step::Advise => WorldStep::Advise,
            Step::Cut { slot } => WorldStep::Cut(slot),
            Step::Draw => WorldStep::Draw,
            Step::Peek { wait } => WorldStep::Peek(wait),
            Step::Wait { wait } => WorldStep::Wait(wait),
            Step::Finish { stop } => WorldStep::Finish(stop),
        };
        match event {
            Event::Admitted { .. } => world.launched += 1,
            Event::Pended { slot, .. } => world.pended |= 1 << slot,
            Event::Waited { .. } => world.pended = 0,
            Event::Ended { kind: OutcomeKind::Success, .. } => world.succeeded = true,
            _ => {}
        }
        world
    }

    /// The same call `by` later.
    fn later(&self, by: Duration) -> World {
        let mut world = self.clone();
        let shift = |moment: &mut Moment| {
            if *moment != NEVER {
                *moment = Moment::ZERO + moment.since(Moment::ZERO + by);
            }
        };
        let Progress { hedge_check, deadline, cut_at, .. } = &mut world.progress;
        [hedge_check, deadline].into_iter().chain(cut_at).for_each(shift);
        world
    }

    fn live(&self) -> Vec<usize> {
        (0..SLOTS).filter(|&slot| self.progress.live() & (1 << slot) != 0).collect()
    }

    /// Everything that can happen next.
    fn successors(&self, rules: &Rules) -> Vec<World> {
        let now = NOW;
        let kinds =
            [OutcomeKind::Success, OutcomeKind::Retryable, OutcomeKind::NonRetryable, OutcomeKind::Abort];
        let ended = |slot, kind| Event::Ended { slot, kind, backoff: None };
        let events: Vec<Event> = match self.step {
            WorldStep::Ask(slot) => [
                Event::Admitted { slot },
                Event::Refused { slot, stop: StopReason::BudgetDenied, for_good: false },
                Event::Refused { slot, stop: StopReason::BudgetNotFound, for_good: true },
            ]
            .into(),
            WorldStep::Advise => [
                HedgeDecision::never(),
                HedgeDecision::spawn(),
                HedgeDecision::check_in(3 * MS),
                HedgeDecision::spawn_and_check_in(Duration::ZERO),
            ]
            .map(|decision| Event::Advised { now, decision })
            .into(),
            WorldStep::Cut(slot) => kinds[1..].iter().map(|&kind| ended(slot, kind)).collect(),
            WorldStep::Draw => {
                [MS, 20 * MS].map(nanos).map(|wait| Event::Drawn { wait, now: Some(now) }).into()
            }
            WorldStep::Peek(wait) => {
                [None, Some(StopReason::CircuitOpen)].map(|refusal| Event::Peeked { wait, refusal }).into()
            }
            WorldStep::Wait(wait) => {
                let late = 30 * MS;
                return vec![
                    self.later(Duration::from_nanos(wait)).after(rules, Event::Waited { now: Some(NOW) }),
                    self.later(late).after(rules, Event::Waited { now: Some(NOW) }),
                ];
            }
            WorldStep::Finish(_) => return Vec::new(),
            WorldStep::Poll => return self.polled(rules, &kinds, ended),
        };
        events.into_iter().map(|event| self.after(rules, event)).collect()
    }

    fn polled(
        &self,
        rules: &Rules,
        kinds: &[OutcomeKind],
        ended: impl Fn(usize, OutcomeKind) -> Event,
    ) -> Vec<World> {
        let mut worlds = Vec::new();
        for slot in self.live() {
            worlds.extend(kinds.iter().map(|&kind| self.after(rules, ended(slot, kind))));
            if self.pended & (1 << slot) == 0 {
                worlds.push(self.after(rules, Event::Pended { slot, now: NOW }));
            }
        }
        if let Some(due) = self.progress.next_due() {
            worlds.push(self.later(due.since(NOW)).after(rules, Event::Due { now: NOW }));
        }
        worlds.push(self.after(rules, Event::Broken { stop: StopReason::ContextCanceled }));
        worlds
    }

    fn check(&self, rules: &Rules) {
        let live = self.live();
        match self.step {
            // A failed primary may be followed by a hedge at once.
            WorldStep::Advise if rules.hedge_on_failure && self.progress.failed() > 0 => {}
            WorldStep::Poll | WorldStep::Advise => assert!(!live.is_empty(), "waits for nothing: {self:?}"),
            WorldStep::Cut(slot) => assert!((self.progress.live() & (1 << slot) != 0), "{self:?}"),
            WorldStep::Ask(0) | WorldStep::Draw | WorldStep::Peek(_) | WorldStep::Wait(_) => {
                assert!(live.is_empty(), "a group goes on beside the next: {self:?}");
            }
            WorldStep::Ask(slot) => {
                assert!(
                    self.progress.live() & (1 << slot) == 0 && slot <= rules.max_hedges as usize,
                    "{self:?}"
                );
            }
            WorldStep::Finish(stop) => {
                assert!(live.is_empty(), "something is held at the end: {self:?}");
                assert_eq!(stop.is_none(), self.succeeded, "{self:?}");
            }
        }
        assert!(self.progress.group() < rules.max_attempts, "{self:?}");
        assert!(self.launched <= rules.max_attempts * (1 + rules.max_hedges), "{self:?}");
        assert!(self.launched <= (self.progress.group() + 1) * (1 + rules.max_hedges), "{self:?}");
        if let Some(deadline) = self.progress.deadline() {
            let waits =
                matches!(self.step, WorldStep::Wait(wait) if NOW + Duration::from_nanos(wait) >= deadline);
            assert!(!waits, "sleeps past the deadline: {self:?}");
        }
    }
}

fn explore(rules: &Rules) -> (usize, usize) {
    let mut seen = HashSet::new();
    let mut open = vec![World::new(rules)];
    let mut ends = 0;
    while let Some(world) = open.pop() {
        if !seen.insert(world.clone()) {
            continue;
        }
        world.check(rules);
        let next = world.successors(rules);
        let finished = matches!(world.step, WorldStep::Finish(_));
        assert_eq!(finished, next.is_empty(), "stuck: {world:?}");
        ends += usize::from(finished);
        open.extend(next);
    }
    (seen.len(), ends)
}

#[test]
fn every_history_of_a_small_call_ends_once_and_holds_nothing_at_its_end() {
    let mut states = 0;
    for (attempts, hedges) in [(1, 0), (3, 0), (1, 1), (2, 1), (1, 2), (2, 2)] {
        for (timed, cancel) in [(false, false), (false, true), (true, false), (true, true)] {
            for on_failure in [false, true] {
                let (seen, ends) = explore(&asking_on_failure(on_failure, attempts, hedges, timed, cancel));
                assert!(ends > 0);
                states += seen;
            }
        }
    }
    #[allow(clippy::print_stdout, reason = "the count is what a reader of the log wants to see")]
    {
        println!("{states} states explored");
    }
    assert!(states > 1_000, "the exploration has shrunk to {states} states");
}

#[test]
fn the_most_severe_outcome_decides_and_in_a_tie_the_primary() {
    let rules = rules(1, 2, false, false);
    let mut progress = Progress::new(&rules, true);
    progress.on(&rules, Event::Admitted { slot: 0 });
    for slot in [1, 2] {
        progress.on(&rules, Event::Pended { slot: 0, now: Moment::ZERO });
        progress.on(&rules, Event::Advised { now: Moment::ZERO, decision: HedgeDecision::spawn() });
        progress.on(&rules, Event::Admitted { slot });
        progress.hedging = true;
    }
    let ended = |slot, kind| Event::Ended { slot, kind, backoff: None };
    assert_eq!(progress.on(&rules, ended(2, OutcomeKind::NonRetryable)), Step::Poll);
    assert_eq!(progress.on(&rules, ended(1, OutcomeKind::Retryable)), Step::Poll);
    let end = progress.on(&rules, ended(0, OutcomeKind::NonRetryable));
    assert_eq!(end, Step::Finish { stop: Some(StopReason::NonRetryable) });
    assert_eq!(progress.deciding_slot(), Some(0));
}

#[test]
fn of_several_server_delays_in_a_group_the_largest_counts() {
    let rules = rules(2, 1, false, false);
    let mut progress = Progress::new(&rules, true);
    progress.on(&rules, Event::Admitted { slot: 0 });
    progress.on(&rules, Event::Pended { slot: 0, now: Moment::ZERO });
    progress.on(&rules, Event::Advised { now: Moment::ZERO, decision: HedgeDecision::spawn() });
    progress.on(&rules, Event::Admitted { slot: 1 });
    let ended = |slot, wait| Event::Ended { slot, kind: OutcomeKind::Retryable, backoff: Some(wait) };
    progress.on(&rules, ended(1, 4 * MS));
    assert_eq!(progress.on(&rules, ended(0, 2 * MS)), Step::Draw);
    assert_eq!(progress.server_delay(), Some(nanos(4 * MS)));
}
