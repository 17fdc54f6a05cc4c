//! Random policies, told apart by their ids.

use crate::dice::Dice;
use recourse::{Jitter, Policy, PolicySource};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How many plugins of each kind have a name; policies name one more, which is missing.
pub(crate) const NAMES: usize = 3;

/// Policies of a world, at most: each has an id, and those are kept for ever.
const MOST: usize = 64;

/// The policies of a world, as they are obeyed.
#[derive(Clone)]
pub(crate) struct Policies {
    dice: Dice,
    made: Arc<Mutex<Vec<Policy>>>,
    /// Whether some name plugins that are missing.
    with_gaps: bool,
}

impl Policies {
    pub(crate) fn new(dice: &Dice, with_gaps: bool) -> Self {
        Policies { dice: dice.clone(), made: Arc::default(), with_gaps }
    }

    /// Another policy; one of the earlier ones when there are enough.
    pub(crate) fn make(&self) -> Policy {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() >= MOST {
            return made[self.dice.below(MOST)].clone();
        }
        let policy = self.random().id(format!("p{}", made.len()));
        made.push(policy.normalize(PolicySource::Static).expect("its numbers are numbers").policy);
        policy
    }

    /// The policy with this id, as it is obeyed.
    pub(crate) fn of(&self, id: &str) -> Option<Policy> {
        let number: usize = id.strip_prefix('p')?.parse().ok()?;
        self.made.lock().unwrap_or_else(PoisonError::into_inner).get(number).cloned()
    }

    fn name(&self, kind: char) -> String {
        let number = self.dice.below(NAMES);
        let missing = self.with_gaps && self.dice.chance(0.05);
        format!("{kind}{}", if missing { NAMES } else { number })
    }

    fn random(&self) -> Policy {
        let dice = &self.dice;
        let mut policy = Policy::new().max_attempts(dice.pick(&[0, 1, 2, 3, 4, 4, 5, 10, 99]));
        policy = policy.jitter(dice.pick(&Jitter::ALL)).backoff_multiplier(dice.pick(&[0.0, 1.0, 2.0, 10.0]));
        policy = policy.backoff(dice.ms(0, 30), dice.pick(&[20, 40, 400, 99_000]).ms());
        policy = policy.max_server_delay(dice.pick(&[1, 100, 30_000]).ms());
        if dice.chance(0.4) {
            policy = policy.timeout_per_attempt(dice.ms(0, 60));
        }
        if dice.chance(0.4) {
            policy = policy.overall_timeout(dice.ms(0, 200));
        }
        if dice.chance(0.4) {
            policy = policy.classifier(self.name('k'));
        }
        if dice.chance(0.6) {
            policy = policy.retry_budget(self.name('b')).retry_cost(dice.pick(&[0, 1, 1, 2]));
        }
        if dice.chance(0.4) {
            policy = policy.leave_retries_to_outer(true);
        }
        if dice.chance(0.5) {
            policy = self.hedged(policy);
        }
        match dice.below(6) {
            0 => policy.circuit(dice.small(1, 6), dice.ms(50, 600)),
            1 | 2 => policy.circuit(dice.small(1, 6), dice.ms(50, 600)).circuit_breaker(self.name('c')),
            _ => policy,
        }
    }

    fn hedged(&self, policy: Policy) -> Policy {
        let dice = &self.dice;
        let mut policy = policy.hedge_after(dice.ms(0, 40)).max_hedges(dice.small(0, 4));
        policy = policy.cancel_on_first_terminal(dice.chance(0.4));
        if dice.chance(0.7) {
            policy = policy.hedge_trigger(self.name('t'));
        }
        if dice.chance(0.6) {
            policy = policy.hedge_budget(self.name('b')).hedge_cost(dice.pick(&[1, 1, 2]));
        }
        policy
    }
}

trait Millis {
    fn ms(self) -> Duration;
}

impl Millis for u64 {
    fn ms(self) -> Duration {
        Duration::from_millis(self)
    }
}
