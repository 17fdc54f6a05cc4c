//! A breaker of our own on a clock of our own is asked and told without a fence, and mostly without an observer: the way of
//! nearly every call there is. Wrapped in a plugin it goes the way of plugins. Both hear the same.
//!
//! On tokio's paused clock, which is one of our own.
#![cfg(feature = "tokio")]

use crate::scene::{KEY, built, ms, plain};
use futures::future::{join_all, poll_fn};
use recourse::circuit::{Breakers, ConsecutiveFailures, FailureRatio, Recovery, SlowCalls};
use recourse::{
    Attempt, AttemptKind, BreakerFactory, BreakerSettings, Budget, BudgetRequest, CircuitState, Decision,
    Executor, Handle, Key, Observer, Policy, Sleeper, StopReason, TokioClock, TokioSleeper,
};
use recourse_test::SeededRandom;
use std::future::pending;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

/// Keeps calls from being early.
struct Watching;

impl Observer for Watching {}

/// Denies every third retry or hedge.
#[derive(Default)]
struct EveryThird(AtomicU32);

impl Budget for EveryThird {
    fn allow_attempt(&self, request: &BudgetRequest<'_>) -> Decision {
        let is_extra = !request.is_first_attempt() || request.kind() == AttemptKind::Hedge;
        match is_extra && self.0.fetch_add(1, Ordering::Relaxed) % 3 == 2 {
            true => Decision::deny("third"),
            false => Decision::allow(),
        }
    }
}

/// What an attempt does after so many milliseconds.
#[derive(Clone, Copy, Debug)]
enum End {
    Ok,
    Fails,
    Panics,
    Hangs,
}

/// One call: what its attempts do, in turn, and when its caller loses patience.
#[derive(Clone, Debug)]
struct Script {
    attempts: Vec<(u64, End)>,
    patience: Option<u64>,
}

fn script(random: &mut SeededRandom) -> Script {
    let ends = [End::Ok, End::Ok, End::Ok, End::Fails, End::Fails, End::Fails, End::Panics, End::Hangs];
    let attempts = (0..9).map(|_| (*random.pick(&[0, 0, 1, 7, 30, 80]), *random.pick(&ends))).collect();
    Script { attempts, patience: *random.pick(&[None, None, Some(0), Some(5), Some(40)]) }
}

/// How a call ended: `None` where it was dropped, and a panic as a panic.
type Ended = Result<Option<Result<u32, (StopReason, u32)>>, ()>;

async fn run(handle: &Handle, script: Script) -> Ended {
    let next = AtomicU32::new(0);
    let operation = |_: Attempt| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let (takes, end) = script.attempts[number as usize % script.attempts.len()];
        async move {
            if takes > 0 {
                TokioSleeper.sleep(ms(takes)).await;
            }
            match end {
                End::Ok => Ok(number),
                End::Fails => Err(io::Error::other("down")),
                End::Panics => panic!("the operation"),
                End::Hangs => pending().await,
            }
        }
    };
    let patience = script.patience.unwrap_or(200);
    let call = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(handle.run(operation)));
    let mut call = pin!(call);
    let mut patience = pin!(TokioSleeper.sleep(ms(patience)));
    poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Ready(Ok(result)) => {
            Poll::Ready(Ok(Some(result.map_err(|error| (error.stop_reason(), error.attempts())))))
        }
        Poll::Ready(Err(_)) => Poll::Ready(Err(())),
        Poll::Pending => patience.as_mut().poll(cx).map(|()| Ok(None)),
    })
    .await
}

fn kind(round: u64) -> Breakers {
    let recovery = Recovery::fixed().probes(2).successes(2);
    let ratio = |ratio: FailureRatio| ratio.ratio(0.4).minimum_attempts(4).recovery(recovery);
    let kind = match round % 4 {
        0 => ConsecutiveFailures::new().recovery(recovery).build(),
        1 => ratio(FailureRatio::over_attempts(12)).build(),
        2 => ratio(FailureRatio::over_time(Duration::from_secs(2))).build(),
        _ => SlowCalls::longer_than(ms(20)).beside(ratio(FailureRatio::over_attempts(12))).build(),
    };
    kind.expect("the kind is valid")
}

fn policy(random: &mut SeededRandom) -> Policy {
    let policy = plain().backoff(ms(3), ms(9)).max_attempts(*random.pick(&[1, 2, 3]));
    let policy = policy.circuit(*random.pick(&[2, 4]), ms(150)).circuit_breaker("own");
    let policy = if random.chance(0.4) { policy.hedge_after(ms(5)).max_hedges(2) } else { policy };
    let policy = if random.chance(0.4) { policy.timeout_per_attempt(ms(50)) } else { policy };
    let policy = if random.chance(0.2) { policy.overall_timeout(ms(90)) } else { policy };
    match *random.pick(&[0, 1, 2]) {
        0 => policy,
        1 => policy.retry_budget("third"),
        _ => policy.retry_budget("third").hedge_budget("third"),
    }
}

/// All that a world shows: how its calls end, and where the circuit stands after them.
fn history(seed: u64, is_own: bool) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(live(seed, is_own))
}

async fn live(seed: u64, is_own: bool) -> Vec<String> {
    let mut random = SeededRandom::new(seed);
    let kind = kind(seed);
    let builder = Executor::builder().clock(TokioClock::new()).sleeper(TokioSleeper).seed(1);
    let builder = match is_own {
        true => builder.circuit_breaker("own", kind),
        false => builder
            .circuit_breaker("own", move |key: &Key, settings: &BreakerSettings| kind.breaker(key, settings)),
    };
    let builder = if random.chance(0.3) { builder.observer(Watching) } else { builder };
    let executor = built(builder.budget("third", EveryThird::default()).policy(KEY, policy(&mut random)));
    let handle = executor.handle(KEY).expect("a key");
    let mut seen = Vec::new();
    for _ in 0..40 {
        let crowd = *random.pick(&[1, 1, 2, 4]);
        let scripts: Vec<_> = (0..crowd).map(|_| script(&mut random)).collect();
        let ended = join_all(scripts.into_iter().map(|script| run(&handle, script))).await;
        let status = executor.circuit_status(KEY).expect("the key has a circuit");
        let cause = status.last_trip.map(|trip| trip.cause);
        assert_eq!(status.probes, 0, "nobody probes any more");
        seen.push(format!("{ended:?} {:?} {} {} {cause:?}", status.state, status.counted, status.failed));
        tokio::time::advance(ms(*random.pick(&[0, 1, 60, 160]))).await;
    }
    seen
}

#[test]
fn whatever_calls_do_a_breaker_of_our_own_hears_what_a_plugin_hears() {
    let (mut open, mut half_open) = (0, 0);
    for seed in 0..200 {
        let (own, others) = (history(seed, true), history(seed, false));
        for (at, (own, other)) in own.iter().zip(&others).enumerate() {
            assert_eq!(own, other, "step {at} of seed {seed}");
            open += usize::from(own.contains(&format!(" {:?} ", CircuitState::Open)));
            half_open += usize::from(own.contains(&format!(" {:?} ", CircuitState::HalfOpen)));
        }
    }
    assert!(open > 500 && half_open > 50, "{open} steps left the circuit open, {half_open} half-open");
}
