//! [`Errand`]: a call that runs, in the crowd or inside an attempt of another call.

use crate::around::Around;
use crate::calls::{Ended, Running, SendRunning, Way};
use crate::mood::OnPurpose;
use crate::nest::{How, Over, Payload};
use crate::work::Work;
use recourse::Attempt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A call that runs. Whoever has it polls it; however it ends, its nest is told.
pub(crate) struct Errand<'w, R: Future<Output = Ended> + Unpin> {
    pub(crate) key: &'w str,
    pub(crate) way: Way,
    pub(crate) work: Work<'w>,
    within: Option<Attempt>,
    running: Option<R>,
}

impl<'w> Errand<'w, SendRunning<'w>> {
    /// The same call outside of every attempt.
    pub(crate) fn released(mut self) -> Errand<'w, Running<'w>> {
        let running = self.running.take().map(|running| running as Running<'w>);
        Errand { key: self.key, way: self.way, work: self.work.clone(), within: self.within, running }
    }
}

impl<'w, R: Future<Output = Ended> + Unpin> Errand<'w, R> {
    pub(crate) fn new(key: &'w str, way: Way, within: Option<Attempt>, work: Work<'w>, running: R) -> Self {
        Errand { key, way, work, within, running: Some(running) }
    }

    /// Ready when the call is over, or has unwound.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Payload>> {
        let Some(running) = &mut self.running else {
            self.work.fault("polled after its end".to_owned());
            return Poll::Ready(Ok(()));
        };
        self.work.is_polled(Around::within(self.within));
        match catch_unwind(AssertUnwindSafe(|| Pin::new(running).poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(ended)) => {
                self.over(How::Ended(Box::new(ended)));
                Poll::Ready(Ok(()))
            }
            Err(panic) => {
                self.over(How::Unwound);
                Poll::Ready(Err(panic))
            }
        }
    }

    fn over(&mut self, how: How) {
        let Some(running) = self.running.take() else { return };
        let in_flight = self.work.log().in_flight;
        if !matches!(how, How::Dropped) && in_flight > 0 {
            // Its future is still there: whatever raced has been dropped before.
            self.work.fault(format!("{in_flight} attempts in flight of a call that has ended"));
        }
        drop_quietly(&self.work, move || drop(running));
        let Errand { key, way, work, .. } = self;
        work.nest.is_over(Over { key, way: *way, work: work.clone(), how });
    }
}

impl<R: Future<Output = Ended> + Unpin> Drop for Errand<'_, R> {
    fn drop(&mut self) {
        self.over(How::Dropped);
    }
}

/// What is dropped may panic on purpose.
pub(crate) fn drop_quietly(work: &Work<'_>, dropping: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(dropping)) {
        if !OnPurpose::is(&*panic) {
            work.fault("a drop panicked by itself; the message stands above".to_owned());
        }
    }
}
