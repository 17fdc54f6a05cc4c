//! Sleepers that never wake, wake too early, too often, somebody else, or after they were dropped.

use crate::assert_caught;
use recourse_core::{Sleeper, Timer};
use recourse_test::VirtualTime;
use recourse_test::invariants::sleeper_wakes_in_time;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, PartialEq)]
enum Flaw {
    None,
    /// It is over without a wait.
    AtOnce,
    Early,
    NeverWakes,
    WakesTwice,
    /// It keeps the waker of its first poll.
    WakesTheFirst,
    /// It wakes who had dropped it.
    WakesTheDead,
    /// A timer goes by its first setting.
    SetOnce,
    PanicsWhenPolled,
}

/// Virtual time, with a flaw.
#[derive(Clone)]
struct Bad {
    time: VirtualTime,
    flaw: Flaw,
}

impl Bad {
    fn sleeping(&self, duration: Duration) -> Sleeping {
        let early = if self.flaw == Flaw::Early { duration / 4 } else { duration };
        let below = Box::pin(self.time.wait(if self.flaw == Flaw::AtOnce { Duration::ZERO } else { early }));
        Sleeping { bad: self.clone(), below: Some(below), first: None }
    }
}

type Below = Pin<Box<recourse_test::Timer>>;

struct Sleeping {
    bad: Bad,
    below: Option<Below>,
    first: Option<Waker>,
}

impl Future for Sleeping {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        assert!(this.bad.flaw != Flaw::PanicsWhenPolled, "no runtime");
        let first = this.first.get_or_insert_with(|| cx.waker().clone());
        let Some(below) = &mut this.below else { return Poll::Pending };
        match this.bad.flaw {
            Flaw::NeverWakes => below.as_mut().poll(&mut Context::from_waker(Waker::noop())),
            Flaw::WakesTheFirst => below.as_mut().poll(&mut Context::from_waker(first)),
            Flaw::WakesTwice => {
                let twice = Waker::from(std::sync::Arc::new(Twice(cx.waker().clone())));
                below.as_mut().poll(&mut Context::from_waker(&twice))
            }
            _ => below.as_mut().poll(cx),
        }
    }
}

struct Twice(Waker);

impl std::task::Wake for Twice {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.wake_by_ref();
        self.0.wake_by_ref();
    }
}

impl Drop for Sleeping {
    fn drop(&mut self) {
        if self.bad.flaw == Flaw::WakesTheDead {
            std::mem::forget(self.below.take());
        }
    }
}

impl Timer for Sleeping {
    fn set(mut self: Pin<&mut Self>, duration: Duration, _: Option<Instant>) {
        if self.bad.flaw != Flaw::SetOnce {
            *self = self.bad.clone().sleeping(duration);
        }
    }
}

impl Sleeper for Bad {
    fn sleep<'s, 'f>(&'s self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(self.sleeping(duration))
    }
    fn timer<'s, 'f>(
        &'s self,
        duration: Duration,
        _: Option<Instant>,
    ) -> Option<Pin<Box<dyn Timer + Send + 'f>>>
    where
        's: 'f,
        Self: 'f,
    {
        Some(Box::pin(self.sleeping(duration)))
    }
}

fn check(flaw: Flaw) {
    let time = VirtualTime::new();
    sleeper_wakes_in_time(&Bad { time: time.clone(), flaw }, |step| time.advance(step));
    assert_eq!(time.pending_sleeps(), 0);
}

#[test]
fn good_ones_pass() {
    check(Flaw::None);
    let time = VirtualTime::new();
    sleeper_wakes_in_time(&time, |step| time.advance(step));
}

#[test]
fn bad_ones_are_caught() {
    for (flaw, says) in [
        (Flaw::AtOnce, "a sleep of 100ms was over at once"),
        (Flaw::Early, "a sleep of 100ms woke somebody after 50ms"),
        (
            Flaw::NeverWakes,
            "a sleep of 100ms never woke who polled it last; who polled it before was woken 0",
        ),
        (Flaw::WakesTheFirst, "never woke who polled it last; who polled it before was woken 1 time(s)"),
        (Flaw::WakesTwice, "a sleep of 100ms woke who polled it last 2 times"),
        (Flaw::WakesTheDead, "a sleep of 100ms that was dropped woke somebody all the same"),
        (Flaw::SetOnce, "a timer that had gone off and was set again, of 100ms was over at once"),
        (Flaw::PanicsWhenPolled, "it panicked in the poll of a sleep: no runtime"),
    ] {
        assert_caught(says, || check(flaw));
    }
}
