//! [`Nest`]: where the calls of a crowd are, those inside attempts of others included.

use crate::around::{Around, Probe};
use crate::budgets::Budgets;
use crate::calls::{Ended, Running, SendRunning, Way, call, send_call};
use crate::dice::Dice;
use crate::errand::Errand;
use crate::policies::Policies;
use crate::timing::Timing;
use crate::work::{Log, Manner, Work};
use crate::world::{KEYS, World};
use recourse::{Attempt, Executor, Handle};
use std::any::Any;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Calls stand in each other so many times, at most: a call, one in its attempt, and one in that one's.
pub(crate) const DEEPEST: u32 = 2;

/// What the calls of a crowd have in common.
pub(crate) struct Nest<'w> {
    pub(crate) executor: &'w Executor,
    pub(crate) handles: &'w [Handle],
    pub(crate) dice: Dice,
    pub(crate) timing: Timing,
    pub(crate) manner: Manner,
    pub(crate) policies: Policies,
    pub(crate) budgets: Budgets,
    probe: Probe,
    inner: Mutex<Inner<'w>>,
}

struct Inner<'w> {
    /// What must run round the code that runs now.
    around: Around,
    /// Calls that were left behind by the attempt that they were in, and that nobody polls.
    left: Vec<Inside<'w>>,
    over: Vec<Over<'w>>,
    /// The attempts that were launched last, whosever.
    attempts: VecDeque<Attempt>,
    /// The logs of the calls that are not over.
    open: Vec<Arc<Mutex<Log>>>,
    met: Met,
}

/// A call inside an attempt.
pub(crate) type Inside<'w> = Errand<'w, SendRunning<'w>>;

/// A call that stands in no other.
pub(crate) type Outside<'w> = Errand<'w, Running<'w>>;

/// What was met here.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Met {
    pub(crate) nested: u64,
    pub(crate) nested_twice: u64,
    pub(crate) told: u64,
    pub(crate) moved: u64,
    /// Calls that were dropped or unwound before their end.
    pub(crate) broken_off: u64,
}

/// A call that is over.
pub(crate) struct Over<'w> {
    pub(crate) key: &'w str,
    pub(crate) way: Way,
    pub(crate) work: Work<'w>,
    pub(crate) how: How,
}

/// How a call came to its end.
pub(crate) enum How {
    Ended(Box<Ended>),
    Unwound,
    Dropped,
}

impl<'w> Nest<'w> {
    pub(crate) fn new(world: &World, executor: &'w Executor, handles: &'w [Handle]) -> Arc<Self> {
        let (left, over, attempts, open, met) = Default::default();
        Arc::new(Nest {
            executor,
            handles,
            dice: world.dice.clone(),
            timing: world.timing.clone(),
            manner: world.manner,
            policies: world.policies.clone(),
            budgets: world.budgets.clone(),
            probe: Probe::new(),
            inner: Mutex::new(Inner { around: Around::NOTHING, left, over, attempts, open, met }),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner<'w>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call that was not polled yet. A text that is no key has the provider asked at once, which may panic.
    pub(crate) fn outside(self: &Arc<Self>, key: &'w str, way: Way) -> Outside<'w> {
        let (work, within) = (Work::new(self, way, 0), self.within(0.05));
        let running = call(self, key, way, within, work.clone());
        self.lock().open.push(work.shared_log());
        Errand::new(key, way, within, work, running)
    }

    /// A call inside an attempt, or one that another attempt has left behind.
    pub(crate) fn inside(self: &Arc<Self>, depth: u32) -> Option<Inside<'w>> {
        let dice = &self.dice;
        if dice.chance(0.25) {
            return self.take_left();
        }
        let (key, way) = (dice.pick(&KEYS), dice.pick(&Way::SEND));
        let (work, within) = (Work::new(self, way, depth), self.within(0.3));
        let running = send_call(self, key, way, within, work.clone());
        let mut inner = self.lock();
        inner.open.push(work.shared_log());
        inner.met.nested += 1;
        inner.met.nested_twice += u64::from(depth == DEEPEST);
        Some(Errand::new(key, way, within, work, running))
    }

    /// What a call is told, now and then: of any attempt, so that it may differ from what the call sees.
    fn within(&self, chance: f64) -> Option<Attempt> {
        let mut inner = self.lock();
        if inner.attempts.is_empty() || self.manner.nests == 0.0 || !self.dice.chance(chance) {
            return None;
        }
        inner.met.told += 1;
        Some(inner.attempts[self.dice.below(inner.attempts.len())])
    }

    pub(crate) fn is_launched(&self, attempt: Attempt) {
        let attempts = &mut self.lock().attempts;
        attempts.push_back(attempt);
        if attempts.len() > 8 {
            attempts.pop_front();
        }
    }

    /// An attempt has no more use for this call: it is dropped, or waits for somebody else to poll it.
    pub(crate) fn leave(&self, errand: Inside<'w>) {
        if self.dice.chance(0.4) {
            errand.work.log().was_left = true;
            self.lock().left.push(errand);
        }
    }

    /// One of the calls that were left behind.
    pub(crate) fn take_left(&self) -> Option<Inside<'w>> {
        let mut inner = self.lock();
        if inner.left.is_empty() {
            return None;
        }
        let at = self.dice.below(inner.left.len());
        inner.met.moved += 1;
        Some(inner.left.swap_remove(at))
    }

    /// Sets what must run round the code that runs now, and says what did before.
    pub(crate) fn set_around(&self, around: Around) -> Around {
        std::mem::replace(&mut self.lock().around, around)
    }

    pub(crate) fn around(&self) -> Around {
        self.lock().around
    }

    /// Whether the library is wrong about what runs round the code that runs now.
    pub(crate) fn mistakes_around(&self) -> Option<String> {
        let (around, seen) = (self.around(), self.probe.looks());
        let wrong = !around.allows(seen.as_deref());
        wrong.then(|| format!("what runs round a call is {around:?}, and it sees {seen:?}"))
    }

    pub(crate) fn is_over(&self, over: Over<'w>) {
        let mut inner = self.lock();
        let log = over.work.shared_log();
        inner.open.retain(|open| !Arc::ptr_eq(open, &log));
        inner.met.broken_off += u64::from(!matches!(over.how, How::Ended(_)));
        inner.over.push(over);
    }

    /// The calls that are over and were not looked at yet.
    pub(crate) fn take_over(&self) -> Vec<Over<'w>> {
        std::mem::take(&mut self.lock().over)
    }

    /// Attempts in flight, and those that were launched, of the calls that are not over.
    pub(crate) fn count_open(&self) -> (u64, u64) {
        let inner = self.lock();
        let logs = inner.open.iter().map(|log| log.lock().unwrap_or_else(PoisonError::into_inner));
        logs.fold((0, 0), |(in_flight, launched), log| {
            (in_flight + u64::from(log.in_flight), launched + log.launched.len() as u64)
        })
    }

    pub(crate) fn met(&self) -> Met {
        self.lock().met
    }
}

/// What something panicked with.
pub(crate) type Payload = Box<dyn Any + Send>;
