//! What a call and a key of recourse weigh in memory.

use crate::case::Case;
use crate::contestants::recourse::executor::{KEY, executor};
use crate::contestants::recourse::keys::texts;
use crate::harness::block_on;
use crate::operation::{Operation, Ready};
use recourse::{Executor, Policy};

/// Bytes of a call's future beyond the operation's own, by handle: plain and captured.
///
/// # Panics
///
/// Never: there is a case `plain`.
pub fn future_overhead<O: Operation>(operation: O) -> (usize, usize) {
    let plain = Case::named("plain").and_then(executor).expect("plain is a call");
    let handle = plain.handle(&KEY).expect("a static key is a key");
    let own = size_of::<O::Attempt>();
    let run = size_of_val(&handle.run(move |_| operation.call()));
    let captured = size_of_val(&handle.call().run_captured(move |_| operation.call()));
    (run - own, captured - own)
}

/// What is kept for a key.
#[derive(Clone, Copy, Debug)]
pub enum Tracking {
    /// What every key has.
    Nothing,
    /// A breaker too.
    Breaker,
    /// The latencies of its calls too.
    Latency,
}

impl Tracking {
    /// Every way, with its name in reports.
    pub const ALL: [(&'static str, Tracking); 3] =
        [("retries", Tracking::Nothing), ("breaker", Tracking::Breaker), ("latency", Tracking::Latency)];

    /// An executor that keeps it.
    ///
    /// # Panics
    ///
    /// Never: the policies are valid.
    pub fn executor(self) -> Executor {
        let policy = match self {
            Tracking::Nothing => Policy::new(),
            Tracking::Breaker => Policy::new().circuit(crate::settings::THRESHOLD, crate::settings::OPEN_FOR),
            Tracking::Latency => Policy::new().hedge_trigger("p95"),
        };
        Executor::builder().default_policy(policy).build().expect("the policies of the benches are valid")
    }
}

/// Calls every key once, from number `from` on and before `to`.
///
/// # Panics
///
/// If a call fails, or the executor keeps another number of keys then.
pub fn call_keys(executor: &Executor, from: usize, to: usize) {
    for text in texts(to).skip(from) {
        block_on(executor.run(text.as_str(), |_| Ready.call())).expect("the operation succeeds");
    }
    assert_eq!(executor.key_count(), to, "keys that are kept");
}
