//! [`Crowd`]: calls side by side, each polled when something has woken it, and dropped anywhere.

use crate::calls::Way;
use crate::errand::drop_quietly;
use crate::mood::OnPurpose;
use crate::nest::{How, Nest, Outside, Over};
use crate::timing::Wait;
use crate::world::{KEYS, World};
use recourse::{Component, Executor, Handle};
use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Longer than any call may wait.
const TOO_LONG: Duration = Duration::from_secs(24 * 3600);

pub(crate) struct Crowd<'w> {
    world: &'w mut World,
    nest: Arc<Nest<'w>>,
    to_start: u64,
    at_once: usize,
    members: Vec<Member<'w>>,
    hub: Arc<Mutex<Option<Waker>>>,
    /// When it goes off, whatever is still there has hung.
    guard: Option<Wait>,
    /// Nobody calls for a while.
    lull: Option<Wait>,
}

/// A call that stands in no other.
struct Member<'w> {
    errand: Outside<'w>,
    alarm: Arc<Alarm>,
}

/// Wakes the crowd, which then knows whom to poll.
struct Alarm {
    rings: AtomicBool,
    hub: Arc<Mutex<Option<Waker>>>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rings.store(true, Ordering::Relaxed);
        let hub = self.hub.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(waker) = hub {
            waker.wake();
        }
    }
}

impl<'w> Crowd<'w> {
    pub(crate) fn new(
        world: &'w mut World,
        executor: &'w Executor,
        handles: &'w [Handle],
        calls: u64,
    ) -> Self {
        let at_once = if world.is_solo { 1 } else { world.dice.number(2, 6) as usize };
        let nest = Nest::new(world, executor, handles);
        let hub = Arc::default();
        let (members, guard, lull) = (Vec::new(), None, None);
        Crowd { world, nest, to_start: calls, at_once, members, hub, guard, lull }
    }

    fn start_one(&mut self) {
        let dice = &self.nest.dice;
        let (key, way) = (dice.pick(&KEYS), dice.pick(&Way::ALL));
        let bad_key = way != Way::ByHandle && dice.chance(0.01);
        let text = if bad_key { dice.pick(&["", " ", ".", "..."]) } else { key };
        let making = || self.nest.outside(text, way);
        self.to_start -= 1;
        match catch_unwind(AssertUnwindSafe(making)) {
            Ok(errand) => {
                self.world.tally.calls += 1;
                self.add(errand);
            }
            // A text that is no key has the provider asked at once.
            Err(panic) => self.unwound(&*panic),
        }
    }

    fn add(&mut self, errand: Outside<'w>) {
        let alarm = Arc::new(Alarm { rings: AtomicBool::new(true), hub: self.hub.clone() });
        self.members.push(Member { errand, alarm });
    }

    /// Goes on with a call that an attempt has left behind: it is in none from now on. Or drops it.
    fn adopt(&mut self) {
        let Some(errand) = self.nest.take_left() else { return };
        match self.nest.dice.chance(0.7) {
            true => self.add(errand.released()),
            false => drop(errand),
        }
        self.look();
    }

    /// Whom to poll: somebody who was woken, or now and then anybody.
    fn next(&mut self, may_pry: &mut bool) -> Option<usize> {
        let dice = &self.world.dice;
        let rings = |member: &Member<'_>| member.alarm.rings.load(Ordering::Relaxed);
        let woken: Vec<_> = (0..self.members.len()).filter(|&at| rings(&self.members[at])).collect();
        if !woken.is_empty() {
            return Some(woken[dice.below(woken.len())]);
        }
        let pries = self.world.is_nosy && !self.members.is_empty() && *may_pry;
        *may_pry = false;
        (pries && dice.chance(0.1)).then(|| dice.below(self.members.len()))
    }

    fn poll_one(&mut self, at: usize) {
        let member = &mut self.members[at];
        member.alarm.rings.store(false, Ordering::Relaxed);
        let waker = Waker::from(member.alarm.clone());
        let mut cx = Context::from_waker(&waker);
        let dropped_before = (self.nest.budgets.told_as_dropped(), self.nest.met().broken_off);
        let polled = member.errand.poll(&mut cx);
        if polled.is_ready() {
            drop(self.members.swap_remove(at));
        }
        if let Poll::Ready(Ok(())) = polled {
            let dropped = self.nest.budgets.told_as_dropped() - dropped_before.0;
            // A plugin's panic ends a call and drops what is in flight, and so does the end of a call inside of another.
            let may_drop = !self.world.mood.is_calm() || self.nest.met().broken_off > dropped_before.1;
            assert!(dropped == 0 || may_drop, "told as dropped by a call that ended");
        }
        if let Poll::Ready(Err(panic)) = polled {
            self.unwound(&*panic);
        }
        self.look();
    }

    /// Something has happened: looks at the calls that are over, and at what the others hold.
    fn look(&mut self) {
        for Over { key, way, work, how } in self.nest.take_over() {
            match how {
                How::Ended(ended) => {
                    self.world.check_end(key, way, &work, &ended);
                    drop_quietly(&work, move || drop(ended));
                }
                How::Unwound | How::Dropped => self.world.check_dropped(key, way, &work),
            }
        }
        assert_eq!(self.nest.mistakes_around(), None, "outside of every call");
        // Permits and admissions are held for attempts in flight and for nothing else: none during a backoff.
        let (in_flight, launched) = self.nest.count_open();
        self.world.check_held(in_flight);
        self.world.check_open(in_flight, launched);
    }

    /// A call unwound: only for what panics on purpose.
    fn unwound(&mut self, panic: &(dyn Any + Send)) {
        assert!(OnPurpose::is(panic), "a call panicked by itself; the message stands above");
        let tally = &mut self.world.tally;
        match panic.downcast_ref::<OnPurpose>() {
            Some(OnPurpose::Plugin(Component::Operation) | OnPurpose::Operation) => {
                tally.unwound_by_operations += 1;
            }
            _ => {
                tally.unwound_by_plugins += 1;
                let unrecovered = !self.world.recovers();
                assert!(
                    unrecovered,
                    "a plugin's panic unwound with recovery on: {:?}",
                    panic.downcast_ref::<OnPurpose>()
                );
            }
        }
    }

    fn drop_at(&mut self, at: usize) {
        drop(self.members.swap_remove(at));
        self.world.tally.dropped += 1;
        self.look();
    }

    /// A day has passed, so nothing will wake who is still here. Only what hangs on purpose may be.
    fn sweep(&mut self) {
        while let Some(Member { errand, .. }) = self.members.pop() {
            let log = errand.work.log();
            assert!(log.hanging > 0, "nothing wakes a call of {} ({:?}): {log:?}", errand.key, errand.way);
            drop(log);
            drop(errand);
            self.world.tally.hung += 1;
            self.look();
        }
    }

    /// Nobody is left: neither are those that nobody polls.
    fn end(&mut self) {
        while let Some(errand) = self.nest.take_left() {
            drop(errand);
            self.look();
        }
        self.world.count_nested(self.nest.met());
    }
}

impl Future for Crowd<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let crowd = self.get_mut();
        *crowd.hub.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        let mut may_pry = true;
        if crowd.guard.as_mut().is_some_and(|guard| guard.as_mut().poll(cx).is_ready()) {
            crowd.guard = None;
            crowd.sweep();
        }
        loop {
            let dice = crowd.world.dice.clone();
            if let Some(lull) = &mut crowd.lull {
                if lull.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                crowd.lull = None;
            } else if crowd.to_start > 0 && crowd.members.is_empty() && dice.chance(0.3) {
                crowd.lull = Some(crowd.world.timing.wait(dice.ms(0, 1_000)));
                continue;
            }
            if crowd.to_start > 0
                && (crowd.members.is_empty() || crowd.members.len() < crowd.at_once && dice.chance(0.5))
            {
                crowd.start_one();
            }
            if dice.chance(0.1) {
                crowd.adopt();
            }
            if crowd.members.is_empty() {
                crowd.guard = None;
                crowd.end();
                return Poll::Ready(());
            }
            if let Some(at) = crowd.next(&mut may_pry) {
                crowd.poll_one(at);
                if dice.chance(crowd.world.unrest) {
                    crowd.world.disturb();
                }
                if !crowd.members.is_empty() && dice.chance(0.03) {
                    crowd.drop_at(dice.below(crowd.members.len()));
                }
                continue;
            }
            let timing = &crowd.world.timing;
            // Counted from the last time that there was something to do.
            let guard = crowd.guard.insert(timing.wait(TOO_LONG));
            assert!(guard.as_mut().poll(cx).is_pending(), "a day is over at once");
            return Poll::Pending;
        }
    }
}
