//! The plans of one key: which of them a call obeys while policies and plugins change.

use super::{KEY, number, policy, world};
use crate::plan::plan::{BoundBudget, Plan};
use crate::plan::{PlanRef, Slot, Slots, StaticProvider, World};
use crate::sync::{AtomicU64, Ordering};
use loom::thread;
use recourse_core::{
    Budget, BudgetRequest, Decision, Generation, Key, Policy, PolicyProvider, PolicySource, ProvidedPolicy,
    ProviderError,
};
use recourse_model::explore_up_to;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

/// A key's slot, the world that it is bound to, and the provider of that.
struct Bench {
    provider: StaticProvider,
    world: World,
    slot: Slot,
}

impl Bench {
    /// With so many plans bound already, the last to the policy of that number.
    fn new(plans: u32, named: impl Fn(Policy) -> Policy) -> Arc<Self> {
        let provider = StaticProvider::new();
        let bench = Bench { world: world(provider.clone()), provider, slot: Slot::new(KEY.clone(), true) };
        bench.world.budgets.register("b", Numbered(1)).expect("a free name");
        for plan in 1..=plans {
            bench.provider.set(KEY.clone(), named(policy(plan)));
            assert_eq!(bench.call(), plan);
        }
        Arc::new(bench)
    }

    fn plan(&self) -> PlanRef<'_> {
        self.slot.plan_now(&self.world).expect("the provider answers at once")
    }

    /// A call, by the number of the policy that it obeys.
    fn call(&self) -> u32 {
        number(&self.plan())
    }

    /// That the last plan is this policy's, and the next call needs nothing but it.
    fn settled(&self, wanted: u32) {
        assert_eq!(self.call(), wanted);
        assert_eq!(self.slot.fresh(&self.world).map(|plan| number(&plan)), Some(wanted));
        assert_eq!(self.slot.last_plan().map(|plan| number(&plan)), Some(wanted));
    }
}

/// A budget that is known by a number.
struct Numbered(u32);

impl Budget for Numbered {
    fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
        Decision::allow()
    }

    fn wants_outcomes(&self) -> bool {
        self.0 == 1
    }
}

/// Whether the plan is bound to the budget that stood in the registry at first.
fn has_first_budget(plan: &Plan) -> bool {
    matches!(plan.retry_budget, BoundBudget::Found { hears_ends: true, .. })
}

/// The new plan is the second, the first behind the two that are kept, or takes another's place there.
#[test]
fn a_call_that_starts_after_a_policy_has_changed_obeys_the_new_one() {
    for plans in 1..=3 {
        explore_up_to(3, move || {
            let bench = Bench::new(plans, |policy| policy);
            let theirs = bench.clone();
            let writer = thread::spawn(move || {
                theirs.provider.set(KEY.clone(), policy(plans + 1));
                assert_eq!(theirs.call(), plans + 1);
            });
            let seen = [bench.call(), bench.call()];
            assert!(plans <= seen[0] && seen[0] <= seen[1], "{seen:?}");
            writer.join().expect("no panic");
            bench.settled(plans + 1);
        });
    }
}

#[test]
fn a_call_that_starts_after_a_plugin_was_replaced_uses_the_new_one() {
    for plans in 1..=3 {
        explore_up_to(2, move || {
            let bench = Bench::new(plans, |policy| policy.retry_budget("b"));
            let theirs = bench.clone();
            let writer = thread::spawn(move || {
                theirs.world.budgets.replace("b", Numbered(2)).expect("a name");
                assert!(!has_first_budget(&theirs.plan()));
            });
            let had = [has_first_budget(&bench.plan()), has_first_budget(&bench.plan())];
            assert!(had[0] || !had[1], "back to what was replaced");
            writer.join().expect("no panic");
            assert!(!has_first_budget(&bench.plan()));
            bench.settled(plans);
        });
    }
}

#[test]
fn calls_that_bind_at_once_leave_one_plan() {
    for plans in 1..=2 {
        explore_up_to(3, move || {
            let bench = Bench::new(plans, |policy| policy);
            bench.provider.set(KEY.clone(), policy(9));
            let place = |bench: &Bench| std::ptr::from_ref::<Plan>(&bench.plan());
            let theirs = bench.clone();
            let other = thread::spawn(move || (theirs.call(), place(&theirs) as usize));
            let mine = (bench.call(), place(&bench) as usize);
            assert_eq!(mine, other.join().expect("no panic"));
            assert_eq!(mine.0, 9);
            bench.settled(9);
        });
    }
}

#[test]
fn of_changes_at_once_none_is_lost() {
    for plans in 1..=2 {
        explore_up_to(2, move || {
            let bench = Bench::new(plans, |policy| policy.retry_budget("b"));
            let theirs = bench.clone();
            let writer = thread::spawn(move || {
                theirs.provider.set(KEY.clone(), policy(9).retry_budget("b"));
                assert_eq!(theirs.call(), 9);
            });
            bench.world.budgets.replace("b", Numbered(2)).expect("a name");
            assert!(!has_first_budget(&bench.plan()));
            writer.join().expect("no panic");
            assert!(!has_first_budget(&bench.plan()));
            bench.settled(9);
        });
    }
}

/// The epoch moves for another's sake, so that calls look at the generations and find the plan good again.
#[test]
fn a_plan_that_is_found_good_is_so_for_what_was_looked_at() {
    for plans in 1..=2 {
        explore_up_to(2, move || {
            let bench = Bench::new(plans, |policy| policy);
            Generation::new().advance();
            let theirs = bench.clone();
            let writer = thread::spawn(move || {
                theirs.provider.set(KEY.clone(), policy(9));
                assert_eq!(theirs.call(), 9);
            });
            let seen = [bench.call(), bench.call()];
            assert!(seen == [plans, plans] || seen == [plans, 9] || seen == [9, 9], "{seen:?}");
            writer.join().expect("no panic");
            bench.settled(9);
        });
    }
}

#[test]
fn a_key_that_is_seen_first_while_its_policy_changes_gets_the_new_one() {
    explore_up_to(2, || {
        let provider = StaticProvider::new();
        provider.set(KEY.clone(), policy(1));
        let shared = Arc::new((Slots::new(1), world(provider.clone())));
        let call = |(slots, world): &(Slots, World)| slots.plan_of_new(&KEY, world).map(|plan| number(&plan));
        let theirs = shared.clone();
        let writer = thread::spawn(move || {
            provider.set(KEY.clone(), policy(2));
            assert_eq!(call(&theirs), Some(2));
        });
        let seen = [call(&shared), call(&shared)];
        assert!(seen[0].is_some() && seen[0] <= seen[1], "{seen:?}");
        writer.join().expect("no panic");
        assert_eq!((call(&shared), shared.0.len()), (Some(2), 1));
    });
}

/// A provider that doesn't count its changes.
struct Uncounted(AtomicU64);

impl PolicyProvider for Uncounted {
    fn policy_now(&self, _: &Key) -> Option<Result<ProvidedPolicy, ProviderError>> {
        let number = u32::try_from(self.0.load(Ordering::Relaxed)).expect("a small number");
        Some(Ok(ProvidedPolicy::new(policy(number), PolicySource::Remote)))
    }

    fn policy<'s, 'k, 'f>(
        &'s self,
        key: &'k Key,
    ) -> Pin<Box<dyn Future<Output = Result<ProvidedPolicy, ProviderError>> + Send + 'f>>
    where
        's: 'f,
        'k: 'f,
        Self: 'f,
    {
        Box::pin(ready(self.policy_now(key).expect("it always answers")))
    }
}

#[test]
fn an_answer_of_a_provider_that_counts_nothing_is_its_calls_alone() {
    explore_up_to(2, || {
        let provider = Arc::new(Uncounted(AtomicU64::new(1)));
        let shared = Arc::new((Slot::new(KEY.clone(), true), world(provider.clone())));
        let call = |(slot, world): &(Slot, World)| slot.plan_now(world).map(|plan| number(&plan));
        assert_eq!(call(&shared), Some(1));
        let theirs = shared.clone();
        let writer = thread::spawn(move || {
            provider.0.store(2, Ordering::Relaxed);
            assert_eq!(call(&theirs), Some(2));
        });
        let seen = [call(&shared), call(&shared)];
        assert!(seen[0].is_some() && seen[0] <= seen[1], "{seen:?}");
        writer.join().expect("no panic");
        assert_eq!([call(&shared), call(&shared)], [Some(2); 2]);
    });
}
