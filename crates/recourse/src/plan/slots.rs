//! [`Slots`]: key -> slot, append-only and bounded, read without a lock or a shared write.

use super::plan::Plan;
use super::plans::PlanRef;
use super::slot::Slot;
use super::world::World;
use crate::key_ref::KeyRef;
use crate::sync::{AtomicUsize, Mutex, OnceLock, Ordering};
use recourse_core::Key;
use std::sync::Arc;

/// Cells of the first table, which small services never outgrow. A model check needs no more than two.
const FIRST: usize = if cfg!(recourse_loom) { 2 } else { 64 };

/// Cells that a key may be looked for in the first table.
const REACH: usize = if cfg!(recourse_loom) { 1 } else { 8 };

/// One place a key. Nothing is ever taken out, so a reader needs neither lock nor count: a cell is empty or final.
pub(crate) struct Slots {
    first: Table,
    /// Made when a key finds no room in the first: large enough for every key that the cap allows.
    rest: OnceLock<Table>,
    /// One new slot at a time: threads that meet at a key share its one place, and nobody holds a place that he won't
    /// need. Only a key that has no slot, and may have one, takes the lock.
    making: Mutex<()>,
    /// Changed under the lock, once the slot that it counts can be found.
    count: AtomicUsize,
    /// Keys without a policy that have a place; changed as the other count is.
    refused: AtomicUsize,
    max: usize,
}

/// Keys without a policy have at most one place in so many: what is known of them is worth less than a circuit.
const REFUSED_PART: usize = 8;

struct Table {
    cells: Box<[OnceLock<Cell>]>,
    reach: usize,
}

struct Cell {
    fingerprint: u64,
    slot: Arc<Slot>,
}

impl Cell {
    #[inline]
    fn is_of(&self, fingerprint: u64, text: &str) -> bool {
        self.fingerprint == fingerprint && is_same(self.slot.key.as_str(), text)
    }
}

/// Where a call finds its plan: one of the two is there.
pub(crate) struct Target<'a> {
    /// In the executor or in a handle.
    pub(crate) slot: Option<&'a Slot>,
    pub(crate) unkept: Option<Box<Unkept>>,
}

/// What is no place in the executor.
pub(crate) enum Unkept {
    /// The key was not seen before, or is past the cap.
    New(Key),
    /// The text is no key.
    Invalid(Arc<Plan>),
}

impl Unkept {
    pub(crate) fn key(&self) -> &Key {
        match self {
            Unkept::New(key) => key,
            Unkept::Invalid(plan) => &plan.key,
        }
    }
}

impl<'a> Target<'a> {
    #[inline]
    pub(crate) fn kept(slot: &'a Slot) -> Self {
        Target { slot: Some(slot), unkept: None }
    }

    fn unkept(unkept: Unkept) -> Self {
        Target { slot: None, unkept: Some(Box::new(unkept)) }
    }
}

impl Slots {
    pub(crate) fn new(max: usize) -> Self {
        Slots {
            first: Table::new(FIRST, REACH),
            rest: OnceLock::new(),
            making: Mutex::new(()),
            count: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            max,
        }
    }

    /// Where the call with this key finds its plan.
    #[inline(never)]
    pub(crate) fn target(&self, key: &KeyRef<'_>, world: &World) -> Target<'_> {
        if let KeyRef::Key(own) = key {
            if let Some(cell) = self.at_home_itself(own) {
                return Target::kept(&cell.slot);
            }
        }
        self.target_anywhere(key, world)
    }

    #[inline(never)]
    fn target_anywhere(&self, key: &KeyRef<'_>, world: &World) -> Target<'_> {
        let (fingerprint, text) = match key {
            KeyRef::Text(text) => (Key::fingerprint_of(text), *text),
            KeyRef::Key(key) => (key.fingerprint(), key.as_str()),
            KeyRef::Owned(key) => (key.fingerprint(), key.as_str()),
        };
        match self.at_home(fingerprint, text).or_else(|| self.find_cell(fingerprint, text)) {
            Some(cell) => Target::kept(&cell.slot),
            None => self.new_target(key, world),
        }
    }

    /// A key that was not seen before, is past the cap, or is written in another way than before.
    #[cold]
    fn new_target(&self, key: &KeyRef<'_>, world: &World) -> Target<'_> {
        let key = match key.clone().into_key() {
            Ok(key) => key,
            Err(error) => {
                let plan = Arc::new(world.bind_invalid(Arc::new(error)));
                return Target::unkept(Unkept::Invalid(plan));
            }
        };
        match self.find(key.fingerprint(), key.as_str()) {
            Some(slot) => Target::kept(slot),
            None => Target::unkept(Unkept::New(key)),
        }
    }

    /// The plan of a key that was not seen before, if its provider answers at once. Only some keys without a policy take
    /// a place under the cap: whoever makes up keys must not push out those that are used.
    #[cold]
    pub(crate) fn plan_of_new(&self, key: &Key, world: &World) -> Option<PlanRef<'_>> {
        if let Some(slot) = self.find(key.fingerprint(), key.as_str()) {
            return slot.plan_now(world);
        }
        let at = world.now();
        let answer = world.ask_now(key)?;
        if let Some(cell) = self.cell(key, world.refuses(&answer)) {
            return Some(cell.slot.bind(world, answer, at));
        }
        Some(PlanRef::Counted(Arc::new(world.bind(key, answer, at, None))))
    }

    /// The slot of a key to keep; a slot of its own past the cap.
    pub(crate) fn shared(&self, key: &Key) -> Arc<Slot> {
        self.cell(key, false)
            .map_or_else(|| Arc::new(Slot::new(key.clone(), false)), |cell| cell.slot.clone())
    }

    /// The slot of a key, made if there is none and the cap allows it.
    pub(crate) fn get(&self, key: &Key) -> Option<&Slot> {
        self.cell(key, false).map(|cell| &*cell.slot)
    }

    /// The same; `refused` for a key without a policy.
    fn cell(&self, key: &Key, refused: bool) -> Option<&Cell> {
        // Asked before looking: the slot that took the last place can be found by then.
        let has_room = self.has_room(refused);
        let find = || self.find_cell(key.fingerprint(), key.as_str());
        if let Some(cell) = find() {
            return Some(cell);
        }
        if !has_room {
            return None;
        }
        let _one = self.making.lock();
        if let Some(cell) = find() {
            return Some(cell);
        }
        if !self.has_room(refused) {
            return None;
        }
        let cell = self.insert(key)?;
        self.count.fetch_add(1, Ordering::Release);
        if refused {
            self.refused.fetch_add(1, Ordering::Release);
        }
        Some(cell)
    }

    fn has_room(&self, refused: bool) -> bool {
        !self.is_full() && (!refused || self.refused.load(Ordering::Acquire) < self.max / REFUSED_PART)
    }

    /// Makes the slot of a key that has none. The caller holds the lock.
    fn insert(&self, key: &Key) -> Option<&Cell> {
        if let Some(cell) = self.first.insert(key) {
            return Some(cell);
        }
        self.rest.get_or_init(|| Table::new(self.max.saturating_mul(3) / 2, usize::MAX)).insert(key)
    }

    pub(crate) fn find(&self, fingerprint: u64, text: &str) -> Option<&Slot> {
        self.find_cell(fingerprint, text).map(|cell| &*cell.slot)
    }

    /// The same for a key whose slot was made with this very text, as a static key's is: then no text has to be read.
    #[inline]
    fn at_home_itself(&self, key: &Key) -> Option<&Cell> {
        let in_rest = self.rest.get().and_then(|rest| rest.at_home_itself(key));
        in_rest.or_else(|| self.first.at_home_itself(key))
    }

    /// The key's cell, if it is the first in which it may stand: that of most keys is. Where there is a large table, most
    /// of them are there.
    #[inline]
    fn at_home(&self, fingerprint: u64, text: &str) -> Option<&Cell> {
        let in_rest = self.rest.get().and_then(|rest| rest.at_home(fingerprint, text));
        in_rest.or_else(|| self.first.at_home(fingerprint, text))
    }

    fn find_cell(&self, fingerprint: u64, text: &str) -> Option<&Cell> {
        let in_rest = self.rest.get().and_then(|rest| rest.find(fingerprint, text));
        in_rest.or_else(|| self.first.find(fingerprint, text))
    }

    /// Whether a further key would get no state.
    pub(crate) fn is_full(&self) -> bool {
        self.len() >= self.max
    }

    /// Keys that have a slot.
    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }
}

impl Table {
    fn new(cells: usize, reach: usize) -> Self {
        let cells = cells.max(FIRST).next_power_of_two();
        Table { cells: (0..cells).map(|_| OnceLock::new()).collect(), reach: reach.min(cells) }
    }

    /// What stands in the first cell in which a key may.
    #[inline]
    fn home(&self, fingerprint: u64) -> Option<&Cell> {
        self.cells.get(self.start(fingerprint))?.get()
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the mask keeps fewer bits than either has")]
    fn start(&self, fingerprint: u64) -> usize {
        fingerprint as usize & (self.cells.len() - 1)
    }

    /// The cells in which a key may stand, in order.
    fn places(&self, fingerprint: u64) -> impl Iterator<Item = &OnceLock<Cell>> {
        let (start, mask) = (self.start(fingerprint), self.cells.len() - 1);
        (0..self.reach).map(move |step| &self.cells[(start + step) & mask])
    }

    /// The key's cell, if it is the first in which it may stand and was made with this very text, as a static key's is.
    #[inline]
    fn at_home_itself(&self, key: &Key) -> Option<&Cell> {
        let cell = self.home(key.fingerprint())?;
        let is_itself = || std::ptr::eq(cell.slot.key.as_str(), key.as_str());
        (cell.fingerprint == key.fingerprint() && is_itself()).then_some(cell)
    }

    /// The key's cell, if it is the first in which it may stand.
    fn at_home(&self, fingerprint: u64, text: &str) -> Option<&Cell> {
        self.home(fingerprint).filter(|cell| cell.is_of(fingerprint, text))
    }

    fn find(&self, fingerprint: u64, text: &str) -> Option<&Cell> {
        self.places(fingerprint).map_while(OnceLock::get).find(|cell| cell.is_of(fingerprint, text))
    }

    /// A cell of its own for a key that has none; `None` where every cell in reach is taken by another key.
    fn insert(&self, key: &Key) -> Option<&Cell> {
        let place = self.places(key.fingerprint()).find(|place| place.get().is_none())?;
        let fingerprint = key.fingerprint();
        Some(place.get_or_init(|| Cell { fingerprint, slot: Arc::new(Slot::new(key.clone(), true)) }))
    }
}

/// Whether two texts are one. Those of a static key mostly stand at the same place.
#[inline]
fn is_same(one: &str, other: &str) -> bool {
    std::ptr::eq(one, other) || one == other
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Key {
        Key::new(&format!("svc.op{number}")).unwrap()
    }

    #[test]
    fn every_key_within_the_cap_has_its_own_slot() {
        let slots = Slots::new(2_000);
        for number in 0..2_000 {
            assert_eq!(slots.get(&key(number)).unwrap().key, key(number));
        }
        for number in 0..2_000 {
            let key = key(number);
            assert_eq!(slots.find(key.fingerprint(), key.as_str()).unwrap().key, key);
        }
        assert_eq!(slots.len(), 2_000);
    }

    #[test]
    fn a_key_whose_text_a_slot_was_made_with_finds_that_slot_and_no_other_key_does() {
        let slots = Slots::new(2_000);
        let keys: Vec<_> = (0..1_000).map(key).collect();
        for key in &keys {
            slots.get(key);
        }
        let mut found = 0;
        for (number, own) in keys.iter().enumerate() {
            if let Some(cell) = slots.at_home_itself(own) {
                assert_eq!(cell.slot.key, *own);
                found += 1;
            }
            assert!(slots.at_home_itself(&key(number)).is_none(), "the same text at another place");
        }
        assert!(found > 700, "{found} of the keys are at home");
        assert!(slots.at_home_itself(&key(1_000)).is_none());
    }

    #[test]
    fn a_key_past_the_cap_gets_none_and_the_others_stay() {
        let slots = Slots::new(3);
        for number in 0..10 {
            assert_eq!(slots.get(&key(number)).is_some(), number < 3);
        }
        assert!(slots.get(&key(1)).is_some());
        assert_eq!(slots.len(), 3);
    }

    #[test]
    fn threads_that_meet_at_a_key_share_its_slot_and_never_pass_the_cap() {
        let slots = Slots::new(50);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..200 {
                        let key = key(number % 100);
                        assert!(slots.get(&key).is_none_or(|slot| slot.key == key));
                    }
                });
            }
        });
        assert_eq!(slots.len(), 50);
        assert_eq!(
            (0..100).filter(|&n| slots.find(key(n).fingerprint(), key(n).as_str()).is_some()).count(),
            50
        );
    }
}
