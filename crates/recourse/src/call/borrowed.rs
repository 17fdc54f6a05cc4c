//! The shells of calls whose attempts borrow something mutably: one attempt at a time.

use crate::call::driver::{Driver, Report};
use crate::call::hedger::NoHedges;
use crate::call::held::Held;
use crate::call::site::{LaterPlan, Site};
use crate::error::Error;
use crate::plan::Unkept;
use recourse_core::{Attempt, Failure};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

/// Ready when the call's plan is there, and then holds it.
fn poll_held<'a>(
    site: &mut Site<'a>,
    unkept: Option<&Unkept>,
    later: &mut Option<LaterPlan<'a>>,
    held: &mut Option<Held<'a>>,
    cx: &mut Context<'_>,
) -> Poll<()> {
    let plan = match later {
        Some(later) => ready!(later.as_mut().poll(cx)),
        None => {
            // What runs round the call is what ran round its first poll.
            site.within = site.around();
            match site.plan_now(unkept) {
                Some(plan) => plan,
                None => ready!(later.insert(site.plan_later(unkept)).as_mut().poll(cx)),
            }
        }
    };
    *held = Some(Held::new(site, plan, false, site.within));
    Poll::Ready(())
}

/// What the call holds, once it was waited for. A reference kept instead would be one more word in the future.
fn of<'h, 'a>(held: &'h mut Option<Held<'a>>) -> &'h mut Held<'a> {
    held.as_mut().unwrap_or_else(|| unreachable!("it was waited for"))
}

/// Attempt groups until the call is over; `$primary` makes a primary's future.
macro_rules! run_groups {
    ($site:ident, $unkept:ident, $attempt:ident => $primary:expr) => {{
        // Polled by hand, because what an `await` holds here would keep its place in the future for good.
        let mut held = None;
        {
            let mut site = $site;
            let unkept = $unkept;
            let mut later = None;
            poll_fn(|cx| poll_held(&mut site, unkept.as_deref(), &mut later, &mut held, cx)).await;
        }
        let mut last = None;
        of(&mut held).engine().start(P::CAPTURE);
        loop {
            // Apart from the loop's head, whose values would stay in the future while it waits.
            if !poll_fn(|cx| of(&mut held).engine().poll_between(cx)).await {
                break;
            }
            of(&mut held).engine().enter(0);
            let mut primary = pin!(Some({
                let $attempt = of(&mut held).engine().attempt(0);
                let _inside = of(&mut held).engine().nesting().enter();
                $primary
            }));
            of(&mut held).engine().leave();
            let won = poll_fn(|cx| {
                Driver::over(of(&mut held), &mut last).poll(primary.as_mut(), &mut NoHedges, cx)
            });
            if let Some(value) = won.await {
                return P::report(Ok(value), || of(&mut held).engine().take_timeline());
            }
        }
        Driver::over(of(&mut held), &mut last).finish::<P>()
    }};
}

/// Attempts that borrow their closure.
pub(crate) async fn drive_mut<P, T, E, M, F>(
    site: Site<'_>,
    unkept: Option<Box<Unkept>>,
    mut operation: F,
) -> P::Output<Result<T, Error<E>>>
where
    P: Report,
    F: AsyncFnMut(Attempt) -> Result<T, E>,
    T: 'static,
    E: Failure<M>,
{
    run_groups!(site, unkept, attempt => operation(attempt))
}

/// Attempts that borrow a state, in a box that says whether it is `Send`.
pub(crate) async fn drive_with<P, T, E, M, S, F>(
    site: Site<'_>,
    unkept: Option<Box<Unkept>>,
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
    run_groups!(site, unkept, attempt => operation(state, attempt))
}
