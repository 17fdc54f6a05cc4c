//! Calls of many keys, one after the other in a shuffled order.

use crate::case::Case;
use crate::contestants::recourse::executor::executor;
use crate::harness::{Runner, repeat};
use crate::operation::Operation;
use recourse::Key;

pub(super) fn by_handle(case: Case, many: usize, operation: impl Operation) -> Option<Runner> {
    let executor = executor(case)?;
    let handle = |text: String| executor.handle(text.as_str()).expect("a text of letters is a key");
    let mut handles = Turns::of(texts(many).map(handle).collect());
    Some(warm(many, repeat(case, async move || handles.next().run(|_| operation.call()).await)))
}

pub(super) fn by_static_key(case: Case, many: usize, operation: impl Operation) -> Option<Runner> {
    let executor = executor(case)?;
    // Leaked: a static key's text lives as long as the program.
    let mut keys = Turns::of(texts(many).map(|text| Key::from_static(text.leak())).collect());
    Some(warm(many, repeat(case, async move || executor.run(keys.next(), |_| operation.call()).await)))
}

pub(super) fn by_string_key(case: Case, many: usize, operation: impl Operation) -> Option<Runner> {
    let executor = executor(case)?;
    let mut keys = Turns::of(texts(many).collect());
    Some(warm(
        many,
        repeat(case, async move || executor.run(keys.next().as_str(), |_| operation.call()).await),
    ))
}

/// After a call of each key, so that what is built late is built.
fn warm(many: usize, mut runner: Runner) -> Runner {
    runner.run(many as u64);
    runner
}

/// So many keys.
pub(super) fn texts(many: usize) -> impl Iterator<Item = String> {
    (0..many).map(|number| format!("bench.Call{number}"))
}

/// Things that take turns, in an order that no cache foresees.
struct Turns<T> {
    things: Vec<T>,
    next: usize,
}

impl<T> Turns<T> {
    /// Shuffled as Fisher and Yates do, the same way in every run.
    fn of(mut things: Vec<T>) -> Self {
        let mut random = 1_u64;
        for last in (1..things.len()).rev() {
            // Knuth's constants for MMIX; the high bits are the random ones.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            things.swap(last, (random >> 33) as usize % (last + 1));
        }
        Turns { things, next: 0 }
    }

    #[inline]
    fn next(&mut self) -> &T {
        let now = self.next;
        self.next = if now + 1 == self.things.len() { 0 } else { now + 1 };
        &self.things[now]
    }
}
