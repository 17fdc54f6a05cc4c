//! Policies with any values, as code may make them and no file may spell them.

use crate::limits;
use crate::policy_file::{again_as_json, again_as_toml, can_be_written};
use arbitrary::{Arbitrary, Unstructured};
use recourse_core::policy::{BudgetRef, Jitter};
use recourse_core::{Label, Policy};
use std::time::Duration;

/// Makes a policy of the input, normalises it, writes it and reads it again.
pub fn check(input: &[u8]) {
    let Ok(values) = Values::arbitrary_take_rest(Unstructured::new(input)) else {
        return;
    };
    let policy = values.policy();
    limits::check(&policy);
    if can_be_written(&policy) {
        assert_eq!(again_as_json(&policy), policy);
        assert_eq!(again_as_toml(&policy), policy);
    }
}

/// Every field of a policy.
#[derive(Debug, Arbitrary)]
struct Values<'a> {
    max_attempts: Count,
    initial_backoff: Time,
    max_backoff: Time,
    backoff_multiplier: Factor,
    jitter: u8,
    max_server_delay: Time,
    timeout_per_attempt: Option<Time>,
    overall_timeout: Option<Time>,
    retry_cost: Count,
    hedge_enabled: bool,
    max_hedges: Count,
    hedge_delay: Time,
    cancel_on_first_terminal: bool,
    hedge_cost: Count,
    circuit_enabled: bool,
    threshold: Count,
    cooldown: Time,
    id: &'a str,
    classifier: &'a str,
    budget: &'a str,
    trigger: &'a str,
    breaker: &'a str,
}

/// A number, most often a small one.
#[derive(Debug, Arbitrary)]
enum Count {
    Small(u8),
    Any(u32),
}

/// A duration near a limit, or any.
#[derive(Debug, Arbitrary)]
enum Time {
    Millis(u16),
    Nanos(u64),
    Any(Duration),
}

/// A factor of one digit behind the point, or any.
#[derive(Debug, Arbitrary)]
enum Factor {
    Tenths(i8),
    Any(f64),
}

impl Values<'_> {
    fn policy(self) -> Policy {
        let mut policy = Policy::new().id(Label::new(self.id));
        let retry = &mut policy.retry;
        retry.max_attempts = self.max_attempts.get();
        retry.initial_backoff = self.initial_backoff.get();
        retry.max_backoff = self.max_backoff.get();
        retry.backoff_multiplier = self.backoff_multiplier.get();
        retry.jitter = Jitter::ALL[usize::from(self.jitter) % Jitter::ALL.len()];
        retry.max_server_delay = self.max_server_delay.get();
        retry.timeout_per_attempt = self.timeout_per_attempt.map(Time::get);
        retry.overall_timeout = self.overall_timeout.map(Time::get);
        retry.classifier_name = Label::new(self.classifier);
        retry.budget = budget(self.budget, self.retry_cost);
        let hedge = &mut policy.hedge;
        hedge.enabled = self.hedge_enabled;
        hedge.max_hedges = self.max_hedges.get();
        hedge.hedge_delay = self.hedge_delay.get();
        hedge.trigger_name = Label::new(self.trigger);
        hedge.cancel_on_first_terminal = self.cancel_on_first_terminal;
        hedge.budget = budget(self.budget, self.hedge_cost);
        let circuit = &mut policy.circuit;
        circuit.enabled = self.circuit_enabled;
        circuit.breaker_name = Label::new(self.breaker);
        circuit.threshold = self.threshold.get();
        circuit.cooldown = self.cooldown.get();
        policy
    }
}

fn budget(name: &str, cost: Count) -> BudgetRef {
    let mut budget = BudgetRef::default();
    (budget.name, budget.cost) = (Label::new(name), cost.get());
    budget
}

impl Count {
    fn get(self) -> u32 {
        match self {
            Count::Small(count) => count.into(),
            Count::Any(count) => count,
        }
    }
}

impl Time {
    fn get(self) -> Duration {
        match self {
            Time::Millis(millis) => Duration::from_millis(millis.into()),
            Time::Nanos(nanos) => Duration::from_nanos(nanos),
            Time::Any(duration) => duration,
        }
    }
}

impl Factor {
    fn get(self) -> f64 {
        match self {
            Factor::Tenths(tenths) => f64::from(tenths) / 10.0,
            Factor::Any(factor) => factor,
        }
    }
}
