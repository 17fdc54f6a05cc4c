//! [`Case`]: the rows of the table, each a policy and an operation.

/// What is configured, and which operation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// Up to three attempts are allowed; the first succeeds at once.
    Plain,
    /// As `Plain`, with an operation that is pending once.
    PlainPending,
    /// Three attempts are allowed, and all fail.
    ThreeFail,
    /// Retries, and a time limit on each attempt.
    Timeout,
    /// As `Timeout`, pending once: the timer is armed.
    TimeoutArmed,
    /// A circuit breaker that has seen successes alone. Peers whose breaker stands alone run without retries.
    BreakerClosed,
    /// A circuit breaker that is open, and rejects.
    BreakerOpen,
    /// Retries, and a budget that pays for them.
    Budget,
    /// As `Budget`; three attempts fail, and the budget pays for two of them.
    ThreeFailBudget,
    /// A hedge after a fixed delay.
    Hedge,
    /// As `Hedge`, pending once: the delay is armed.
    HedgeArmed,
    /// Retries, attempt timeout, breaker, budget and hedge, or as many of them as the contestant has.
    All,
    /// As `All`, pending once.
    AllArmed,
    /// As `Plain`, with an observer that does nothing.
    Observed,
    /// As `Plain`, with the call's timeline given to the caller.
    Captured,
}

impl Case {
    /// Every case, in the order of the table.
    pub const ALL: [Case; 15] = [
        Case::Plain,
        Case::PlainPending,
        Case::ThreeFail,
        Case::Timeout,
        Case::TimeoutArmed,
        Case::BreakerClosed,
        Case::BreakerOpen,
        Case::Budget,
        Case::ThreeFailBudget,
        Case::Hedge,
        Case::HedgeArmed,
        Case::All,
        Case::AllArmed,
        Case::Observed,
        Case::Captured,
    ];

    /// The name in reports and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Case::Plain => "plain",
            Case::PlainPending => "plain-pending-once",
            Case::ThreeFail => "three-fail",
            Case::Timeout => "timeout",
            Case::TimeoutArmed => "timeout-armed",
            Case::BreakerClosed => "breaker-closed",
            Case::BreakerOpen => "breaker-open",
            Case::Budget => "budget",
            Case::ThreeFailBudget => "three-fail-budget",
            Case::Hedge => "hedge",
            Case::HedgeArmed => "hedge-armed",
            Case::All => "all",
            Case::AllArmed => "all-armed",
            Case::Observed => "observed",
            Case::Captured => "captured",
        }
    }

    /// The case of this name.
    pub fn named(name: &str) -> Option<Case> {
        Case::ALL.into_iter().find(|case| case.name() == name)
    }

    /// Whether a call of this case returns a value.
    pub fn succeeds(self) -> bool {
        !matches!(self, Case::ThreeFail | Case::ThreeFailBudget | Case::BreakerOpen)
    }

    /// How often a call of this case runs the operation, where that operation is [`Failing`](crate::operation::Failing).
    pub fn failing_attempts(self) -> u64 {
        if matches!(self, Case::ThreeFail | Case::ThreeFailBudget) { 3 } else { 0 }
    }
}
