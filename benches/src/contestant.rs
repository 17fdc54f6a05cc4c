//! [`Contestant`], what a column of the table can do, and [`Column`], the same for a list.

use crate::case::{Case, Kind};
use crate::harness::{Runner, Shared};
use crate::operation::{Failing, FailingLate, Operation, PendingOnce, Ready};

/// One library, or one way to use it, in its fastest documented way.
pub trait Contestant {
    /// The name in reports and on the command line.
    const NAME: &'static str;
    /// What it does in the rows that it is in.
    const DOES: &'static str;
    /// What it doesn't do, so that nobody takes a smaller number for a better one.
    const DOES_NOT: &'static str;

    /// A runner of the case with this operation; `None` where the contestant can't do what the case asks for.
    fn prepare(case: Case, operation: impl Operation) -> Option<Runner>;

    /// Runners for several threads that share what the case sets up; `None` where nothing can be shared.
    fn share(_: Case, _: impl Operation) -> Option<Shared> {
        None
    }
}

/// A column of the table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// [`Contestant::NAME`].
    pub name: &'static str,
    /// [`Contestant::DOES`].
    pub does: &'static str,
    /// [`Contestant::DOES_NOT`].
    pub does_not: &'static str,
    prepare: fn(Case) -> Option<Runner>,
    share: fn(Case) -> Option<Shared>,
}

impl Column {
    /// The column of a contestant.
    pub const fn of<C: Contestant>() -> Self {
        Column {
            name: C::NAME,
            does: C::DOES,
            does_not: C::DOES_NOT,
            prepare: prepare::<C>,
            share: share::<C>,
        }
    }

    /// [`Contestant::prepare`] with the case's operation.
    pub fn prepare(&self, case: Case) -> Option<Runner> {
        (self.prepare)(case)
    }

    /// [`Contestant::share`] with the case's operation.
    pub fn share(&self, case: Case) -> Option<Shared> {
        (self.share)(case)
    }
}

fn prepare<C: Contestant>(case: Case) -> Option<Runner> {
    match case.operation {
        Kind::Ready => C::prepare(case, Ready),
        Kind::PendingOnce => C::prepare(case, PendingOnce),
        Kind::Failing => C::prepare(case, Failing),
        Kind::FailingLate => C::prepare(case, FailingLate),
    }
}

fn share<C: Contestant>(case: Case) -> Option<Shared> {
    match case.operation {
        Kind::Ready => C::share(case, Ready),
        Kind::PendingOnce => C::share(case, PendingOnce),
        Kind::Failing => C::share(case, Failing),
        Kind::FailingLate => C::share(case, FailingLate),
    }
}
