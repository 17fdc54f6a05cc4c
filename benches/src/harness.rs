//! [`Runner`] and how one is made: `n` calls inside one [`block_on`].

use crate::case::Case;
use crate::operation::failed_attempts;
use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};
use std::thread;
use tokio::runtime::{Builder, Runtime};

/// Makes calls, one after the other.
pub struct Runner {
    calls: Box<dyn FnMut(u64) + Send>,
    future_size: Option<usize>,
}

impl Runner {
    /// A runner of something that is no call.
    pub fn of(mut steps: impl FnMut(u64) + Send + 'static) -> Runner {
        steps(1);
        Runner { calls: Box::new(steps), future_size: None }
    }

    /// Makes so many calls.
    ///
    /// # Panics
    ///
    /// If they don't end as the case says.
    pub fn run(&mut self, calls: u64) {
        (self.calls)(calls);
    }

    /// The size of a call's future, in bytes, the operation's included; `None` where there is no future.
    pub fn future_size(&self) -> Option<usize> {
        self.future_size
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("future_size", &self.future_size).finish_non_exhaustive()
    }
}

/// Makes runners that share a policy, one for each thread.
pub type Shared = Box<dyn FnMut() -> Runner>;

/// The runtime whose timer wheel is used. Nobody drives it: no timer of a bench is meant to fire.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_current_thread().enable_time().build().expect("a runtime needs no settings")
});

thread_local! {
    static HAS_COMPANY: Cell<bool> = const { Cell::new(false) };
}

/// Says that other threads make calls too: from now on a call of this thread that is pending lets them go on.
pub fn have_company() {
    HAS_COMPANY.set(true);
}

/// Polls the future until it is ready, inside a tokio runtime.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let _inside = RUNTIME.enter();
    let has_company = HAS_COMPANY.get();
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        // It may wait for a lock that another thread holds.
        if has_company {
            thread::yield_now();
        }
    }
}

/// A runner of this call. It has made one call already, so that what is built late is built.
///
/// # Panics
///
/// The runner panics if its calls don't end as the case says.
pub fn repeat<T, E>(case: Case, mut call: impl AsyncFnMut() -> Result<T, E> + Send + 'static) -> Runner {
    let future_size = size_of_val(&call());
    let mut run = move |calls: u64| {
        let before = failed_attempts();
        let succeeded = block_on(async {
            let mut succeeded = 0;
            for _ in 0..calls {
                succeeded += u64::from(black_box(call().await).is_ok());
            }
            succeeded
        });
        assert_eq!(succeeded, if case.succeeds() { calls } else { 0 }, "successes of {}", case.name);
        let attempts = failed_attempts() - before;
        assert_eq!(attempts, calls * case.failing_attempts(), "failed attempts of {}", case.name);
    };
    run(1);
    Runner { calls: Box::new(run), future_size: Some(future_size) }
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
