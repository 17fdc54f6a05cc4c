//! [`Plan`]: a policy with every name resolved; what a call obeys.

use super::normal::Normal;
use super::world::Generations;
use crate::call::{BackoffRules, Nesting, Rules};
use crate::classify;
use crate::sync::{AtomicU64, Ordering};
use recourse_core::{
    Attempt, AttemptKind, Attributes, Budget, CircuitBreaker, Classifier, EffectivePolicy, Glance,
    HedgeTrigger, Key, Label, ProvidedPolicy, StopReason, Ticket,
};
use recourse_hedge::LatencyWindow;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// What a call obeys. A running call keeps its plan; the next one may get another.
pub(crate) struct Plan {
    pub(crate) key: Key,
    /// The policy, or what a plan without one is made of.
    pub(super) normal: Arc<Normal>,
    /// False where there is none; then `stop` says so.
    pub(super) has_policy: bool,
    /// Why another policy stands in, or none.
    pub(crate) policy_error: Option<Arc<dyn Error + Send + Sync>>,
    pub(crate) start: Start,
    pub(crate) rules: Rules,
    pub(crate) classifier: BoundClassifier,
    pub(crate) retry_budget: BoundBudget,
    pub(crate) hedge_budget: BoundBudget,
    pub(crate) trigger: Option<Arc<dyn HedgeTrigger>>,
    pub(crate) breaker: Option<BoundBreaker>,
    pub(crate) latency: Option<Arc<LatencyWindow>>,
    /// Ends every call at its start.
    pub(crate) stop: Option<Stop>,
    /// What every timeline says of this plan.
    pub(crate) notes: Attributes,
    /// Whether anybody can say before a wait that it is in vain.
    pub(crate) peeks: bool,
    /// Whether the budget has to do with first attempts: is asked about them, or hears how they end.
    pub(crate) budgets_first: bool,
    /// Whether the cap of keys left this one without state.
    pub(crate) capped: bool,
    /// The provider's answer that the plan was bound to.
    pub(super) provided: Option<ProvidedPolicy>,
    pub(super) generations: Generations,
}

/// All of a plan that a call reads which succeeds at once. It stands together, because with many keys every line of
/// memory that a call touches has to be fetched.
pub(crate) struct Start {
    /// The epoch at which the plan was last found good; [`NEVER_FRESH`] where the provider must be asked again.
    pub(super) epoch: AtomicU64,
    pub(crate) policy_id: &'static str,
    /// The time that the call's first attempt has.
    pub(crate) time_left: Option<Duration>,
    /// What calls inside the first attempt run in, by this plan alone.
    pub(crate) nesting: Nesting,
    /// Whether a call has nothing to do before its first attempt but to ask breaker and budget.
    pub(crate) is_early: bool,
    /// Shows whether there is not even that to do, and every value ends the call.
    pub(crate) glance: Arc<Glance>,
    /// Whether there is no more to do than to ask a breaker of our own and to time the call, and every value ends it.
    pub(crate) needs_pass: bool,
}

/// No epoch: the process's first is 1.
pub(super) const NEVER_FRESH: u64 = 0;

/// Why no call can run by this plan.
#[derive(Clone)]
pub(crate) struct Stop {
    pub(crate) reason: StopReason,
    pub(crate) cause: Arc<dyn Error + Send + Sync>,
}

pub(crate) struct BoundClassifier {
    pub(crate) plugin: Arc<dyn Classifier>,
    /// One of our own: it needs no fence.
    pub(crate) trusted: bool,
    /// Whether every value is a success, and nobody has to be asked about it.
    pub(crate) values_succeed: bool,
    /// Where the default stands in for a missing one: what every outcome says of it.
    pub(crate) fallback: Option<Attributes>,
}

impl BoundClassifier {
    /// Whether this is `auto`, the default of executors that were not given another.
    pub(crate) fn is_auto(&self) -> bool {
        Arc::ptr_eq(&self.plugin, &classify::auto())
    }
}

pub(crate) struct BoundBreaker {
    pub(crate) plugin: Arc<dyn CircuitBreaker>,
    /// Where it shows what it would answer.
    pub(crate) glance: Option<Arc<Glance>>,
    /// One of our own: it needs no fence.
    pub(crate) trusted: bool,
}

impl BoundBreaker {
    /// The ticket of an attempt that needn't ask.
    #[inline]
    pub(crate) fn admits(&self) -> Option<Ticket> {
        let shown = self.glance.as_ref()?.look();
        shown.admits().then(|| Ticket::normal(shown.generation()))
    }

    /// Whether it needn't be told of a success.
    #[inline]
    pub(crate) fn ignores_success(&self) -> bool {
        self.glance.as_ref().is_some_and(|glance| glance.look().ignores_success())
    }
}

pub(crate) enum BoundBudget {
    /// The policy names none.
    None,
    Found {
        plugin: Arc<dyn Budget>,
        name: Label,
        cost: u32,
        /// Whether it is told how each attempt ends.
        hears_ends: bool,
        /// Whether it is asked about the first attempts of calls.
        asked_first: bool,
        /// Whether it lives on them.
        is_fed: bool,
    },
    /// The policy names one that is not registered.
    Missing { name: Label, cost: u32, allow: bool, cause: Arc<dyn Error + Send + Sync> },
}

impl BoundBudget {
    /// Whether the policy names it. One that it doesn't name hears of first attempts, and pays for hedges alone.
    pub(crate) fn is_named(&self) -> bool {
        match self {
            BoundBudget::None => false,
            BoundBudget::Found { name, .. } => !name.is_empty(),
            BoundBudget::Missing { .. } => true,
        }
    }

    /// Whether it is this one.
    pub(super) fn is(&self, other: &Arc<dyn Budget>) -> bool {
        matches!(self, BoundBudget::Found { plugin, .. } if Arc::ptr_eq(plugin, other))
    }

    /// Whether it is asked about the first attempts of calls.
    #[inline]
    pub(crate) fn spares_first(&self) -> bool {
        matches!(self, BoundBudget::Found { asked_first: false, .. })
    }

    /// Whether it has nothing to do with them, and doesn't hear how they end either.
    pub(super) fn ignores_first(&self) -> bool {
        matches!(self, BoundBudget::None | BoundBudget::Found { asked_first: false, hears_ends: false, .. })
    }
}

impl Plan {
    /// The policy in force; `None` where there is none.
    pub(crate) fn effective(&self) -> Option<&EffectivePolicy> {
        self.has_policy.then_some(&self.normal.effective)
    }

    /// How long to wait between attempts.
    #[inline]
    pub(crate) fn backoff(&self) -> &BackoffRules {
        &self.normal.backoff
    }

    /// What the operation sees of the call's first attempt; calls in it run in `nesting`.
    #[inline]
    pub(crate) fn first_attempt(&self, nesting: Nesting) -> Attempt {
        Attempt::new(0, 0, self.start.policy_id, self.start.time_left)
            .with_may_be_retried(nesting.is_retried())
    }

    /// Who allows attempts of this kind.
    #[inline]
    pub(crate) fn budget(&self, kind: AttemptKind) -> &BoundBudget {
        match kind {
            AttemptKind::Hedge => &self.hedge_budget,
            _ => &self.retry_budget,
        }
    }

    /// Whether nothing has changed anywhere since the plan was last found good.
    #[inline]
    pub(super) fn is_fresh(&self, epoch: u64) -> bool {
        self.start.epoch.load(Ordering::Relaxed) == epoch
    }

    pub(super) fn found_good(&self, epoch: u64) {
        self.start.epoch.store(epoch, Ordering::Relaxed);
    }
}
