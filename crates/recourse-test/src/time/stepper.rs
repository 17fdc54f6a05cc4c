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
            panic!("the future ended in poll {}: there is nothing left to poll", self.polls);
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
                    panic!("deadlock: {}", self.stuck_because("nothing has woken it and no timer is live"));
                }
            }
            at_one_moment = if self.time.elapsed() == before { at_one_moment + 1 } else { 0 };
            if at_one_moment == MOST_POLLS_AT_ONE_MOMENT {
                panic!("livelock: {}", self.stuck_because("it wakes itself and no time passes"));
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

#[cfg(test)]
mod tests {
    use super::*;
    use futures::channel::oneshot;
    use futures::future::{join, join_all, pending, poll_fn};
    use recourse_core::Sleeper;
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::Duration;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn joined_futures_go_on_in_the_order_of_their_sleeps() {
        let time = VirtualTime::new();
        let order = RefCell::new(Vec::new());
        let worker = |name: &'static str, pause: u64| {
            let (time, order) = (&time, &order);
            async move {
                for _ in 0..2 {
                    time.sleep(ms(pause)).await;
                    order.borrow_mut().push((name, time.elapsed()));
                }
            }
        };
        time.run(join_all([worker("slow", 30), worker("quick", 20)]));
        assert_eq!(
            order.into_inner(),
            [("quick", ms(20)), ("slow", ms(30)), ("quick", ms(40)), ("slow", ms(60))]
        );
    }

    #[test]
    fn a_future_may_borrow_and_need_not_be_send() {
        let time = VirtualTime::new();
        let text = Rc::new(String::from("here"));
        let length = time.block_on(async {
            time.sleep(ms(1)).await;
            text.len()
        });
        assert_eq!(length, 4);
    }

    #[test]
    fn one_future_wakes_another_without_time_passing() {
        let time = VirtualTime::new();
        let (send, receive) = oneshot::channel();
        let (answer, sent) = time.run(join(receive, async { send.send(7) }));
        assert_eq!((answer, sent), (Ok(7), Ok(())));
        assert_eq!(time.elapsed(), Duration::ZERO);
    }

    #[test]
    fn time_passes_over_a_timer_that_nobody_polls() {
        let time = VirtualTime::new();
        let _armed = time.wait(ms(1));
        time.run(time.wait(ms(5)));
        assert_eq!(time.elapsed(), ms(5));
    }

    #[test]
    #[should_panic(
        expected = "deadlock: the future is pending after 2 polls, 3ms into virtual time, nothing has woken it and no \
                    timer is live; sleeps asked for so far: [3ms]"
    )]
    fn a_future_that_nothing_can_wake_is_a_deadlock() {
        let time = VirtualTime::new();
        time.run(async {
            time.sleep(ms(3)).await;
            pending::<()>().await;
        });
    }

    #[test]
    #[should_panic(expected = "livelock: the future is pending after 1000000 polls")]
    fn a_future_that_wakes_itself_for_ever_is_a_livelock() {
        VirtualTime::new().run(poll_fn(|context| {
            context.waker().wake_by_ref();
            Poll::<()>::Pending
        }));
    }

    #[test]
    fn a_stepper_counts_its_polls_and_lets_time_pass_between_them() {
        let time = VirtualTime::new();
        let mut call = time.step(async {
            time.sleep(ms(1)).await;
            time.sleep(ms(2)).await;
            "done"
        });
        assert_eq!((call.poll(), time.elapsed()), (Poll::Pending, ms(0)));
        assert_eq!((call.poll(), time.elapsed()), (Poll::Pending, ms(1)));
        assert_eq!((call.poll_times(9), time.elapsed()), (Poll::Ready("done"), ms(3)));
        assert_eq!((call.polls(), call.is_done()), (3, true));
    }

    #[test]
    fn no_time_passes_before_a_poll_of_a_future_that_was_woken() {
        let time = VirtualTime::new();
        let _armed = time.wait(ms(1));
        let mut yielded = false;
        let mut call = time.step(poll_fn(move |context| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        }));
        assert!(call.poll_times(2).is_ready());
        assert_eq!(time.elapsed(), Duration::ZERO);
    }

    #[test]
    fn dropping_a_stepper_drops_its_future() {
        let time = VirtualTime::new();
        let held = Rc::new(());
        let inside = Rc::clone(&held);
        let mut call = time.step(async move {
            pending::<()>().await;
            drop(inside);
        });
        assert!(call.poll_times(3).is_pending());
        assert!(call.is_stuck());
        drop(call);
        assert_eq!(Rc::strong_count(&held), 1);
    }

    #[test]
    fn a_stepper_can_be_run_to_its_end() {
        let time = VirtualTime::new();
        let mut call = time.step(time.sleep(ms(4)));
        assert!(call.poll().is_pending());
        call.run();
        assert_eq!(time.elapsed(), ms(4));
    }

    #[test]
    #[should_panic(expected = "the future ended in poll 1: there is nothing left to poll")]
    fn a_future_that_has_ended_is_not_polled_again() {
        let mut call = VirtualTime::new().step(async {});
        assert!(call.poll().is_ready());
        let _ = call.poll();
    }
}
