//! Registries: one plugin a name, shared by clones, changed while others read.

use recourse_core::{
    AttemptKind, AttemptResult, BreakerFactory, Budget, BudgetRequest, Classifier, Decision, HedgeDecision,
    HedgeState, HedgeTrigger, Key, Moment, Now, Outcome, Registry, RegistryError,
};
use std::sync::Arc;

struct Says(&'static str);

impl Classifier for Says {
    fn classify(&self, _: &AttemptResult<'_>) -> Outcome {
        Outcome::abort(self.0)
    }
}

impl Budget for Says {
    fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
        Decision::deny(self.0)
    }
}

impl HedgeTrigger for Says {
    fn should_spawn_hedge(&self, _: &HedgeState) -> HedgeDecision {
        HedgeDecision::never()
    }
}

fn said(registry: &Registry<dyn Classifier>, name: &str) -> Option<String> {
    let classifier = registry.get(name)?;
    Some(classifier.classify(&AttemptResult::of_timeout()).reason.to_string())
}

#[test]
fn a_taken_name_is_refused_and_the_first_plugin_stays() {
    let registry = Registry::<dyn Classifier>::new();
    registry.register("http", Says("first")).unwrap();
    let error = registry.register("http", Says("second")).unwrap_err();
    assert_eq!(error, RegistryError::Taken("http".into()));
    assert!(error.to_string().contains("\"http\"") && error.to_string().contains("replace"), "{error}");
    assert_eq!(said(&registry, "http").unwrap(), "first");
}

#[test]
fn an_empty_or_blank_name_is_refused_by_register_and_replace() {
    let registry = Registry::<dyn Budget>::new();
    for name in ["", " ", "\t\n"] {
        assert_eq!(registry.register(name, Says("x")), Err(RegistryError::EmptyName));
        assert!(matches!(registry.replace(name, Says("x")), Err(RegistryError::EmptyName)));
    }
    assert!(registry.names().is_empty());
    assert!(RegistryError::EmptyName.to_string().contains("empty"));
}

#[test]
fn replace_takes_a_name_on_purpose_and_hands_the_one_before_back() {
    let registry = Registry::<dyn Classifier>::new();
    assert!(registry.replace("http", Says("first")).unwrap().is_none());
    let before = registry.replace("http", Says("second")).unwrap().unwrap();
    assert_eq!(before.classify(&AttemptResult::of_timeout()).reason, "first");
    assert_eq!(said(&registry, "http").unwrap(), "second");
}

#[test]
fn who_holds_a_plugin_keeps_it_when_it_is_taken_out() {
    let registry = Registry::<dyn Classifier>::new();
    registry.register("http", Says("first")).unwrap();
    let held = registry.get("http").unwrap();
    assert!(registry.remove("http").is_some() && registry.remove("http").is_none());
    assert_eq!((said(&registry, "http"), registry.names().len()), (None, 0));
    assert_eq!(held.classify(&AttemptResult::of_timeout()).reason, "first");
    registry.register("http", Says("again")).unwrap();
}

#[test]
fn clones_share_their_plugins_and_names_come_in_order() {
    let registry = Registry::<dyn Classifier>::default();
    let clone = registry.clone();
    for name in ["grpc", "always", "http"] {
        clone.register(name, Says(name)).unwrap();
    }
    assert_eq!(registry.names(), ["always", "grpc", "http"]);
    assert_eq!(format!("{registry:?}"), r#"Registry(["always", "grpc", "http"])"#);
}

#[test]
fn every_kind_of_plugin_has_a_registry() {
    let budgets = Registry::<dyn Budget>::new();
    budgets.register("none", Says("none")).unwrap();
    let key = Key::from_static("svc.op");
    let request = BudgetRequest::new(&key, 0, AttemptKind::Retry, Now::at(Moment::ZERO));
    assert!(!budgets.get("none").unwrap().allow_attempt(&request).allowed);

    let triggers = Registry::<dyn HedgeTrigger>::new();
    triggers.register("none", Says("none")).unwrap();
    assert!(triggers.get("none").is_some() && triggers.get("None").is_none());

    let breakers = Registry::<dyn BreakerFactory>::new();
    breakers.register("never", |_: &Key, _: &_| unreachable!("nobody asks for a breaker")).unwrap();
    assert_eq!(breakers.names(), ["never"]);
}

#[test]
fn a_change_moves_the_generation_and_a_refusal_does_not() {
    let registry = Registry::<dyn Classifier>::new();
    let mut last = registry.generation();
    let mut moved = |registry: &Registry<dyn Classifier>| {
        std::mem::replace(&mut last, registry.generation()) != registry.generation()
    };
    registry.register("http", Says("first")).unwrap();
    assert!(moved(&registry), "a registration is a change");
    registry.replace("http", Says("second")).unwrap();
    assert!(moved(&registry), "a replacement is a change");
    registry.register("http", Says("third")).unwrap_err();
    assert!(!moved(&registry), "a refused registration is no change");
    registry.remove("http").unwrap();
    assert!(moved(&registry), "a removal is a change");
    assert!(registry.remove("http").is_none());
    assert!(!moved(&registry), "there was nothing to remove");
}

#[test]
fn of_many_threads_that_want_a_name_one_gets_it() {
    let registry = Registry::<dyn Classifier>::new();
    let won: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    (0..100).filter(|n| registry.register(format!("c{n}"), Says("mine")).is_ok()).count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((won, registry.names().len()), (100, 100));
}

#[test]
fn one_plugin_may_stand_under_several_names() {
    let registry = Registry::<dyn Classifier>::new();
    let shared: Arc<dyn Classifier> = Arc::new(Says("one"));
    registry.register_shared("a", Arc::clone(&shared)).unwrap();
    registry.replace_shared("b", shared).unwrap();
    assert!(Arc::ptr_eq(&registry.get("a").unwrap(), &registry.get("b").unwrap()));
}
