//! Calls on the system's clock that nobody watches: they do the least, and owe as much as any other.

use crate::scene::{KEY, built, plain};
use futures::future::poll_fn;
use futures::task::noop_waker;
use recourse::classify::Http;
use recourse::{
    Attempt, Budget, BudgetRequest, Decision, Error, Executor, ExecutorBuilder, Health, HttpFailure, Policy,
    Sleeper, StopReason,
};
use recourse_test::{RecordingObserver, ScriptedBreaker, ScriptedBudget, SeededRandom};
use std::future::{Future, ready};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

/// Its sleeps are over at once.
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

/// A policy with a budget and a breaker, both of which count what they gave.
struct Gates {
    budget: ScriptedBudget,
    breaker: ScriptedBreaker,
}

impl Gates {
    fn open() -> Self {
        Gates { budget: ScriptedBudget::allows(1), breaker: ScriptedBreaker::admits(1) }
    }

    fn builder(&self) -> ExecutorBuilder {
        let builder = Executor::builder().sleeper(NoWait).seed(1);
        let builder = builder.budget("b", self.budget.clone()).circuit_breaker("c", self.breaker.clone());
        builder.policy(KEY, plain().retry_budget("b").circuit_breaker("c"))
    }

    fn executor(&self) -> Executor {
        built(self.builder())
    }

    #[track_caller]
    fn assert_all_given_back(&self) {
        self.budget.assert_all_released();
        self.breaker.assert_all_reported();
    }
}

/// Polls a future until it is ready; nothing here wakes anybody.
fn now<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = noop_waker();
    for _ in 0..100 {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
    }
    panic!("it waits for ever");
}

/// Pending so often, then this.
async fn after<R>(polls: usize, result: R) -> R {
    let mut left = polls;
    poll_fn(|_| match left {
        0 => Poll::Ready(()),
        _ => {
            left -= 1;
            Poll::Pending
        }
    })
    .await;
    result
}

fn failed<T>() -> io::Result<T> {
    Err(io::ErrorKind::Other.into())
}

#[test]
fn a_success_at_once_or_later_tells_the_breaker_and_gives_the_permit_back() {
    for polls in 0..4 {
        let gates = Gates::open();
        let executor = gates.executor();
        assert_eq!(now(executor.run(KEY, |_| after(polls, io::Result::Ok(7)))).ok(), Some(7));
        gates.assert_all_given_back();
        assert_eq!(gates.breaker.votes(), [Health::Up], "{polls} pending polls");
    }
}

#[test]
fn a_call_that_is_dropped_after_any_poll_gives_everything_back() {
    for polls in 0..6 {
        let gates = Gates::open();
        let executor = gates.executor();
        {
            let call =
                executor.run(KEY, |attempt| after(2, if attempt.index() > 0 { Ok(7) } else { failed() }));
            let mut call = pin!(call);
            let waker = noop_waker();
            for _ in 0..polls {
                if call.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    break;
                }
            }
        }
        gates.assert_all_given_back();
    }
}

#[test]
fn a_call_that_is_over_never_runs_its_operation_again() {
    let executor = Executor::builder().default_policy(plain()).max_keys(1).build().unwrap();
    assert!(now(executor.run(KEY, |_| ready(io::Result::Ok(7)))).is_ok());
    // The second key is past the cap: its calls have a plan each.
    for (key, polls) in [(KEY, 0), (KEY, 1), ("another.Key", 0), ("another.Key", 1)] {
        let runs = AtomicUsize::new(0);
        let mut call = Box::pin(executor.run(key, |_| {
            runs.fetch_add(1, Ordering::Relaxed);
            after(polls, io::Result::Ok(7))
        }));
        assert!(now(call.as_mut()).is_ok());
        let again = catch_unwind(AssertUnwindSafe(|| now(call.as_mut()).is_ok())).unwrap_err();
        let said = again.downcast_ref::<&str>();
        assert_eq!(said, Some(&"a call was polled after its end"), "{key}, {polls} pending polls");
        assert_eq!(runs.load(Ordering::Relaxed), 1, "{key}, {polls} pending polls");
    }
}

/// Panics when it is made, polled for the first or second time, or dropped.
struct Explodes(usize, usize);

impl Explodes {
    fn new(at: usize) -> Self {
        assert!(at != 0, "as it was made");
        Explodes(at, 0)
    }
}

impl Future for Explodes {
    type Output = io::Result<u32>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        self.1 += 1;
        assert!(self.1 != self.0, "as it was polled");
        if self.1 == 3 { Poll::Ready(Ok(7)) } else { Poll::Pending }
    }
}

impl Drop for Explodes {
    fn drop(&mut self) {
        assert!(self.0 != 4 || std::thread::panicking(), "as it was dropped");
    }
}

#[test]
fn an_operation_that_panics_anywhere_gives_everything_back() {
    for recover in [false, true] {
        for at in 0..=4 {
            let gates = Gates::open();
            let executor = built(gates.builder().recover_panics(recover));
            let call = || now(executor.run(KEY, |_| Explodes::new(at)));
            assert!(catch_unwind(AssertUnwindSafe(call)).is_err(), "it panics at {at}");
            gates.assert_all_given_back();
            assert_ne!(gates.breaker.votes(), [Health::Up], "at {at}");
        }
    }
}

#[test]
fn an_operation_that_panics_as_it_falls_with_its_call_gives_everything_back() {
    for (polls, hedged) in [(1, false), (2, false), (1, true), (2, true)] {
        let gates = Gates::open();
        let policy = plain().retry_budget("b").circuit_breaker("c");
        // The sleeper doesn't wait, so the hedge starts at once.
        let policy =
            if hedged { policy.hedge_after(Duration::from_millis(1)).hedge_budget("b") } else { policy };
        let executor = built(gates.builder().policy("another.Key", policy));
        let mut call = Box::pin(executor.run("another.Key", |_| Explodes::new(4)));
        let waker = noop_waker();
        for _ in 0..polls {
            assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        assert!(catch_unwind(AssertUnwindSafe(|| drop(call))).is_err(), "it panics as it is dropped");
        gates.assert_all_given_back();
    }
}

#[test]
fn what_refuses_second_gives_the_first_back_and_nothing_runs() {
    for (budget, breaker, stop) in [
        (ScriptedBudget::denies(1), ScriptedBreaker::admits(1), StopReason::BudgetDenied),
        (ScriptedBudget::allows(1), ScriptedBreaker::rejects(1), StopReason::CircuitOpen),
    ] {
        let gates = Gates { budget, breaker };
        let mut runs = 0;
        let executor = gates.executor();
        let result = now(executor.run(KEY, |_| {
            runs += 1;
            ready(io::Result::Ok(7))
        }));
        assert_eq!((result.unwrap_err().stop_reason(), runs), (stop, 0));
        gates.assert_all_given_back();
    }
}

#[test]
fn a_probe_is_not_hedged_and_gives_its_slot_back() {
    let gates = Gates { budget: ScriptedBudget::allows(1), breaker: ScriptedBreaker::admits(1).half_open() };
    let policy = plain().circuit_breaker("c").hedge_after(Duration::from_millis(10));
    let builder = Executor::builder().sleeper(NoWait).circuit_breaker("c", gates.breaker.clone());
    let executor = built(builder.policy(KEY, policy));
    let mut seen = Vec::new();
    let result = now(executor.run(KEY, |attempt: Attempt| {
        seen.push(attempt.hedge_index());
        after(3, io::Result::Ok(7))
    }));
    assert_eq!((result.ok(), seen), (Some(7), vec![0]));
    gates.assert_all_given_back();
}

#[test]
fn a_failure_becomes_a_retry_with_everything_that_belongs_to_it() {
    for polls in [0, 1, 3] {
        let gates = Gates::open();
        let executor = gates.executor();
        let mut seen = Vec::new();
        let result = now(executor.run(KEY, |attempt: Attempt| {
            seen.push(attempt.index());
            after(polls, if attempt.index() < 2 { failed() } else { Ok(7) })
        }));
        assert_eq!((result.ok(), seen), (Some(7), vec![0, 1, 2]));
        gates.assert_all_given_back();
        assert_eq!(gates.breaker.votes(), [Health::Down, Health::Down, Health::Up]);
    }
}

#[test]
fn the_time_of_a_call_that_only_waited_is_told_by_its_error() {
    let executor = built(Executor::builder().policy(KEY, Policy::new().max_attempts(1)));
    let error = now(executor.run(KEY, |_| after(3, failed::<u32>()))).unwrap_err();
    assert!(error.elapsed() > Duration::ZERO && error.attempts() == 1, "{error}");
    let error = now(executor.run(KEY, |_| ready(failed::<u32>()))).unwrap_err();
    assert_eq!(error.elapsed(), Duration::ZERO, "it never waited");
}

#[test]
fn values_are_judged_where_the_classifier_wants_to() {
    let judge = Http::new().read_value(|status: &u16| Some(HttpFailure::new(*status, "GET")));
    let builder = Executor::builder().sleeper(NoWait).classifier("statuses", judge);
    let executor = built(builder.policy(KEY, plain().classifier("statuses")));
    let mut answers = [503u16, 503, 200].into_iter();
    let result = now(executor.run(KEY, |_| ready(io::Result::Ok(answers.next().unwrap()))));
    assert_eq!((result.ok(), answers.next()), (Some(200), None));
}

/// Hears of every end.
#[derive(Default)]
struct Listening(Arc<AtomicUsize>);

impl Budget for Listening {
    fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
        Decision::allow()
    }
    fn on_outcome(&self, end: &recourse::AttemptEnd<'_>) {
        assert_eq!(end.key.as_str(), KEY);
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_budget_hears_the_end_of_every_attempt_once() {
    let heard = Arc::new(AtomicUsize::new(0));
    let builder = Executor::builder().sleeper(NoWait).budget("b", Listening(heard.clone()));
    let executor = built(builder.policy(KEY, plain().retry_budget("b")));
    assert!(now(executor.run(KEY, |_| ready(io::Result::Ok(7)))).is_ok());
    assert_eq!(heard.swap(0, Ordering::Relaxed), 1);
    assert!(now(executor.run(KEY, |_| ready(failed::<u32>()))).is_err());
    assert_eq!(heard.swap(0, Ordering::Relaxed), 3);
    let waits = now(poll_fn(|cx| {
        let mut call = pin!(executor.run(KEY, |_| std::future::pending::<io::Result<u32>>()));
        Poll::Ready(call.as_mut().poll(cx).is_pending())
    }));
    assert!(waits);
    assert_eq!(heard.swap(0, Ordering::Relaxed), 1, "a dropped call tells it too");
}

#[test]
fn watched_or_not_a_call_comes_to_the_same() {
    let mut random = SeededRandom::new(17);
    for _ in 0..2_000 {
        let script: Vec<(usize, bool)> =
            (0..3).map(|_| (*random.pick(&[0, 1, 2]), random.chance(0.5))).collect();
        let gates = [Gates::open(), Gates::open()];
        let executors = [gates[0].executor(), built(gates[1].builder().observer(RecordingObserver::new()))];
        let [plain, watched] = executors.map(|executor| {
            let result: Result<u32, Error<io::Error>> = now(executor.run(KEY, |attempt: Attempt| {
                let (polls, succeeds) = script[attempt.index() as usize];
                after(polls, if succeeds { Ok(attempt.index()) } else { failed() })
            }));
            result.map_err(|error| (error.stop_reason(), error.attempts()))
        });
        assert_eq!(plain, watched, "{script:?}");
        assert_eq!(gates[0].breaker.votes(), gates[1].breaker.votes(), "{script:?}");
        gates.iter().for_each(Gates::assert_all_given_back);
    }
}
