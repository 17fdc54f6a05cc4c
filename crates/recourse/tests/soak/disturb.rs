//! What happens to a world while its calls run.

use crate::mood::OnPurpose;
use crate::policies::NAMES;
use crate::triggers::{classifier, trigger};
use crate::world::{KEYS, Overrides, World};
use recourse::{Component, Key};
use std::panic::{AssertUnwindSafe, catch_unwind};

impl World {
    /// Something changes, between two polls.
    pub(crate) fn disturb(&mut self) {
        match self.dice.below(10) {
            0..=2 => self.replace_a_policy(),
            3..=5 => self.replace_a_plugin(),
            6 | 7 if self.bends => {
                if let Some(bent) = self.timing.bent() {
                    bent.bend();
                    self.tally.clocks_bent += 1;
                }
            }
            _ => self.override_a_circuit(),
        }
    }

    fn override_a_circuit(&mut self) {
        let is_set = match self.overrides {
            Overrides::Never => false,
            Overrides::ByBreaker => self.kinds.change_a_mode(),
            Overrides::ByExecutor => {
                let (key, mode) = (self.dice.pick(&KEYS), self.kinds.any_mode());
                let setting = AssertUnwindSafe(|| self.executor.set_circuit_mode(key, mode));
                let is_set = catch_unwind(setting).unwrap_or_else(|panic| {
                    let panicked = panic.downcast_ref::<OnPurpose>();
                    assert!(panicked.is_some(), "a circuit was overridden, and that panicked");
                    // Whoever is told of it may panic; by then it is done. It isn't where the provider, the clock or the
                    // breaker panics.
                    matches!(panicked, Some(OnPurpose::Plugin(Component::Observer)))
                });
                if is_set {
                    self.modes.insert(key, mode);
                }
                is_set
            }
        };
        self.tally.modes_set += u64::from(is_set);
    }

    fn replace_a_policy(&mut self) {
        let key = Key::from_static(self.dice.pick(&KEYS));
        let policy = if self.dice.chance(0.05) { None } else { Some(self.policies.make()) };
        self.source.set(key, policy);
        self.tally.policies_replaced += 1;
    }

    fn replace_a_plugin(&mut self) {
        let number = self.dice.below(NAMES);
        let named = |kind: char| format!("{kind}{number}");
        let fine = "the name is not empty";
        match self.dice.below(5) {
            0 => {
                let plugin = classifier(&self.dice, &self.mood);
                drop(self.executor.classifiers().replace_shared(named('k'), plugin).expect(fine));
            }
            1 => {
                let plugin = self.budgets.make();
                drop(self.executor.budgets().replace(named('b'), plugin).expect(fine));
            }
            2 => {
                let plugin = trigger(&self.dice, &self.mood, self.promises.as_ref());
                drop(self.executor.hedge_triggers().replace_shared(named('t'), plugin).expect(fine));
            }
            3 => {
                let plugin = self.kinds.make();
                drop(self.executor.circuit_breakers().replace(named('c'), plugin).expect(fine));
            }
            _ if self.dice.chance(0.3) => drop(self.executor.budgets().remove(&named('b'))),
            _ => {}
        }
        self.tally.plugins_replaced += 1;
    }
}
