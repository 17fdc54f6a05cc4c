//! [`Case`]: the calls that are explored.
//!
//! Time moves in milliseconds. The timeouts are long enough for every order of what is timed: all attempts of a group in
//! flight at once, a look at the trigger before, with and after a cut, and a deadline before, with and after both.

use crate::call::decide::Rules;
use std::time::Duration;

/// The unit of all times here, and the soonest that a trigger is looked at again.
pub(super) const MS: Duration = Duration::from_millis(1);

/// What a server may ask for beyond what the rules allow.
pub(super) const TOO_LONG: Duration = Duration::from_millis(2);

/// A call to be explored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    attempts: u32,
    hedges: u32,
    /// Not where the operation borrows mutably.
    pub(super) can_hedge: bool,
    timed_attempts: bool,
    deadline: bool,
    cancel_on_first_terminal: bool,
    hedge_on_failure: bool,
    /// It runs inside an attempt that may be retried, and leaves retrying to it.
    left_to_outer: bool,
}

impl Case {
    /// The largest call under each combination of the rules, and smaller ones under some.
    pub(super) fn all() -> Vec<Case> {
        let mut cases = Vec::new();
        for choice in 0..16 {
            cases.push(Case::of(choice, 4, 3));
        }
        for (attempts, hedges) in [(1, 0), (4, 0), (4, 1), (1, 2), (4, 2)] {
            cases.extend([0b0011, 0b1011].map(|choice| Case::of(choice, attempts, hedges)));
        }
        cases.push(Case { can_hedge: false, ..Case::of(0b1011, 4, 3) });
        for (attempts, hedges) in [(1, 1), (4, 2)] {
            cases.push(Case { left_to_outer: true, ..Case::of(0b1011, attempts, hedges) });
        }
        cases
    }

    /// One bit a rule.
    pub(super) fn of(choice: u8, attempts: u32, hedges: u32) -> Case {
        let [timed_attempts, deadline, cancel_on_first_terminal, hedge_on_failure] =
            [0, 1, 2, 3].map(|bit| choice & (1 << bit) != 0);
        let can_hedge = true;
        Case {
            attempts,
            hedges,
            can_hedge,
            timed_attempts,
            deadline,
            cancel_on_first_terminal,
            hedge_on_failure,
            left_to_outer: false,
        }
    }

    /// The call in words.
    pub(super) fn name(&self) -> String {
        let mut name = format!("{} attempts, {} hedges", self.attempts, self.hedges);
        for (is_so, says) in [
            (!self.can_hedge, "one at a time"),
            (self.timed_attempts, "timed attempts"),
            (self.deadline, "deadline"),
            (self.cancel_on_first_terminal, "first terminal ends"),
            (self.hedge_on_failure, "hedge on failure"),
            (self.left_to_outer, "retries left to the outer call"),
        ] {
            if is_so {
                name = name + ", " + says;
            }
        }
        name
    }

    pub(super) fn rules(&self) -> Rules {
        Rules {
            max_attempts: self.attempts,
            max_hedges: self.hedges,
            timeout_per_attempt: self.timed_attempts.then_some(3 * MS),
            overall_timeout: self.deadline.then_some(6 * MS),
            max_server_delay: MS,
            cancel_on_first_terminal: self.cancel_on_first_terminal,
            hedge_delay: MS,
            hedge_on_failure: self.hedge_on_failure,
            leave_to_outer: self.left_to_outer,
        }
    }
}
