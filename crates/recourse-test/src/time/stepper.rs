//! [`Stepper`] and [`VirtualTime::run`]: polling a future on this thread, in virtual time.

use super::virtual_time::VirtualTime;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// So many polls in a row at one moment are taken for a future that wakes itself for ever.
const MOST_POLLS_AT_ONE_MOMENT: usize = 1_000_000;

impl VirtualTime {
    /// Runs a future to its end on this thread. Whenever it is pending and nothing has woken it, the clock moves to
    /// the earliest live timer.
    ///
    /// The future may borrow and need not be `Send`. Join several to run them side by side. All that wakes it must
    /// happen on this thread: a future that waits for another thread is a deadlock here.
    ///
    /// # Panics
    ///
    /// With `deadlock` where the future is pending, nothing has woken it and no timer is live; with `livelock` where
    /// it wakes itself for ever without time passing. A panic of the future goes on to the caller.
    ///
    /// ```
    /// use recourse_test::VirtualTime;
    /// use std::time::Duration;
    ///
    /// let time = VirtualTime::new();
    /// let slow = time.wait(Duration::from_secs(2));
    /// let quick = time.wait(Duration::from_secs(1));
    /// time.run(async {
    ///     quick.await;
    ///     slow.await; // it counts from `wait`, so one more second is left
    /// });
    /// assert_eq!(time.elapsed(), Duration::from_secs(2));
    /// ```
    #[track_caller]
    pub fn run<F: Future>(&self, future: F) -> F::Output {
        self.step(future).run()
    }

    /// The same as [`run`](Self::run).
    ///
    /// # Panics
    ///
    /// As [`run`](Self::run).
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.run(future)
    }

    /// Takes a future in hand, to be polled step by step; see [`Stepper`].
    pub fn step<F: Future>(&self, future: F) -> Stepper<F> {
        Stepper {
            time: self.clone(),
            future: Some(Box::pin(future)),
            woken: Arc::new(Woken(AtomicBool::new(true))),
            polls: 0,
        }
    }
}

/// A future that a test polls step by step, to drop it wherever it likes.
///
/// Each [`poll`](Self::poll) first lets time pass up to the earliest live timer, if nothing has woken the future since
/// the poll before. Dropping the stepper drops the future.
///
/// ```
/// use recourse_test::VirtualTime;
/// use std::time::Duration;
///
/// let time = VirtualTime::new();
/// for polls in 1..=3 {
///     let mut call = time.step(async {
///         time.wait(Duration::from_millis(1)).await;
///         time.wait(Duration::from_millis(1)).await;
///     });
///     assert_eq!(call.poll_times(polls).is_ready(), polls == 3);
///     drop(call);
///     assert_eq!(time.pending_sleeps(), 0, "dropped after {polls} polls");
/// }
/// ```
#[must_use = "a stepper does nothing unless it is polled"]
pub struct Stepper<F> {
    time: VirtualTime,
    future: Option<Pin<Box<F>>>,
    woken: Arc<Woken>,
    polls: usize,
}

impl<F: Future> Stepper<F> {
    /// Polls the future once. Where nothing has woken it and no timer is live it is polled all the same.
    ///
    /// # Panics
    ///
    /// If the future has already ended. A panic of the future goes on to the caller.
    #[track_caller]
    pub fn poll(&mut self) -> Poll<F::Output> {
        if !self.woken.is_set() {
            self.time.advance_to_next();
        }
        let Some(future) = &mut self.future else {
            panic!(
                "the future ended in poll {}: there is nothing left to poll",
                self.polls
            );
        };
        self.woken.0.store(false, Ordering::SeqCst);
        self.polls += 1;
        let waker = Waker::from(Arc::clone(&self.woken));
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        if polled.is_ready() {
            self.future = None;
        }
        polled
    }

    /// Polls at most `times` times, and no further than the end.
    ///
    /// # Panics
    ///
    /// As [`poll`](Self::poll).
    #[track_caller]
    pub fn poll_times(&mut self, times: usize) -> Poll<F::Output> {
        for _ in 0..times {
            if let Poll::Ready(output) = self.poll() {
                return Poll::Ready(output);
            }
        }
        Poll::Pending
    }

    /// Polls the future to its end.
    ///
    /// # Panics
    ///
    /// As [`VirtualTime::run`] and [`poll`](Self::poll).
    #[track_caller]
    pub fn run(mut self) -> F::Output {
        let mut at_one_moment = 0;
        loop {
            let before = self.time.elapsed();
            if let Poll::Ready(output) = self.poll() {
                return output;
            }
            // A timer that nobody polls wakes nobody: time passes on to the next one.
            while !self.woken.is_set() {
                if !self.time.advance_to_next() {
                    panic!(
                        "deadlock: {}",
                        self.stuck_because("nothing has woken it and no timer is live")
                    );
                }
            }
            at_one_moment = if self.time.elapsed() == before {
                at_one_moment + 1
            } else {
                0
            };
            if at_one_moment == MOST_POLLS_AT_ONE_MOMENT {
                panic!(
                    "livelock: {}",
                    self.stuck_because("it wakes itself and no time passes")
                );
            }
        }
    }

    /// How often the future was polled.
    #[must_use]
    pub fn polls(&self) -> usize {
        self.polls
    }

    /// Whether the future has ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.future.is_none()
    }

    /// Whether only the test can bring the future on: it has not ended, nothing has woken it and no timer is live.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        !self.is_done() && !self.woken.is_set() && self.time.pending_sleeps() == 0
    }

    fn stuck_because(&self, why: &str) -> String {
        format!(
            "the future is pending after {} polls, {:?} into virtual time, {why}; sleeps asked for so far: {:?}",
            self.polls,
            self.time.elapsed(),
            self.time.sleeps(),
        )
    }
}

impl<F> fmt::Debug for Stepper<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stepper")
            .field("polls", &self.polls)
            .field("done", &self.future.is_none())
            .finish_non_exhaustive()
    }
}

/// Whether somebody has woken the future since its last poll.
struct Woken(AtomicBool);

impl Woken {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}
