//! The shells of calls whose attempts borrow something mutably: one attempt at a time.

use crate::call::driver::{Driver, Report};
use crate::call::engine::Held;
use crate::call::hedger::NoHedges;
use crate::call::site::Site;
use crate::error::Error;
use recourse_core::{Attempt, Failure};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};

/// Attempt groups until the call is over; `$primary` makes a primary's future.
macro_rules! run_groups {
    ($site:ident, $attempt:ident => $primary:expr) => {{
        // A block of its own, whose values leave the future when it is over.
        let plan = async {
            match $site.plan_now() {
                Some(plan) => plan,
                None => $site.plan_later().await,
            }
        };
        let mut held = Held::new(&$site, plan.await, false);
        let mut last = None;
        held.engine().start(P::CAPTURE);
        loop {
            // Apart from the loop's head, whose values would stay in the future while it waits.
            let next = held.engine().next_primary();
            let Some($attempt) = next else { break };
            held.engine().enter(0);
            let mut primary = pin!(Some($primary));
            held.engine().leave();
            let won =
                poll_fn(|cx| Driver::over(&mut held, &mut last).poll(primary.as_mut(), &mut NoHedges, cx));
            if let Some(value) = won.await {
                return P::report(Ok(value), || held.engine().take_timeline());
            }
            let waits = held.engine().wait_comes();
            if waits {
                poll_fn(|cx| held.engine().poll_wait(cx)).await;
            }
        }
        Driver::over(&mut held, &mut last).finish::<P>()
    }};
}

/// Attempts that borrow their closure.
pub(crate) async fn drive_mut<P, T, E, M, F>(
    site: Site<'_>,
    mut operation: F,
) -> P::Output<Result<T, Error<E>>>
where
    P: Report,
    F: AsyncFnMut(Attempt) -> Result<T, E>,
    T: 'static,
    E: Failure<M>,
{
    run_groups!(site, attempt => operation(attempt))
}

/// Attempts that borrow a state, in a box that says whether it is `Send`.
pub(crate) async fn drive_with<P, T, E, M, S, F>(
    site: Site<'_>,
    state: &mut S,
    mut operation: F,
) -> P::Output<Result<T, Error<E>>>
where
    P: Report,
    S: ?Sized,
    F: for<'s> FnMut(&'s mut S, Attempt) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 's>>,
    T: 'static,
    E: Failure<M>,
{
    run_groups!(site, attempt => operation(state, attempt))
}
