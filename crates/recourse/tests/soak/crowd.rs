//! [`Crowd`]: calls side by side, each polled when something has woken it, and dropped anywhere.

use crate::calls::{Ended, Running, Way, call};
use crate::mood::OnPurpose;
use crate::timing::Wait;
use crate::work::Work;
use crate::world::{KEYS, World};
use recourse::{Component, Executor, Handle};
use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// Longer than any call may wait.
const TOO_LONG: Duration = Duration::from_secs(24 * 3600);

pub(crate) struct Crowd<'w> {
    world: &'w mut World,
    executor: &'w Executor,
    handles: &'w [Handle],
    to_start: u64,
    at_once: usize,
    members: Vec<Member<'w>>,
    hub: Arc<Mutex<Option<Waker>>>,
    /// When it goes off, whatever is still there has hung.
    guard: Option<Wait>,
    /// Nobody calls for a while.
    lull: Option<Wait>,
}

/// A call that runs.
struct Member<'w> {
    key: &'static str,
    way: Way,
    work: Work,
    running: Running<'w>,
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
        let hub = Arc::default();
        let (members, guard, lull) = (Vec::new(), None, None);
        Crowd { world, executor, handles, to_start: calls, at_once, members, hub, guard, lull }
    }

    fn start_one(&mut self) {
        let dice = self.world.dice.clone();
        let (key, way) = (dice.pick(&KEYS), dice.pick(&Way::ALL));
        let bad_key = way != Way::ByHandle && dice.chance(0.01);
        let text = if bad_key { dice.pick(&["", " ", ".", "..."]) } else { key };
        let work = Work::new(&dice, &self.world.timing, self.world.manner);
        let making = || call(self.executor, self.handles, &dice, text, way, work.clone());
        self.to_start -= 1;
        let running = match catch_unwind(AssertUnwindSafe(making)) {
            Ok(running) => running,
            // A text that is no key has the provider asked at once.
            Err(panic) => return self.unwound(&*panic, panic.is::<OnPurpose>()),
        };
        let alarm = Arc::new(Alarm { rings: AtomicBool::new(true), hub: self.hub.clone() });
        self.members.push(Member { key: text, way, work, running, alarm });
        self.world.tally.calls += 1;
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
        let dropped_before = self.world.budgets.told_as_dropped();
        let polled = catch_unwind(AssertUnwindSafe(|| member.running.as_mut().poll(&mut cx)));
        match polled {
            Ok(Poll::Pending) => self.check_held(),
            Ok(Poll::Ready(ended)) => {
                let dropped = self.world.budgets.told_as_dropped() - dropped_before;
                // A plugin's panic ends a call and drops what is in flight.
                assert!(dropped == 0 || !self.world.mood.is_calm(), "told as dropped by a call that ended");
                self.ended(at, ended);
            }
            Err(panic) => {
                self.unwound(&*panic, panic.is::<OnPurpose>());
                let in_flight = self.members[at].work.log().in_flight;
                assert_eq!(in_flight, 0, "attempts in flight of a call that has unwound");
                drop_one(self.members.swap_remove(at), self.world);
            }
        }
    }

    /// Permits and admissions are held for attempts in flight and for nothing else: none during a backoff.
    fn check_held(&self) {
        let (mut in_flight, mut launched) = (0, 0);
        for member in &self.members {
            let log = member.work.log();
            in_flight += u64::from(log.in_flight);
            launched += log.launched.len() as u64;
        }
        self.world.check_held(in_flight);
        self.world.check_open(in_flight, launched);
    }

    fn ended(&mut self, at: usize, ended: Ended) {
        let Member { key, way, work, running, .. } = self.members.swap_remove(at);
        // Its future is still there: whatever raced has been dropped before.
        assert_eq!(work.log().in_flight, 0, "attempts in flight of a call that has ended");
        drop(running);
        self.world.check_end(key, way, &work, &ended);
        drop_quietly(move || drop(ended));
    }

    /// A call unwound: only for what panics on purpose.
    fn unwound(&mut self, panic: &(dyn Any + Send), on_purpose: bool) {
        assert!(on_purpose, "a call panicked by itself; the message stands above");
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
        drop_one(self.members.swap_remove(at), self.world);
        self.world.tally.dropped += 1;
    }

    /// A day has passed, so nothing will wake who is still here. Only what hangs on purpose may be.
    fn sweep(&mut self) {
        while let Some(member) = self.members.pop() {
            let log = member.work.log();
            assert!(log.hanging > 0, "nothing wakes a call of {} ({:?}): {log:?}", member.key, member.way);
            drop(log);
            drop_one(member, self.world);
            self.world.tally.hung += 1;
        }
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
            if crowd.members.is_empty() {
                crowd.guard = None;
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

/// Drops a call, and looks whether it left anything behind.
fn drop_one(member: Member<'_>, world: &mut World) {
    let Member { key, way, work, running, .. } = member;
    drop_quietly(move || drop(running));
    world.check_dropped(key, way, &work);
}

/// What is dropped may panic on purpose.
fn drop_quietly(dropping: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(dropping)) {
        if !OnPurpose::is(&*panic) {
            resume_unwind(panic);
        }
    }
}
