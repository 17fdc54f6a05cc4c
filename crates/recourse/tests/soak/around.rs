//! [`Around`]: what must run round a call, as far as that can be told from outside, and what the library sees there.

use recourse::{Attempt, Executor, Policy};
use std::future::{Future, ready};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// Yes, no, or not to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sure {
    No,
    Yes,
    Unknown,
}

impl Sure {
    pub(crate) fn of(is_so: bool) -> Self {
        if is_so { Sure::Yes } else { Sure::No }
    }

    fn or(self, other: Sure) -> Sure {
        match (self, other) {
            (Sure::Yes, _) | (_, Sure::Yes) => Sure::Yes,
            (Sure::No, Sure::No) => Sure::No,
            _ => Sure::Unknown,
        }
    }

    pub(crate) fn allows(self, is_so: bool) -> bool {
        self == Sure::Unknown || self == Sure::of(is_so)
    }
}

/// Whether code runs in an attempt, and whether that may be retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Around {
    pub(crate) inside: Sure,
    pub(crate) retried: Sure,
}

impl Around {
    pub(crate) const NOTHING: Around = Around { inside: Sure::No, retried: Sure::No };

    /// What a call is told.
    pub(crate) fn within(attempt: Option<Attempt>) -> Self {
        let retried = attempt.is_some_and(Attempt::may_be_retried);
        Around { inside: Sure::of(attempt.is_some()), retried: Sure::of(retried) }
    }

    pub(crate) fn and(self, other: Around) -> Self {
        Around { inside: self.inside.or(other.inside), retried: self.retried.or(other.retried) }
    }

    /// What runs round calls in this attempt of a call that runs here itself; or why the attempt is told wrongly whether it
    /// may be retried. `policy` is the call's, and `may_hedge` whether its way allows hedges.
    pub(crate) fn inside(
        self,
        attempt: Attempt,
        policy: Option<&Policy>,
        may_hedge: bool,
    ) -> Result<Around, &'static str> {
        let by_policy = policy.map(|policy| attempt.index() + 1 < policy.retry.max_attempts);
        // A trigger that looks at failures repeats an attempt as well, until no hedge is left.
        let may_hedge = may_hedge && policy.is_none_or(|policy| policy.hedge.enabled);
        let surely = self.retried == Sure::Yes || by_policy == Some(true);
        let never = self.retried == Sure::No && by_policy == Some(false) && !may_hedge;
        let retried = match attempt.may_be_retried() {
            false if surely => return Err("may be retried, and is told that it may not"),
            true if never => return Err("may not be retried, and is told that it may"),
            false => Sure::No,
            true if surely || !may_hedge => Sure::Yes,
            true => Sure::Unknown,
        };
        Ok(Around { inside: Sure::Yes, retried })
    }

    /// Whether a timeline's attribute says this.
    pub(crate) fn allows(self, nested: Option<&str>) -> bool {
        match nested {
            None => self.inside.allows(false),
            Some("in_retryable_attempt") => self.inside.allows(true) && self.retried.allows(true),
            Some("in_last_attempt") => self.inside.allows(true) && self.retried.allows(false),
            Some(_) => false,
        }
    }
}

/// Looks what the library takes for the attempt round the code that runs now.
pub(crate) struct Probe(Executor);

impl Probe {
    const KEY: &'static str = "probe.Probe";

    pub(crate) fn new() -> Self {
        let builder = Executor::builder().policy(Probe::KEY, Policy::new().max_attempts(1));
        Probe(builder.build().expect("one policy and no plugin"))
    }

    /// What the timeline of a call here says of it.
    pub(crate) fn looks(&self) -> Option<String> {
        let call = self.0.call(Probe::KEY).run_captured(|_| ready(Ok::<_, io::Error>(())));
        match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready((_, timeline)) => timeline.attributes.get("nested").map(str::to_owned),
            Poll::Pending => unreachable!("its operation is ready"),
        }
    }
}
