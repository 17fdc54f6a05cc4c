//! [`Runner`] and how one is made: `n` calls inside one [`block_on`].

use crate::case::Case;
use crate::operation::failed_attempts;
use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use tokio::runtime::{Builder, Runtime};

/// Makes so many calls, one after the other.
pub type Runner = Box<dyn FnMut(u64)>;

/// The runtime whose timer wheel is used. Nobody drives it: no timer of a bench is meant to fire.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread().enable_time().build().expect("a runtime needs no settings")
});

/// Polls the future until it is ready, inside a tokio runtime.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let _inside = RUNTIME.enter();
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// A runner of this call. It has made one call already, so that what is built late is built.
///
/// # Panics
///
/// The runner panics if its calls don't end as the case says.
pub fn repeat<T, E>(case: Case, mut call: impl AsyncFnMut() -> Result<T, E> + 'static) -> Runner {
    let mut run = move |calls: u64| {
        let before = failed_attempts();
        let succeeded = block_on(async {
            let mut succeeded = 0;
            for _ in 0..calls {
                succeeded += u64::from(black_box(call().await).is_ok());
            }
            succeeded
        });
        assert_eq!(succeeded, if case.succeeds() { calls } else { 0 }, "successes of {}", case.name());
        let attempts = failed_attempts() - before;
        assert_eq!(attempts, calls * case.failing_attempts(), "failed attempts of {}", case.name());
    };
    run(1);
    Box::new(run)
}

/// A sleep that is over. It has no size: a contestant that boxes its sleeps allocates nothing for this one.
#[derive(Clone, Copy, Debug)]
pub struct Slept;

impl Future for Slept {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }
}
