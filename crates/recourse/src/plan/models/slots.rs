//! The table of slots.

use super::super::{Slot, Slots};
use super::{policy, world};
use crate::plan::StaticProvider;
use loom::thread::{self, JoinHandle};
use recourse_core::Key;
use recourse_model::{explore, explore_up_to};
use std::sync::Arc;

fn key(number: usize) -> Key {
    Key::new(&format!("svc.op{number}")).expect("a key")
}

/// So many keys that stand in one cell of the first table, if they can.
fn neighbours(most: usize) -> Vec<Key> {
    let cell = |key: &Key| key.fingerprint() & 1;
    (0..).map(key).filter(|other| cell(other) == cell(&key(0))).take(most).collect()
}

/// The place of a key's slot, made in a thread of its own.
fn makes(slots: &Arc<Slots>, key: &Key) -> JoinHandle<Option<*const Slot>> {
    let (slots, key) = (slots.clone(), key.clone());
    thread::spawn(move || slots.get(&key).map(std::ptr::from_ref))
}

fn found(slots: &Slots, key: &Key) -> Option<*const Slot> {
    slots.find(key.fingerprint(), key.as_str()).map(std::ptr::from_ref)
}

#[test]
fn threads_that_meet_at_a_key_share_its_slot_and_its_one_place() {
    for max in [1, 2] {
        explore_up_to(2, move || {
            let slots = Arc::new(Slots::new(max));
            let others = [(); 2].map(|()| makes(&slots, &key(0)));
            let mine = slots.get(&key(0)).map(std::ptr::from_ref);
            assert!(mine.is_some(), "there is a place");
            for other in others {
                assert_eq!(other.join().expect("no panic"), mine);
            }
            assert_eq!((slots.len(), found(&slots, &key(0))), (1, mine));
        });
    }
}

#[test]
fn threads_that_meet_at_a_key_leave_the_last_place_to_another() {
    explore_up_to(2, || {
        let slots = Arc::new(Slots::new(2));
        let others = [(); 2].map(|()| makes(&slots, &key(0)));
        assert!(slots.get(&key(1)).is_some(), "a place was held by who didn't need it");
        for other in others {
            assert_eq!(other.join().expect("no panic"), found(&slots, &key(0)));
        }
        assert_eq!(slots.len(), 2);
    });
}

#[test]
fn the_cap_is_never_passed() {
    explore_up_to(3, || {
        let slots = Arc::new(Slots::new(1));
        let others = [0, 1].map(|number| makes(&slots, &key(number)));
        let mine = slots.get(&key(2)).is_some();
        let given = others.map(|other| other.join().expect("no panic").is_some());
        assert_eq!(u32::from(mine) + given.into_iter().map(u32::from).sum::<u32>(), 1);
        assert_eq!(slots.len(), 1);
        assert_eq!((0..3).filter(|&number| found(&slots, &key(number)).is_some()).count(), 1);
    });
}

/// In the first table as in the second, which is made meanwhile.
#[test]
fn a_reader_sees_nothing_or_the_whole_slot() {
    for places in [1, 2, 3] {
        explore(move || {
            let slots = Arc::new(Slots::new(4));
            let mut keys = neighbours(places);
            let last = keys.pop().expect("one at least");
            keys.iter().for_each(|key| assert!(slots.get(key).is_some()));
            let writer = makes(&slots, &last);
            let seen = slots.find(last.fingerprint(), last.as_str());
            assert!(seen.is_none_or(|slot| slot.key == last && slot.last_plan().is_none()));
            let seen = seen.map(std::ptr::from_ref);
            let made = writer.join().expect("no panic");
            assert!(made.is_some() && (seen.is_none() || seen == made));
            assert_eq!(found(&slots, &last), made);
            keys.iter().for_each(|key| assert!(found(&slots, key).is_some_and(|slot| Some(slot) != made)));
        });
    }
}

#[test]
fn keys_that_meet_in_a_cell_have_a_slot_each() {
    explore_up_to(2, || {
        let slots = Arc::new(Slots::new(3));
        let keys = neighbours(3);
        let others = [makes(&slots, &keys[0]), makes(&slots, &keys[1])];
        let mine = slots.get(&keys[2]).map(std::ptr::from_ref);
        let [one, two] = others.map(|other| other.join().expect("no panic"));
        assert!(one.is_some() && two.is_some() && mine.is_some());
        assert_eq!([one, two, mine], [&keys[0], &keys[1], &keys[2]].map(|key| found(&slots, key)));
        assert!(one != two && two != mine && one != mine);
    });
}

/// Of sixteen places, two are for keys that have no policy.
#[test]
fn threads_that_meet_at_a_key_without_a_policy_take_one_place_of_those() {
    explore_up_to(2, || {
        let slots = Arc::new(Slots::new(16));
        let provider = StaticProvider::new();
        provider.set(key(9), policy(1));
        let world = Arc::new(world(provider));
        let others = [(); 2].map(|()| {
            let (slots, world) = (slots.clone(), world.clone());
            thread::spawn(move || assert!(slots.plan_of_new(&key(0), &world).is_some()))
        });
        others.into_iter().for_each(|other| other.join().expect("no panic"));
        for (number, has_place) in [(0, true), (1, true), (2, false), (9, true)] {
            assert!(slots.plan_of_new(&key(number), &world).is_some());
            assert_eq!(found(&slots, &key(number)).is_some(), has_place, "{number}");
        }
        assert_eq!(slots.len(), 3);
    });
}
