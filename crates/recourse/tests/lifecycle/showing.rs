//! [`Showing`]: a breaker that shows what the test has it show, and writes down what it is asked and told.

use crate::scene::KEY;
use recourse::{
    Admission, AdmissionRequest, Attempt, BreakerFactory, BreakerSettings, CircuitBreaker, CircuitState,
    Executor, Glance, Health, Key, Now, Rejection, Ticket, Transition,
};
use recourse_test::VirtualTime;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

/// What a breaker has heard. A ticket is a normal one, of this generation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Told {
    Asked,
    Reported(u64, Health),
    Abandoned(u64),
}

/// A breaker and its factory. Asked, it admits with generation 99, until it has heard of so many failures.
#[derive(Clone)]
pub(crate) struct Showing {
    pub(crate) glance: Arc<Glance>,
    gives: Gives,
    told: Arc<Mutex<Vec<Told>>>,
    left: Arc<AtomicI32>,
}

#[derive(Clone, Copy, PartialEq)]
enum Gives {
    Glance,
    /// And panics when it is told of an end.
    GlanceAlone,
    Nothing,
    Panics,
}

impl Default for Showing {
    fn default() -> Self {
        let left = Arc::new(AtomicI32::new(i32::MAX));
        Showing { glance: Arc::default(), gives: Gives::Glance, told: Arc::default(), left }
    }
}

impl Showing {
    pub(crate) fn without_a_glance() -> Self {
        Showing { gives: Gives::Nothing, ..Showing::default() }
    }

    pub(crate) fn that_panics_when_asked_for_it() -> Self {
        Showing { gives: Gives::Panics, ..Showing::default() }
    }

    pub(crate) fn that_panics_when_told() -> Self {
        Showing { gives: Gives::GlanceAlone, ..Showing::default() }
    }

    /// What it has heard since it was asked last.
    pub(crate) fn told(&self) -> Vec<Told> {
        mem::take(&mut *self.told.lock().expect("no panic"))
    }

    /// From this failure on it is open, and shows nothing.
    pub(crate) fn opens_after(&self, failures: i32) {
        self.left.store(failures, Ordering::Relaxed);
    }

    fn tell(&self, told: Told) {
        self.told.lock().expect("no panic").push(told);
    }
}

impl CircuitBreaker for Showing {
    fn admit(&self, _: &AdmissionRequest<'_>) -> Admission {
        self.tell(Told::Asked);
        match self.state() {
            CircuitState::Closed => Admission::Admitted(Ticket::normal(99), None),
            state => Admission::Rejected(Rejection::new(state, "")),
        }
    }
    fn report(&self, ticket: Ticket, health: Health, _: &Now<'_>) -> Option<Transition> {
        assert_eq!(ticket, Ticket::normal(ticket.generation));
        self.tell(Told::Reported(ticket.generation, health));
        assert!(self.gives != Gives::GlanceAlone, "told of an end");
        if health == Health::Down && self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.glance.show_nothing();
        }
        None
    }
    fn abandon(&self, ticket: Ticket, _: &Now<'_>) -> Option<Transition> {
        assert_eq!(ticket, Ticket::normal(ticket.generation));
        self.tell(Told::Abandoned(ticket.generation));
        None
    }
    fn glance(&self) -> Option<Arc<Glance>> {
        match self.gives {
            Gives::Glance | Gives::GlanceAlone => Some(self.glance.clone()),
            Gives::Nothing => None,
            Gives::Panics => panic!("asked for a glance"),
        }
    }
    fn state(&self) -> CircuitState {
        if self.left.load(Ordering::Relaxed) > 0 { CircuitState::Closed } else { CircuitState::Open }
    }
}

impl BreakerFactory for Showing {
    fn breaker(&self, _: &Key, _: &BreakerSettings) -> Arc<dyn CircuitBreaker> {
        Arc::new(self.clone())
    }
}

/// A success that is pending so often before.
pub(crate) async fn later(pending: usize) -> io::Result<u32> {
    let mut left = pending;
    poll_fn(|cx| match left {
        0 => Poll::Ready(Ok(7)),
        _ => {
            left -= 1;
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

async fn attempted(pending: usize, inside: &(dyn Fn() + Sync)) -> io::Result<u32> {
    let result = later(pending).await;
    inside();
    result
}

/// The ways to make a call, each at once and pending.
const SHAPES: usize = 8;

/// A successful call of this shape; `inside` happens while its attempt is in flight.
pub(crate) fn one_shape(shape: usize, time: &VirtualTime, executor: &Executor, inside: &(dyn Fn() + Sync)) {
    let (call, pending, mut state) = (executor.call(KEY), shape % 2, inside);
    let operation = |_: Attempt| attempted(pending, inside);
    let result = match shape / 2 {
        0 => time.run(call.run(operation)),
        1 => time.run(call.run_captured(operation)).0,
        2 => time.run(call.run_mut(async |attempt: Attempt| operation(attempt).await)),
        _ => time.run(call.run_with(&mut state, |inside, _| Box::pin(attempted(pending, *inside)))),
    };
    assert_eq!(result.ok(), Some(7));
}

/// One of each; how many there were.
pub(crate) fn each_shape(time: &VirtualTime, executor: &Executor, inside: &(dyn Fn() + Sync)) -> usize {
    (0..SHAPES).for_each(|shape| one_shape(shape, time, executor, inside));
    SHAPES
}
