//! A breaker of our own on a clock of our own is asked and told without a fence, and mostly without an observer: the way of
//! nearly every call there is. Wrapped in a plugin it goes the way of plugins. Both hear the same.
//!
//! On tokio's paused clock, which is one of our own. Wrapped in a clock of somebody else it makes every call late from its
//! start: what is observed is the same then, too.
#![cfg(feature = "tokio")]

use crate::scene::{KEY, built, ms, plain};
use futures::future::{join_all, poll_fn};
use recourse::budget::TokenBucket;
use recourse::circuit::{Breakers, ConsecutiveFailures, FailureRatio, Recovery, SlowCalls};
use recourse::{
    Attempt, AttemptKind, BreakerFactory, BreakerSettings, Budget, BudgetRequest, CircuitState, Clock,
    Decision, Executor, Handle, Key, Moment, Observer, Policy, Sleeper, StopReason, TokioClock, TokioSleeper,
};
use recourse_test::{Event, RecordingObserver, SeededRandom};
use std::future::pending;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

/// Keeps calls from having no more than a pass.
struct Watching;

impl Observer for Watching {}

/// A clock that is not one of our own, and shows the same. It has no calendar.
struct Foreign(TokioClock);

impl Clock for Foreign {
    fn now(&self) -> Moment {
        self.0.now()
    }
    fn instant(&self, moment: Moment) -> Option<Instant> {
        self.0.instant(moment)
    }
}

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
type Ended = Result<Option<Result<u32, (StopReason, u32, Duration)>>, ()>;

async fn run(handle: &Handle, script: Script, captures: bool) -> Ended {
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
    let call = async {
        match captures {
            true => handle.call().run_captured(operation).await.0,
            false => handle.run(operation).await,
        }
    };
    let call = futures::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(call));
    let mut call = pin!(call);
    let mut patience = pin!(TokioSleeper.sleep(ms(patience)));
    poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Ready(Ok(result)) => {
            let told =
                |error: recourse::Error<io::Error>| (error.stop_reason(), error.attempts(), error.elapsed());
            Poll::Ready(Ok(Some(result.map_err(told))))
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
    let policy = if random.chance(0.2) { policy.hedge_trigger("p50") } else { policy };
    let policy = if random.chance(0.4) { policy.timeout_per_attempt(ms(50)) } else { policy };
    let policy = if random.chance(0.2) { policy.overall_timeout(ms(90)) } else { policy };
    match *random.pick(&[0, 1, 2, 3]) {
        0 => policy,
        1 => policy.retry_budget("third"),
        2 => policy.retry_budget("bucket").hedge_budget("bucket"),
        _ => policy.retry_budget("third").hedge_budget("third"),
    }
}

/// What is in the way of a call, or not.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// Breaker and clock are our own.
    Own,
    /// The breaker is a plugin.
    Plugin,
    /// The clock is somebody else's.
    Late,
    /// Breaker and clock are our own, and every call is captured.
    Captured,
}

/// All that a world shows: how its calls end, and where the circuit stands after them.
fn history(seed: u64, way: Way, observer: Option<RecordingObserver>) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(live(seed, way, observer))
}

async fn live(seed: u64, way: Way, observer: Option<RecordingObserver>) -> Vec<String> {
    let mut random = SeededRandom::new(seed);
    let kind = kind(seed);
    let builder = Executor::builder().sleeper(TokioSleeper).seed(1);
    let builder = match way {
        Way::Late => builder.clock(Foreign(TokioClock::new())),
        _ => builder.clock(TokioClock::new()),
    };
    let builder = match way {
        Way::Plugin => builder
            .circuit_breaker("own", move |key: &Key, settings: &BreakerSettings| kind.breaker(key, settings)),
        _ => builder.circuit_breaker("own", kind),
    };
    let builder = if random.chance(0.3) { builder.observer(Watching) } else { builder };
    let builder = observer.into_iter().fold(builder, |builder, observer| builder.observer(observer));
    let bucket = TokenBucket::new(5, 10.0).expect("a bucket");
    let builder = builder.budget("third", EveryThird::default()).budget("bucket", bucket);
    let executor = built(builder.policy(KEY, policy(&mut random)));
    let handle = executor.handle(KEY).expect("a key");
    let mut seen = Vec::new();
    for _ in 0..40 {
        let crowd = *random.pick(&[1, 1, 2, 4]);
        let scripts: Vec<_> = (0..crowd).map(|_| script(&mut random)).collect();
        let captures = way == Way::Captured;
        let ended = join_all(scripts.into_iter().map(|script| run(&handle, script, captures))).await;
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
        let [own, plugin, late] = [Way::Own, Way::Plugin, Way::Late].map(|way| history(seed, way, None));
        for (at, own) in own.iter().enumerate() {
            assert_eq!(own, &plugin[at], "step {at} of seed {seed}");
            assert_eq!(own, &late[at], "step {at} of seed {seed}");
            open += usize::from(own.contains(&format!(" {:?} ", CircuitState::Open)));
            half_open += usize::from(own.contains(&format!(" {:?} ", CircuitState::HalfOpen)));
        }
    }
    assert!(open > 500 && half_open > 50, "{open} steps left the circuit open, {half_open} half-open");
}

#[test]
fn a_call_is_told_alike_whether_it_is_late_from_its_start_or_only_where_something_is_decided() {
    let mut told = 0;
    for seed in 0..120 {
        let [own, late, captured] = [Way::Own, Way::Late, Way::Captured].map(|way| {
            let observer = RecordingObserver::new();
            (history(seed, way, Some(observer.clone())), observer.events().into_iter().map(undated).collect())
        });
        let _: &Vec<Event> = &own.1;
        assert_eq!(own.0, late.0, "seed {seed}");
        assert_eq!(own.0, captured.0, "seed {seed}");
        for (at, event) in own.1.iter().enumerate() {
            assert_eq!(Some(event), late.1.get(at), "event {at} of seed {seed}");
            assert_eq!(Some(event), captured.1.get(at), "event {at} of seed {seed}");
        }
        assert_eq!((own.1.len(), own.1.len()), (late.1.len(), captured.1.len()), "seed {seed}");
        told += own.1.len();
    }
    assert!(told > 20_000, "{told} events");
}

/// The event without the calendar, which runs on while tokio's clock is paused.
fn undated(mut event: Event) -> Event {
    if let Event::Success(timeline) | Event::Failure(timeline) = &mut event {
        timeline.started_at = None;
    }
    event
}
