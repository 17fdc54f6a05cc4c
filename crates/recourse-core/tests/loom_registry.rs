//! Registries and generations in every interleaving: `cargo xtask model`.
#![cfg(recourse_loom)]
#![allow(clippy::unwrap_used, reason = "a test may")]

use loom::sync::atomic::{AtomicU64, Ordering::Relaxed};
use loom::thread::{self, JoinHandle};
use recourse_core::{Generation, Registry};
use recourse_model::{explore, explore_up_to};
use std::sync::Arc;

/// Plugins that are known by a number.
type Numbers = Registry<u32>;

/// A registry with plugin 1, and the epoch from then on.
fn numbers() -> (Numbers, u64) {
    let registry = Numbers::new();
    registry.register_shared("a", Arc::new(1)).unwrap();
    (registry, Generation::epoch())
}

fn number(registry: &Numbers) -> Option<u32> {
    registry.get("a").map(|plugin| *plugin)
}

fn replaces(registry: &Numbers, by: u32) -> JoinHandle<Option<u32>> {
    let registry = registry.clone();
    thread::spawn(move || registry.replace_shared("a", Arc::new(by)).unwrap().map(|plugin| *plugin))
}

#[test]
fn whoever_sees_a_count_move_finds_the_new_plugin() {
    explore(|| {
        let (registry, epoch) = numbers();
        let writer = replaces(&registry, 2);
        if Generation::epoch() > epoch {
            assert_eq!((registry.generation(), number(&registry)), (2, Some(2)));
        }
        if registry.generation() > 1 {
            assert_eq!(number(&registry), Some(2));
        }
        assert_eq!(writer.join().unwrap(), Some(1));
        assert!(Generation::epoch() > epoch, "the change has returned");
    });
}

/// A provider's answers may stand in anything: here in an atomic, which orders nothing by itself.
#[test]
fn a_count_that_moved_brings_what_was_written_before_it() {
    explore(|| {
        let provider = Arc::new((AtomicU64::new(1), Generation::new()));
        let epoch = Generation::epoch();
        let theirs = provider.clone();
        let writer = thread::spawn(move || {
            theirs.0.store(2, Relaxed);
            theirs.1.advance();
        });
        let (answer, generation) = &*provider;
        if generation.current() > 0 {
            assert_eq!(answer.load(Relaxed), 2);
        }
        if Generation::epoch() > epoch {
            assert_eq!((generation.current(), answer.load(Relaxed)), (1, 2));
        }
        writer.join().unwrap();
    });
}

#[test]
fn changes_at_once_each_move_the_epoch_and_the_last_one_brings_all() {
    explore_up_to(3, || {
        let (one, _) = numbers();
        let (other, epoch) = numbers();
        let writers = [replaces(&one, 2), replaces(&other, 2)];
        let seen = Generation::epoch() - epoch;
        let moved = (one.generation() - 1) + (other.generation() - 1);
        assert!(moved >= seen, "{moved} of {seen}");
        for writer in writers {
            assert_eq!(writer.join().unwrap(), Some(1));
        }
        assert_eq!(Generation::epoch() - epoch, 2);
    });
}

/// What an executor does with a registry, in small: the epoch first, then the generation, then the plugin.
struct Cached {
    epoch: u64,
    generation: u64,
    number: Option<u32>,
}

impl Cached {
    fn look(&mut self, registry: &Numbers) -> Option<u32> {
        let epoch = Generation::epoch();
        if epoch != self.epoch {
            let generation = registry.generation();
            if generation != self.generation {
                (self.generation, self.number) = (generation, number(registry));
            }
            self.epoch = epoch;
        }
        self.number
    }
}

#[test]
fn who_caches_by_epoch_and_generation_never_keeps_an_old_plugin() {
    explore_up_to(3, || {
        let (registry, epoch) = numbers();
        let mut cached = Cached { epoch, generation: 1, number: Some(1) };
        // Moves the epoch alone, and makes the reader look at a generation that stays.
        let other = Arc::new(Generation::new());
        let writer = replaces(&registry, 2);
        let elsewhere = thread::spawn(move || other.advance());
        let seen = [cached.look(&registry), cached.look(&registry)];
        assert!(seen[0] <= seen[1], "{seen:?}");
        writer.join().unwrap();
        assert_eq!(cached.look(&registry), Some(2));
        elsewhere.join().unwrap();
        assert_eq!(cached.look(&registry), Some(2));
    });
}

#[test]
fn of_those_who_register_one_name_at_once_one_wins() {
    explore(|| {
        let registry = Numbers::new();
        let others = [1, 2].map(|number| {
            let registry = registry.clone();
            thread::spawn(move || registry.register_shared("a", Arc::new(number)).is_ok())
        });
        let mine = registry.register_shared("a", Arc::new(3)).is_ok();
        let [one, two] = others.map(|other| other.join().unwrap());
        let winners: Vec<u32> = [(one, 1), (two, 2), (mine, 3)]
            .into_iter()
            .filter(|(won, _)| *won)
            .map(|(_, number)| number)
            .collect();
        assert_eq!(winners, [number(&registry).unwrap()]);
        assert_eq!(registry.generation(), 1, "a refusal changes nothing");
    });
}

#[test]
fn a_replacement_and_a_removal_come_one_after_the_other() {
    explore(|| {
        let (registry, _) = numbers();
        let writer = replaces(&registry, 2);
        let removed = registry.remove("a").map(|plugin| *plugin);
        let replaced = writer.join().unwrap();
        match removed {
            Some(1) => assert_eq!((replaced, number(&registry)), (None, Some(2))),
            removed => assert_eq!((removed, replaced, number(&registry)), (Some(2), Some(1), None)),
        }
        assert_eq!(registry.generation(), 3);
    });
}
