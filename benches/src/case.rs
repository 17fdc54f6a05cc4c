//! [`Case`]: the rows of the table, each a policy and an operation.

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// The name in reports and on the command line.
    pub name: &'static str,
    /// The row's name on the page.
    pub title: &'static str,
    /// What is configured.
    pub setup: Setup,
    /// Which operation runs.
    pub operation: Kind,
}

/// What is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// Up to three attempts.
    Retry,
    /// Retries, and a time limit on each attempt.
    Timeout,
    /// A circuit breaker that has seen successes alone. Peers whose breaker stands alone run without retries.
    Breaker,
    /// As `Breaker`, judging what a stretch of time has seen.
    BreakerWindow,
    /// A circuit breaker that is open, and rejects.
    BreakerOpen,
    /// Retries, and a budget that pays for them.
    Budget,
    /// Retries, and a budget that has run dry: what fails is not tried again.
    BudgetDenied,
    /// A hedge after a fixed delay.
    Hedge,
    /// A hedge after a quantile of the latencies seen.
    HedgeQuantile,
    /// Retries, attempt timeout, breaker, budget and hedge, or as many of them as the contestant has.
    All,
    /// As `Retry`, with an observer that does nothing.
    Observed,
    /// As `Retry`, with the call's timeline given to the caller.
    Captured,
    /// As `Retry`, calling so many keys in a shuffled order.
    Keys(usize),
    /// No call: one decision of a token bucket, the clock read included.
    TokenBucket,
    /// No call: one latency recorded, as of a moment that is known.
    LatencyRecorded,
    /// No call: the quantiles of the latencies worked out, as of a moment that is known.
    LatencyRead,
    /// No call: the same, as they were worked out just before.
    LatencyReadAgain,
    /// No call: what the machine charges for one step that a contestant may take.
    Floor(Floor),
}

/// A step that costs something, whoever takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Floor {
    /// Reading the clock.
    ClockRead,
    /// Adding to an atomic that nobody else touches.
    AtomicAdd,
    /// Locking a mutex that nobody else holds.
    MutexLocked,
    /// Cloning an `Arc`, and dropping the clone.
    ArcCloned,
    /// Boxing a small future, and dropping the box.
    FutureBoxed,
    /// Making a sleep of tokio's, and dropping it.
    TimerMade,
    /// Making such a sleep, polling it once, and dropping it.
    TimerArmed,
}

/// Which operation runs; [`operation`](crate::operation) has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Succeeds at once.
    Ready,
    /// Succeeds at its second poll.
    PendingOnce,
    /// Fails at once.
    Failing,
    /// Fails at its second poll.
    FailingLate,
}

const fn row(name: &'static str, title: &'static str, setup: Setup, operation: Kind) -> Case {
    Case { name, title, setup, operation }
}

use Kind::{Failing, FailingLate, PendingOnce, Ready};
use Setup::*;

/// Every case, in the order of the table.
pub const CASES: [Case; 40] = [
    row("plain", "retry configured", Retry, Ready),
    row("plain-pending", "retry configured, pending once", Retry, PendingOnce),
    row("three-fail", "three attempts fail", Retry, Failing),
    row("three-fail-pending", "three attempts fail, each pending once", Retry, FailingLate),
    row("timeout", "retry and attempt timeout", Timeout, Ready),
    row("timeout-armed", "retry and attempt timeout, timer armed", Timeout, PendingOnce),
    row("breaker", "breaker closed", Breaker, Ready),
    row("breaker-pending", "breaker closed, pending once", Breaker, PendingOnce),
    row("window", "breaker over a time window, closed", BreakerWindow, Ready),
    row("window-pending", "breaker over a time window, closed, pending once", BreakerWindow, PendingOnce),
    row("breaker-open", "breaker open, rejected", BreakerOpen, Failing),
    row("budget", "retry and budget", Budget, Ready),
    row("budget-pending", "retry and budget, pending once", Budget, PendingOnce),
    row("three-fail-budget", "three attempts fail, budget asked", Budget, Failing),
    row("three-fail-budget-pending", "three fail, budget asked, each pending once", Budget, FailingLate),
    row("budget-denied", "one attempt fails, budget denies the next", BudgetDenied, Failing),
    row("hedge", "hedge configured", Hedge, Ready),
    row("hedge-armed", "hedge configured, timer armed", Hedge, PendingOnce),
    row("hedge-p95", "hedge by latency quantile", HedgeQuantile, Ready),
    row("hedge-p95-armed", "hedge by latency quantile, timer armed", HedgeQuantile, PendingOnce),
    row("all", "all five", All, Ready),
    row("all-armed", "all five, timer armed", All, PendingOnce),
    row("observed", "an observer that does nothing", Observed, Ready),
    row("observed-pending", "an observer that does nothing, pending once", Observed, PendingOnce),
    row("captured", "timeline captured", Captured, Ready),
    row("captured-pending", "timeline captured, pending once", Captured, PendingOnce),
    row("keys-1", "one key", Keys(1), Ready),
    row("keys-100", "100 keys", Keys(100), Ready),
    row("keys-10000", "10,000 keys", Keys(10_000), Ready),
    row("token-bucket", "token bucket, one decision", TokenBucket, Ready),
    row("latency-recorded", "latency sample recorded", LatencyRecorded, Ready),
    row("latency-read", "latency quantiles worked out", LatencyRead, Ready),
    row("latency-read-again", "latency quantiles read again within 10 ms", LatencyReadAgain, Ready),
    row("clock-read", "clock read", Floor(self::Floor::ClockRead), Ready),
    row("atomic-add", "atomic add, uncontended", Floor(self::Floor::AtomicAdd), Ready),
    row("mutex-locked", "mutex locked, uncontended", Floor(self::Floor::MutexLocked), Ready),
    row("arc-cloned", "`Arc` cloned and dropped", Floor(self::Floor::ArcCloned), Ready),
    row("future-boxed", "small future boxed and dropped", Floor(self::Floor::FutureBoxed), Ready),
    row("timer-made", "tokio sleep made and dropped", Floor(self::Floor::TimerMade), Ready),
    row("timer-armed", "tokio sleep armed and dropped", Floor(self::Floor::TimerArmed), Ready),
];

impl Case {
    /// The case of this name.
    pub fn named(name: &str) -> Option<Case> {
        CASES.into_iter().find(|case| case.name == name)
    }

    /// Whether a call of this case returns a value.
    pub fn succeeds(self) -> bool {
        matches!(self.operation, Ready | PendingOnce)
    }

    /// How often a call of this case runs an operation that fails.
    pub fn failing_attempts(self) -> u64 {
        match self.setup {
            _ if self.succeeds() => 0,
            BreakerOpen => 0,
            BudgetDenied => 1,
            _ => 3,
        }
    }
}
