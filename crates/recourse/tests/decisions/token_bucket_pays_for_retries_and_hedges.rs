//! The token bucket in an executor: first attempts are free, retries and hedges are paid for.

use crate::stage::{KEY, Stage, ms, plain};
use recourse::budget::TokenBucket;
use recourse::{Executor, Policy, Sleeper};
use recourse_test::{Script, expect};
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn stage(policy: Policy, tokens: u32, per_second: f64) -> (Stage, Arc<TokenBucket>) {
    let bucket = Arc::new(TokenBucket::new(tokens, per_second).expect("a bucket"));
    let stage = Stage::with(policy, |builder| builder.budget("bucket", bucket.clone()));
    (stage, bucket)
}

#[test]
fn the_first_attempt_is_neither_charged_nor_denied() {
    let (stage, bucket) = stage(plain().retry_budget("bucket"), 1, 0.0);
    for _ in 0..5 {
        expect(&stage.play(Script::ok(7)).timeline).success().budget_reasons(["allowed"]);
    }
    assert_eq!(bucket.available(stage.time.now()), 1);
    expect(&stage.play(Script::<u32>::fails(9)).timeline)
        .stop("budget_denied")
        .endings(["failed", "failed", "denied"]);
    assert_eq!(bucket.available(stage.time.now()), 0);
    expect(&stage.play(Script::ok(7)).timeline).success();
    expect(&stage.play(Script::<u32>::fails(9)).timeline).stop("budget_denied").endings(["failed", "denied"]);
}

#[test]
fn a_bucket_that_gates_first_attempts_charges_and_denies_them() {
    let bucket = Arc::new(TokenBucket::new(1, 0.0).unwrap().gate_first_attempts());
    let stage =
        Stage::with(plain().retry_budget("bucket"), |builder| builder.budget("bucket", bucket.clone()));
    expect(&stage.play(Script::ok(7)).timeline).success();
    let played = stage.play(Script::ok(7));
    expect(&played.timeline).stop("budget_denied").attempts(0);
    assert_eq!(played.operation.count(), 0);
}

#[test]
fn hedges_are_charged_in_the_first_group_too() {
    let policy = plain().hedge_after(ms(10)).max_hedges(3).hedge_budget("bucket");
    let (stage, bucket) = stage(policy, 2, 0.0);
    let played = stage.play(Script::never().then_never().then_ok(7).takes(ms(50)));
    expect(&played.timeline).endings(["superseded", "superseded", "won", "denied"]).hedges(2);
    assert_eq!(bucket.available(stage.time.now()), 0);
}

#[test]
fn one_bucket_in_both_places_pays_for_both() {
    let policy = plain().hedge_after(ms(10)).max_hedges(1).retry_budget("bucket").hedge_budget("bucket");
    let (stage, bucket) = stage(policy, 2, 0.0);
    let played = stage.play(Script::<u32>::fails(9).takes(ms(15)));
    expect(&played.timeline)
        .stop("budget_denied")
        .endings(["failed", "failed", "failed", "denied", "denied"])
        .indices([(0, 0), (0, 1), (1, 0), (1, 1), (2, 0)]);
    assert_eq!(bucket.available(stage.time.now()), 0);
}

#[test]
fn a_retry_costs_what_the_policy_says_or_is_denied_whole() {
    let (stage, bucket) = stage(plain().retry_budget("bucket").retry_cost(3), 5, 0.0);
    expect(&stage.play(Script::<u32>::fails(9)).timeline).stop("budget_denied").attempts(2);
    assert_eq!(bucket.available(stage.time.now()), 2);
}

#[test]
fn tokens_come_back_with_time() {
    let (stage, bucket) = stage(plain().max_attempts(2).retry_budget("bucket"), 1, 10.0);
    expect(&stage.play(Script::<u32>::fails(9)).timeline).stop("attempts_exhausted");
    expect(&stage.play(Script::<u32>::fails(9)).timeline).stop("budget_denied");
    stage.time.advance(ms(100));
    assert_eq!(bucket.available(stage.time.now()), 1);
    expect(&stage.play(Script::fails(1).then_ok(7)).timeline).success();
}

#[test]
fn a_bucket_is_shared_by_the_keys_that_name_it() {
    let stage = Stage::with(plain().retry_budget("bucket"), |builder| {
        let builder = builder.budget("bucket", TokenBucket::new(1, 0.0).unwrap());
        builder.policy("shop.Sell", plain().retry_budget("bucket"))
    });
    expect(&stage.play(Script::fails(1).then_ok(7)).timeline).success();
    let operation = Script::<u32>::fails(9).on(&stage.time);
    let call = stage.executor.call("shop.Sell").run_captured(|attempt| operation.call(attempt));
    let (_, timeline) = stage.time.run(call);
    expect(&timeline).stop("budget_denied").attempts(1);
}

/// Every wait is over at once.
struct NoWait;

impl Sleeper for NoWait {
    fn sleep<'s, 'f>(&'s self, _: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        Box::pin(ready(()))
    }
}

#[test]
fn threads_together_retry_exactly_as_often_as_there_are_tokens() {
    const TOKENS: usize = 1_000;
    let bucket = TokenBucket::new(1_000, 0.0).unwrap();
    let builder = Executor::builder().sleeper(NoWait).budget("bucket", bucket);
    let executor = builder.policy(KEY, plain().max_attempts(5).retry_budget("bucket")).build().unwrap();
    let (runs, calls) = (AtomicUsize::new(0), 8 * 100);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let call = executor.run(KEY, async |_| {
                        runs.fetch_add(1, Ordering::Relaxed);
                        Err::<(), _>(std::io::Error::other("down"))
                    });
                    assert!(futures::executor::block_on(call).is_err());
                }
            });
        }
    });
    assert_eq!(runs.load(Ordering::Relaxed), calls + TOKENS);
}
