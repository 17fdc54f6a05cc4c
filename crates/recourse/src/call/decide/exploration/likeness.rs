//! Which worlds count as one: those that differ only in when it is.
//!
//! A moment counts by its distance from now, and what is due is due, however long already. That loses nothing: the core
//! compares a moment with the present, or asks which of several comes first to have that compared with the present, and
//! sets new ones by their distance from it.
//!
//! Nothing else is left out. Hedges could nearly pass for each other, which would more than halve the states; but slots
//! decide ties and the order of cuts, so each keeps its own, and what the core only tells of itself stands here too. So
//! nothing has to be believed of the core but that it is a function of its fields.

use super::world::World;
use crate::call::decide::{NEVER, Progress, SLOTS, Step};
use recourse_core::Moment;

const MILLISECOND: u64 = 1_000_000;

/// The fields of a number, put in one behind the other.
struct Packed(u64);

impl Packed {
    fn put(&mut self, bits: u32, value: u64) {
        debug_assert!(value >> bits == 0, "{value} in {bits} bits");
        self.0 = self.0 << bits | value;
    }
}

/// How far off a moment is, in 3 bits.
fn distance(moment: Moment, now: Moment) -> u64 {
    match moment {
        NEVER => 7,
        moment => moment.as_nanos().saturating_sub(now.as_nanos()) / MILLISECOND,
    }
}

/// The step, and the slot or the milliseconds in it.
fn parts(step: Step) -> (u64, u64) {
    match step {
        Step::Ask { slot } => (0, slot as u64),
        Step::Poll => (1, 0),
        Step::Advise => (2, 0),
        Step::Cut { slot } => (3, slot as u64),
        Step::Draw => (4, 0),
        Step::Peek { wait } => (5, wait / MILLISECOND),
        Step::Wait { wait } => (6, wait / MILLISECOND),
        Step::Finish { .. } => (7, 0),
    }
}

/// The same number for worlds that are alike, and for no others.
pub(super) fn key(world: &World) -> u64 {
    let (now, pended) = (world.now, world.ledger.pended);
    // Every field is named, so that a new one is thought of here. Whether a call can hedge, and whether it leaves
    // retrying to another, is the same in a whole exploration, and one that is done is not kept.
    let &Progress {
        group,
        live,
        used,
        failed,
        worst,
        server,
        hedge_check,
        after_failure,
        hedging,
        can_hedge: _,
        deadline,
        left_to_outer: _,
        cut_at,
        done: _,
    } = &world.progress;
    let mut key = Packed(0);
    let (step, part) = parts(world.step);
    key.put(3, step);
    key.put(3, part);
    key.put(3, u64::from(group));
    key.put(SLOTS as u32, u64::from(live));
    key.put(SLOTS as u32, u64::from(pended));
    key.put(3, u64::from(used));
    key.put(3, u64::from(failed));
    // None of them is a success.
    key.put(5, worst.map_or(0, |(kind, slot)| (kind as u64) << 2 | u64::from(slot)));
    key.put(2, server / MILLISECOND);
    key.put(1, u64::from(hedging));
    key.put(1, u64::from(after_failure));
    key.put(3, distance(hedge_check, now));
    key.put(3, distance(deadline, now));
    for moment in &cut_at {
        key.put(3, distance(*moment, now));
    }
    key.0
}
