//! A thousand calls at once on several threads, some of them dropped anywhere: starts equal ends, nothing stays out.

use crate::scene::{built, ms, plain};
use recourse::{
    Admission, AdmissionRequest, BreakerSettings, CircuitBreaker, CircuitState, Executor, Health, Key, Now,
    Rejection, Sleeper, Ticket, Transition,
};
use recourse_test::{RecordingObserver, ScriptedBudget, SeededRandom, VirtualTime, expect};
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

const CALLS: u64 = 1_000;

/// Takes turns instead of time: a sleep is over after as many polls as it has milliseconds, at most 16, and then says
/// that this time has passed.
struct Turns(VirtualTime);

#[async_trait::async_trait]
impl Sleeper for Turns {
    async fn sleep(&self, duration: Duration) {
        for _ in 0..duration.as_millis().min(16) {
            tokio::task::yield_now().await;
        }
        self.0.advance(duration);
    }
}

/// Counts what it admitted and what was reported, and rejects one attempt in twenty.
#[derive(Default)]
struct Counting {
    asked: AtomicUsize,
    out: AtomicUsize,
}

impl CircuitBreaker for Counting {
    fn admit(&self, _: &AdmissionRequest<'_>) -> Admission {
        if self.asked.fetch_add(1, Ordering::SeqCst) % 20 == 19 {
            return Admission::Rejected(Rejection::new(CircuitState::Open, "circuit_open"));
        }
        self.out.fetch_add(1, Ordering::SeqCst);
        Admission::Admitted(Ticket::normal(0), None)
    }
    fn report(&self, _: Ticket, _: Health, _: &Now<'_>) -> Option<Transition> {
        self.out.fetch_sub(1, Ordering::SeqCst);
        None
    }
    fn state(&self) -> CircuitState {
        CircuitState::Closed
    }
}

struct Props {
    executor: Executor,
    observer: RecordingObserver,
    budget: ScriptedBudget,
    breaker: Arc<Counting>,
}

fn props() -> Props {
    let (observer, budget) = (RecordingObserver::new(), ScriptedBudget::allows(1));
    let breaker = Arc::new(Counting::default());
    let made = breaker.clone();
    let factory = move |_: &Key, _: &BreakerSettings| -> Arc<dyn CircuitBreaker> { made.clone() };
    let policy = plain()
        .max_attempts(4)
        .backoff(ms(1), ms(4))
        .timeout_per_attempt(ms(12))
        .overall_timeout(ms(60_000))
        .hedge_after(ms(10))
        .max_hedges(2)
        .retry_budget("b")
        .hedge_budget("b")
        .circuit_breaker("c");
    let time = VirtualTime::new();
    let builder = Executor::builder().clock(time.clone()).sleeper(Turns(time)).observer(observer.clone());
    let builder = builder.budget("b", budget.clone()).circuit_breaker("c", factory);
    Props { executor: built(builder.default_policy(policy)), observer, budget, breaker }
}

/// Polls a call so many times at most, and then drops it.
async fn dropped_after<F: Future>(polls: u64, call: F) -> Option<F::Output> {
    let mut call = pin!(call);
    let mut left = polls;
    poll_fn(|context| {
        let Some(next) = left.checked_sub(1) else { return Poll::Ready(None) };
        left = next;
        call.as_mut().poll(context).map(Some)
    })
    .await
}

async fn one(executor: Executor, number: u64) -> bool {
    let mut random = SeededRandom::new(number);
    let key = ["a.Read", "a.Write", "b.Read", "c.List"][random.number(0..=3) as usize];
    let turns: Vec<_> = (0..12).map(|_| (random.number(0..=20), random.chance(0.6))).collect();
    let polls = if random.chance(0.4) { random.number(0..=25) } else { u64::MAX };
    drop(random);
    let launched = AtomicUsize::new(0);
    let call = executor.run(key, |_| {
        let (yields, fails) = turns[launched.fetch_add(1, Ordering::Relaxed) % turns.len()];
        async move {
            for _ in 0..yields {
                tokio::task::yield_now().await;
            }
            if fails { Err(io::Error::other("busy")) } else { Ok(yields) }
        }
    });
    dropped_after(polls, call).await.is_some()
}

#[test]
fn starts_equal_ends_and_nothing_stays_out() {
    let props = props();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let ended = runtime.block_on(async {
        let tasks: Vec<_> =
            (0..CALLS).map(|number| tokio::spawn(one(props.executor.clone(), number))).collect();
        let mut ended = 0;
        for task in tasks {
            ended += usize::from(task.await.unwrap());
        }
        ended
    });
    props.observer.assert_one_end_per_start();
    props.budget.assert_all_released();
    assert_eq!(props.breaker.out.load(Ordering::SeqCst), 0);
    let timelines = props.observer.timelines();
    for timeline in &timelines {
        expect(timeline).well_formed();
    }
    let cancelled =
        timelines.iter().filter(|t| t.stop.is_some_and(|s| s.as_str() == "context_canceled")).count();
    assert_eq!(ended + cancelled, timelines.len(), "every call ended or was dropped");
    assert!(ended > 500 && cancelled > 50, "{ended} ended, {cancelled} were dropped in the middle");
    let launched: usize = timelines.iter().map(recourse::Timeline::launched).sum();
    assert_eq!(props.budget.released(), launched, "one permit for each attempt");
}

#[test]
fn tasks_that_are_aborted_leave_nothing_behind() {
    let props = props();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..200)
            .map(|number| {
                let executor = props.executor.clone();
                tokio::spawn(async move {
                    let key = if number % 2 == 0 { "a.Read" } else { "b.Read" };
                    let wait = executor.run(key, |_| std::future::pending::<Result<(), io::Error>>());
                    wait.await.is_ok()
                })
            })
            .collect();
        // The scheduler runs a few dozen tasks between two polls of this one.
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        for task in &tasks {
            task.abort();
        }
        for task in tasks {
            assert!(!task.await.unwrap_or(false), "an operation that is never ready succeeded");
        }
    });
    drop(runtime);
    assert_eq!(props.observer.starts().len(), 200);
    props.observer.assert_one_end_per_start();
    props.budget.assert_all_released();
    assert_eq!(props.breaker.out.load(Ordering::SeqCst), 0);
}
