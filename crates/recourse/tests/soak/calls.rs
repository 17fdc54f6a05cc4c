//! The ways in which a call can be made.

use crate::dice::Dice;
use crate::failure::Broken;
use crate::work::Work;
use recourse::{Error, Executor, Handle, Timeline};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// How a call ended that was not dropped.
pub(crate) struct Ended {
    pub(crate) result: Result<u32, Error<Broken>>,
    pub(crate) timeline: Option<Timeline>,
}

pub(crate) type Running<'w> = Pin<Box<dyn Future<Output = Ended> + 'w>>;

/// What was chosen for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Run,
    Captured,
    ByHandle,
    Mut,
    MutCaptured,
    With,
    WithCaptured,
}

impl Way {
    pub(crate) const ALL: [Way; 7] =
        [Way::Run, Way::Captured, Way::ByHandle, Way::Mut, Way::MutCaptured, Way::With, Way::WithCaptured];

    /// Several attempts may be in flight.
    pub(crate) fn may_hedge(self) -> bool {
        matches!(self, Way::Run | Way::Captured | Way::ByHandle)
    }
}

/// A call that was not polled yet. It borrows what it can.
pub(crate) fn call<'w>(
    executor: &'w Executor,
    handles: &'w [Handle],
    dice: &Dice,
    key: &'w str,
    way: Way,
    work: Work,
) -> Running<'w> {
    // Of no size, so nothing is leaked.
    let state: &'w mut () = Box::leak(Box::new(()));
    let site = match way {
        Way::ByHandle => handles[dice.below(handles.len())].call(),
        _ => executor.call(key),
    };
    let site = match dice.below(4) {
        0 => site.idempotent(false),
        1 => site.idempotent(true),
        _ => site,
    };
    match way {
        Way::Run | Way::ByHandle => plain(site.run(move |attempt| work.attempt(attempt))),
        Way::Captured => captured(site.run_captured(move |attempt| work.attempt(attempt))),
        Way::Mut => {
            let mut tries = 0;
            plain(site.run_mut(async move |attempt| {
                tries += 1;
                work.attempt(attempt).await
            }))
        }
        Way::MutCaptured => {
            let mut tries = 0;
            captured(site.run_mut_captured(async move |attempt| {
                tries += 1;
                work.attempt(attempt).await
            }))
        }
        Way::With => plain(site.run_with(state, move |(), attempt| Box::pin(work.attempt(attempt)))),
        Way::WithCaptured => captured(site.run_with_captured(state, move |state, attempt| {
            let job = work.attempt(attempt);
            Box::pin(async move {
                let result = job.await;
                *state = ();
                result
            })
        })),
    }
}

/// The future of a call, which stays until its owner drops it: so that what it still holds after its end can be seen.
struct Kept<F, R> {
    running: Pin<Box<F>>,
    read: fn(R) -> Ended,
}

impl<F: Future<Output = R>, R> Future for Kept<F, R> {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        let read = self.read;
        self.running.as_mut().poll(cx).map(read)
    }
}

type Returned = Result<u32, Error<Broken>>;

fn plain<'w>(running: impl Future<Output = Returned> + 'w) -> Running<'w> {
    Box::pin(Kept { running: Box::pin(running), read: |result| Ended { result, timeline: None } })
}

fn captured<'w>(running: impl Future<Output = (Returned, Timeline)> + 'w) -> Running<'w> {
    let read = |(result, timeline)| Ended { result, timeline: Some(timeline) };
    Box::pin(Kept { running: Box::pin(running), read })
}
