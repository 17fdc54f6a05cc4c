//! The operations: the same four for every contestant, none of which does any work.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What an operation returns.
pub type Answer = Result<u64, Failed>;

/// The operations' error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the operation failed")
    }
}

impl std::error::Error for Failed {}

/// An answer that the optimiser can't foresee. Only the flag is hidden from it: hiding a whole `Result` makes some
/// contestants' code a thousand instructions longer, which has nothing to do with what they do.
#[inline]
fn answer(succeeds: bool) -> Answer {
    if black_box(succeeds) { Ok(7) } else { Err(Failed) }
}

/// Something to call, as often as a contestant wants.
pub trait Operation: Copy + Send + Sync + 'static {
    /// One attempt.
    type Attempt: Future<Output = Answer> + Send + 'static;

    /// Starts an attempt.
    fn call(self) -> Self::Attempt;
}

/// Succeeds at its first poll.
#[derive(Clone, Copy, Debug)]
pub struct Ready;

/// Succeeds at its second poll, and wakes its task for it.
#[derive(Clone, Copy, Debug)]
pub struct PendingOnce;

/// Fails at its first poll, and is counted.
#[derive(Clone, Copy, Debug)]
pub struct Failing;

/// Fails at its second poll, wakes its task for it, and is counted.
#[derive(Clone, Copy, Debug)]
pub struct FailingLate;

/// As [`Ready`], with an attempt of a kilobyte: shows how often a call keeps its attempt.
#[derive(Clone, Copy, Debug)]
pub struct Wide;

impl Operation for Ready {
    type Attempt = ReadyAttempt;

    #[inline]
    fn call(self) -> ReadyAttempt {
        ReadyAttempt
    }
}

impl Operation for PendingOnce {
    type Attempt = PendingAttempt;

    #[inline]
    fn call(self) -> PendingAttempt {
        PendingAttempt { polled: false }
    }
}

impl Operation for Failing {
    type Attempt = FailingAttempt;

    #[inline]
    fn call(self) -> FailingAttempt {
        FailingAttempt
    }
}

impl Operation for FailingLate {
    type Attempt = FailingLateAttempt;

    #[inline]
    fn call(self) -> FailingLateAttempt {
        FailingLateAttempt { polled: false }
    }
}

impl Operation for Wide {
    type Attempt = WideAttempt;

    #[inline]
    fn call(self) -> WideAttempt {
        WideAttempt { state: [0; 1_024] }
    }
}

/// An attempt of [`Ready`].
#[derive(Debug)]
pub struct ReadyAttempt;

impl Future for ReadyAttempt {
    type Output = Answer;

    #[inline]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Answer> {
        Poll::Ready(answer(true))
    }
}

/// An attempt of [`PendingOnce`].
#[derive(Debug)]
pub struct PendingAttempt {
    polled: bool,
}

impl Future for PendingAttempt {
    type Output = Answer;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        if black_box(self.polled) {
            return Poll::Ready(answer(true));
        }
        self.polled = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// An attempt of [`Failing`].
#[derive(Debug)]
pub struct FailingAttempt;

impl Future for FailingAttempt {
    type Output = Answer;

    #[inline]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Answer> {
        FAILED.set(FAILED.get() + 1);
        Poll::Ready(answer(false))
    }
}

/// An attempt of [`FailingLate`].
#[derive(Debug)]
pub struct FailingLateAttempt {
    polled: bool,
}

impl Future for FailingLateAttempt {
    type Output = Answer;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        if black_box(self.polled) {
            FAILED.set(FAILED.get() + 1);
            return Poll::Ready(answer(false));
        }
        self.polled = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

thread_local! {
    static FAILED: Cell<u64> = const { Cell::new(0) };
}

/// How many attempts that fail this thread has run.
pub fn failed_attempts() -> u64 {
    FAILED.get()
}

/// An attempt of [`Wide`].
#[derive(Debug)]
pub struct WideAttempt {
    state: [u8; 1_024],
}

impl Future for WideAttempt {
    type Output = Answer;

    #[inline]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Answer> {
        black_box(&self.state);
        Poll::Ready(answer(true))
    }
}
