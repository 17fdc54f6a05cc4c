//! The ways in which a call can be made.

use crate::failure::Broken;
use crate::nest::Nest;
use crate::work::Work;
use recourse::{Attempt, Call, Error, Timeline};
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

/// How a call ended that was not dropped.
pub(crate) struct Ended {
    pub(crate) result: Result<u32, Error<Broken>>,
    pub(crate) timeline: Option<Timeline>,
}

/// A call on the way.
pub(crate) type Running<'w> = Pin<Box<dyn Future<Output = Ended> + 'w>>;

/// The same, of a way that is `Send`: what stands in an attempt has to be, because some operations do.
pub(crate) type SendRunning<'w> = Pin<Box<dyn Future<Output = Ended> + Send + 'w>>;

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

    /// Those that stable Rust can prove to be `Send`.
    pub(crate) const SEND: [Way; 5] = [Way::Run, Way::Captured, Way::ByHandle, Way::With, Way::WithCaptured];

    /// Several attempts may be in flight.
    pub(crate) fn may_hedge(self) -> bool {
        matches!(self, Way::Run | Way::Captured | Way::ByHandle)
    }
}

/// A call that was not polled yet. It borrows what it can.
pub(crate) fn call<'w>(
    nest: &Nest<'w>,
    key: &'w str,
    way: Way,
    within: Option<Attempt>,
    work: Work<'w>,
) -> Running<'w> {
    if !matches!(way, Way::Mut | Way::MutCaptured) {
        return send_call(nest, key, way, within, work);
    }
    let (site, mut tries) = (site(nest, key, way, within), 0);
    let operation = async move |attempt| {
        tries += 1;
        work.attempt(attempt).await
    };
    match way {
        Way::Mut => Box::pin(kept(site.run_mut(operation), plain)),
        _ => Box::pin(kept(site.run_mut_captured(operation), captured)),
    }
}

/// The same, to stand in an attempt.
pub(crate) fn send_call<'w>(
    nest: &Nest<'w>,
    key: &'w str,
    way: Way,
    within: Option<Attempt>,
    work: Work<'w>,
) -> SendRunning<'w> {
    // Of no size, so nothing is leaked. It says that what is inside lives long enough.
    let state: &'w mut PhantomData<&'w ()> = Box::leak(Box::new(PhantomData));
    let site = site(nest, key, way, within);
    match way {
        Way::Run | Way::ByHandle => Box::pin(kept(site.run(move |attempt| work.attempt(attempt)), plain)),
        Way::Captured => Box::pin(kept(site.run_captured(move |attempt| work.attempt(attempt)), captured)),
        Way::With => {
            let running = site.run_with(state, move |_, attempt| Box::pin(work.attempt(attempt)));
            Box::pin(kept(running, plain))
        }
        Way::WithCaptured => {
            let running = site.run_with_captured(state, move |state, attempt| {
                let job = work.attempt(attempt);
                Box::pin(async move {
                    let result = job.await;
                    *state = PhantomData;
                    result
                })
            });
            Box::pin(kept(running, captured))
        }
        Way::Mut | Way::MutCaptured => unreachable!("{way:?} can't be proved to be Send"),
    }
}

fn site<'w>(nest: &Nest<'w>, key: &'w str, way: Way, within: Option<Attempt>) -> Call<'w> {
    let (handles, dice) = (nest.handles, &nest.dice);
    let site = match way {
        Way::ByHandle => handles[dice.below(handles.len())].call(),
        _ => nest.executor.call(key),
    };
    let site = match dice.below(4) {
        0 => site.idempotent(false),
        1 => site.idempotent(true),
        _ => site,
    };
    match within {
        Some(attempt) => site.within(attempt),
        None => site,
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

fn kept<F: Future<Output = R>, R>(running: F, read: fn(R) -> Ended) -> Kept<F, R> {
    Kept { running: Box::pin(running), read }
}

type Returned = Result<u32, Error<Broken>>;

fn plain(result: Returned) -> Ended {
    Ended { result, timeline: None }
}

fn captured((result, timeline): (Returned, Timeline)) -> Ended {
    Ended { result, timeline: Some(timeline) }
}
