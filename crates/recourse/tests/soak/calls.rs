//! The ways in which a call can be made.

use crate::dice::Dice;
use crate::failure::Broken;
use crate::work::Work;
use recourse::{Error, Executor, Handle, Timeline};
use std::future::Future;
use std::pin::Pin;

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
        Way::Run | Way::ByHandle => {
            let running = site.run(move |attempt| work.attempt(attempt));
            Box::pin(async move { Ended { result: running.await, timeline: None } })
        }
        Way::Captured => {
            let running = site.run_captured(move |attempt| work.attempt(attempt));
            Box::pin(captured(running))
        }
        Way::Mut => {
            let mut tries = 0;
            let running = site.run_mut(async move |attempt| {
                tries += 1;
                work.attempt(attempt).await
            });
            Box::pin(async move { Ended { result: running.await, timeline: None } })
        }
        Way::MutCaptured => {
            let mut tries = 0;
            let running = site.run_mut_captured(async move |attempt| {
                tries += 1;
                work.attempt(attempt).await
            });
            Box::pin(captured(running))
        }
        Way::With => Box::pin(async move {
            let mut tries = 0;
            let running = site.run_with(&mut tries, move |tries, attempt| {
                *tries += 1;
                Box::pin(work.attempt(attempt))
            });
            Ended { result: running.await, timeline: None }
        }),
        Way::WithCaptured => Box::pin(async move {
            let mut tries = 0;
            let running = site.run_with_captured(&mut tries, move |tries, attempt| {
                *tries += 1;
                let job = work.attempt(attempt);
                Box::pin(async move {
                    let result = job.await;
                    *tries += 1;
                    result
                })
            });
            captured(running).await
        }),
    }
}

async fn captured(running: impl Future<Output = (Result<u32, Error<Broken>>, Timeline)>) -> Ended {
    let (result, timeline) = running.await;
    Ended { result, timeline: Some(timeline) }
}
