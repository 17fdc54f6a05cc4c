//! [`World`]: a call at one point of one history, and what may happen to it next.

use super::cases::MS;
use super::ledger::Ledger;
use crate::call::decide::{Event, Progress, Rules, Step};
use recourse_core::{Moment, StopReason};

/// What may happen to a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Happening {
    /// The core is told of it.
    Told(Event),
    /// The group's primary is admitted as a half-open circuit's probe.
    Probe,
    /// An attempt had to wait for the first time, and nothing is timed: the core need not know.
    Pends { slot: usize },
    /// A millisecond passes.
    Time,
    /// The caller drops the call, or the operation's panic unwinds through it. The core hears of neither: whoever gives
    /// back what is held must know from it what that is.
    LetGo,
}

/// The core itself, what it said last, the present moment, and what is known from outside.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) progress: Progress,
    pub(super) step: Step,
    pub(super) now: Moment,
    pub(super) ledger: Ledger,
}

impl World {
    /// A call at its start. One that borrows mutably can't hedge.
    pub(super) fn new(rules: &Rules, can_hedge: bool) -> Self {
        World {
            progress: Progress::new(rules, can_hedge, true),
            step: Step::Ask { slot: 0 },
            now: Moment::ZERO,
            ledger: Ledger::new(can_hedge),
        }
    }

    /// The call after this, with the step that the core itself takes.
    pub(super) fn after(&self, rules: &Rules, happening: Happening) -> World {
        let mut world = self.clone();
        match happening {
            Happening::Told(event) => world.tell(rules, event),
            Happening::Probe => {
                world.progress.stop_hedging();
                world.ledger.stop_hedging();
                world.tell(rules, Event::Admitted { slot: 0 });
            }
            Happening::Pends { slot } => world.ledger.pended |= 1 << slot,
            Happening::Time => world.now = world.now + MS,
            Happening::LetGo => {
                world.ledger.give_back(world.progress.live());
                world.step = Step::Finish { stop: Some(StopReason::ContextCanceled) };
            }
        }
        world
    }

    fn tell(&mut self, rules: &Rules, event: Event) {
        self.step = self.progress.on(rules, event);
        self.ledger.note(rules, event);
        if let Event::Waited { now: Some(now) } = event {
            self.now = now;
        }
    }

    /// Whether an attempt is in flight in this slot.
    pub(super) fn holds(&self, slot: usize) -> bool {
        self.ledger.held & (1 << slot) != 0
    }
}
