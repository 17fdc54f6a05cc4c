//! recourse, by prepared handle, by static key and by string key.
//!
//! Always there: a policy whose names are resolved once, the default classifier `auto` (the error is no HTTP failure),
//! panic fences round foreign plugins, a jittered backoff, the real error kept. Timers are tokio's. Where three
//! attempts fail, the sleeper is one whose sleeps are ready at once. The budget is a token bucket that never runs dry.

use crate::case::Case;
use crate::harness::{Runner, Slept, block_on, repeat};
use crate::operation::{Failing, Operation, PendingOnce, Ready};
use crate::settings::{ATTEMPTS, HEDGE_AFTER, OPEN_FOR, THRESHOLD, TIMEOUT};
use recourse::budget::TokenBucket;
use recourse::{Executor, ExecutorBuilder, Key, Observer, Policy, Sleeper, TokioSleeper};
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

const KEY: Key = Key::from_static("bench.Call");
const BUDGET: &str = "retries";

/// By prepared handle: every case.
pub fn prepare(case: Case) -> Option<Runner> {
    let handle = executor(case).handle(&KEY).expect("a static key is a key");
    Some(match case {
        Case::PlainPending | Case::TimeoutArmed | Case::HedgeArmed | Case::AllArmed => {
            repeat(case, async move || handle.run(|_| PendingOnce.call()).await)
        }
        Case::ThreeFail | Case::ThreeFailBudget => {
            repeat(case, async move || handle.run(|_| Failing.call()).await)
        }
        Case::BreakerOpen => {
            assert!(block_on(handle.run(|_| Failing.call())).is_err());
            repeat(case, async move || handle.run(|_| Ready.call()).await)
        }
        Case::Captured => repeat(case, async move || {
            let (result, timeline) = handle.call().run_captured(|_| Ready.call()).await;
            result.map(|value| (value, timeline))
        }),
        _ => repeat(case, async move || handle.run(|_| Ready.call()).await),
    })
}

/// By a key whose hash is known at compile time: the plain cases.
pub fn prepare_by_static_key(case: Case) -> Option<Runner> {
    let executor = executor(case);
    match case {
        Case::Plain => Some(repeat(case, async move || executor.run(&KEY, |_| Ready.call()).await)),
        Case::PlainPending => {
            Some(repeat(case, async move || executor.run(&KEY, |_| PendingOnce.call()).await))
        }
        _ => None,
    }
}

/// By a text that is hashed and compared at every call: the plain cases.
pub fn prepare_by_string_key(case: Case) -> Option<Runner> {
    let executor = executor(case);
    match case {
        Case::Plain => Some(repeat(case, async move || executor.run("bench.Call", |_| Ready.call()).await)),
        Case::PlainPending => {
            Some(repeat(case, async move || executor.run("bench.Call", |_| PendingOnce.call()).await))
        }
        _ => None,
    }
}

/// Bytes of a call's future beyond the operation's own, by handle: plain and captured.
pub fn future_overhead<O: Operation>(operation: O) -> (usize, usize) {
    let handle = executor(Case::Plain).handle(&KEY).expect("a static key is a key");
    let own = size_of::<O::Attempt>();
    let plain = size_of_val(&handle.run(move |_| operation.call()));
    let captured = size_of_val(&handle.call().run_captured(move |_| operation.call()));
    (plain - own, captured - own)
}

fn executor(case: Case) -> Executor {
    let builder = Executor::builder().policy(&KEY, policy(case));
    with_plugins(builder, case).build().expect("the policies of the benches are valid")
}

fn policy(case: Case) -> Policy {
    let policy = Policy::new().max_attempts(ATTEMPTS);
    match case {
        Case::Timeout | Case::TimeoutArmed => policy.timeout_per_attempt(TIMEOUT),
        Case::BreakerClosed => policy.circuit(THRESHOLD, OPEN_FOR),
        Case::BreakerOpen => policy.circuit(1, OPEN_FOR),
        Case::Budget | Case::ThreeFailBudget => policy.retry_budget(BUDGET),
        Case::Hedge | Case::HedgeArmed => policy.hedge_after(HEDGE_AFTER),
        Case::All | Case::AllArmed => policy
            .timeout_per_attempt(TIMEOUT)
            .circuit(THRESHOLD, OPEN_FOR)
            .retry_budget(BUDGET)
            .hedge_after(HEDGE_AFTER)
            .hedge_budget(BUDGET),
        _ => policy,
    }
}

fn with_plugins(builder: ExecutorBuilder, case: Case) -> ExecutorBuilder {
    let builder = match case {
        Case::ThreeFail | Case::ThreeFailBudget | Case::BreakerOpen => builder.sleeper(NoWait),
        _ => builder.sleeper(TokioSleeper),
    };
    match case {
        Case::Observed => builder.observer(Silent),
        Case::Budget | Case::ThreeFailBudget | Case::All | Case::AllArmed => {
            let bucket = TokenBucket::new(u32::MAX, 1e9).expect("the largest bucket is a bucket");
            builder.budget(BUDGET, bucket)
        }
        _ => builder,
    }
}

/// Hears everything and does nothing.
struct Silent;

impl Observer for Silent {}

/// Its sleeps are ready at once.
struct NoWait;

impl Sleeper for NoWait {
    fn sleep<'s, 'f>(&'s self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(Slept)
    }
}
