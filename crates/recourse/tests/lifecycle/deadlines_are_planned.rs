//! Deadlines: when they begin to count, what wins against them, and what is not started because of them.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{Clock, Executor, Moment, StopReason};
use recourse_test::{Script, ScriptedError, ScriptedOperation, expect};
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

fn stop(scene: &Scene, executor: &Executor, operation: &ScriptedOperation<u32>) -> Option<StopReason> {
    let ended = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)));
    ended.err().map(|error| error.stop_reason())
}

#[test]
fn a_deadline_counts_from_the_first_pending_poll() {
    let scene = Scene::new();
    let executor = built(scene.unwatched().policy(KEY, plain().overall_timeout(ms(50))));
    // The first poll keeps its thread busy for longer than the deadline; only then does the attempt wait.
    let mut busy = true;
    let call = executor.run_mut(KEY, async |_| {
        if std::mem::take(&mut busy) {
            scene.time.advance(ms(80));
        }
        scene.time.wait(ms(49)).await;
        Ok::<_, ScriptedError>(7)
    });
    assert_eq!(scene.time.run(call).ok(), Some(7));
    assert_eq!(scene.time.elapsed(), ms(129));
}

#[test]
fn a_deadline_counts_from_the_first_backoff_where_the_attempts_never_wait() {
    let scene = Scene::new();
    let policy = plain().max_attempts(10).backoff(ms(20), ms(20)).overall_timeout(ms(50));
    let executor = built(scene.unwatched().policy(KEY, policy));
    let operation = Script::fails(1).on(&scene.time);
    assert_eq!(stop(&scene, &executor, &operation), Some(StopReason::DeadlineWouldPass));
    assert_eq!((operation.count(), scene.time.elapsed()), (3, ms(40)));
}

#[test]
fn a_wait_that_would_end_at_the_deadline_is_not_started() {
    for (timeout, attempts) in [(20, 1), (21, 2)] {
        let scene = Scene::new();
        let policy = plain().max_attempts(2).backoff(ms(20), ms(20)).overall_timeout(ms(timeout));
        let operation = Script::fails(1).on(&scene.time);
        let _ = stop(&scene, &scene.executor(policy), &operation);
        assert_eq!(operation.count(), attempts, "a deadline of {timeout} ms");
    }
}

#[test]
fn a_result_that_is_ready_in_the_poll_in_which_the_timer_fires_wins() {
    for policy in [
        plain().timeout_per_attempt(ms(50)),
        plain().overall_timeout(ms(50)),
        plain().timeout_per_attempt(ms(50)).overall_timeout(ms(50)),
    ] {
        let scene = Scene::new();
        let operation = Script::ok(7).takes(ms(50)).on(&scene.time);
        assert_eq!(stop(&scene, &scene.executor(policy), &operation), None);
        expect(&scene.observer.last_timeline()).success().attempts(1).took(ms(50));
    }
}

#[test]
fn a_result_that_is_ready_wins_even_long_after_the_deadline() {
    let scene = Scene::new();
    let executor = scene.executor(plain().overall_timeout(ms(50)).timeout_per_attempt(ms(30)));
    let call = executor.run(KEY, |_| {
        let mut polls = 0;
        let time = &scene.time;
        poll_fn(move |context| {
            polls += 1;
            if polls == 2 {
                return Poll::Ready(Ok::<_, ScriptedError>(7));
            }
            context.waker().wake_by_ref();
            time.advance(ms(500));
            Poll::Pending
        })
    });
    assert_eq!(scene.time.run(call).ok(), Some(7));
}

#[test]
fn a_hedge_that_is_ready_in_the_poll_in_which_the_deadline_passes_wins() {
    let scene = Scene::new();
    let executor = scene.executor(plain().overall_timeout(ms(50)).hedge_after(ms(10)).max_hedges(1));
    let operation = Script::never().then_ok(7).takes(ms(40)).on(&scene.time);
    assert_eq!(stop(&scene, &executor, &operation), None);
    expect(&scene.observer.last_timeline()).endings(["superseded", "won"]).took(ms(50));
}

#[test]
fn an_attempt_timeout_is_retried_and_the_overall_one_is_not() {
    let scene = Scene::new();
    let executor = scene.executor(plain().timeout_per_attempt(ms(30)));
    let operation = Script::never().then_ok(7).on(&scene.time);
    assert_eq!(stop(&scene, &executor, &operation), None);
    expect(&scene.observer.last_timeline())
        .endings(["timed_out", "won"])
        .reasons(["context_deadline_exceeded", "success"])
        .starts([ms(0), ms(40)]);

    let executor = scene.executor(plain().overall_timeout(ms(30)));
    let operation = Script::never().then_ok(7).on(&scene.time);
    assert_eq!(stop(&scene, &executor, &operation), Some(StopReason::OverallTimeout));
    expect(&scene.observer.last_timeline()).endings(["timed_out"]).reasons(["overall_timeout"]).took(ms(30));
}

#[test]
fn the_last_attempt_has_what_is_left_of_the_call() {
    let scene = Scene::new();
    let policy = plain().backoff(ms(10), ms(10)).timeout_per_attempt(ms(40)).overall_timeout(ms(70));
    let operation = Script::never().on(&scene.time);
    assert_eq!(stop(&scene, &scene.executor(policy), &operation), Some(StopReason::OverallTimeout));
    expect(&scene.observer.last_timeline())
        .endings(["timed_out", "timed_out"])
        .reasons(["context_deadline_exceeded", "overall_timeout"])
        .durations([ms(40), ms(20)]);
    assert_eq!(operation.dropped(), 2);
}

#[test]
fn each_hedge_has_a_timeout_of_its_own_and_the_group_goes_on_with_the_rest() {
    let scene = Scene::new();
    let policy = plain().timeout_per_attempt(ms(50)).hedge_after(ms(20)).max_hedges(1);
    let operation = Script::never().then_ok(7).takes(ms(45)).on(&scene.time);
    assert_eq!(stop(&scene, &scene.executor(policy), &operation), None);
    expect(&scene.observer.last_timeline())
        .endings(["timed_out", "won"])
        .durations([ms(50), ms(45)])
        .took(ms(65));
}

#[test]
fn one_timer_serves_a_call_and_none_is_left_at_its_end() {
    let scene = Scene::new();
    let policy =
        plain().timeout_per_attempt(ms(50)).overall_timeout(ms(400)).hedge_after(ms(20)).max_hedges(2);
    let executor = scene.executor(policy);
    let operation = Script::<u32>::never().on(&scene.time);
    let mut call = scene.time.step(executor.run(KEY, |attempt| operation.call(attempt)));
    while call.poll().is_pending() {
        assert!(scene.time.pending_sleeps() <= 1, "never operations have no timer; the call has one");
    }
    assert_eq!(scene.time.pending_sleeps(), 0);
}

/// Counts how often it was woken.
#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_call_that_moved_to_another_task_is_woken_there() {
    for policy in
        [plain().timeout_per_attempt(ms(50)), plain().overall_timeout(ms(50)), plain().hedge_after(ms(50))]
    {
        let scene = Scene::new();
        let executor = scene.executor(policy);
        let operation = Script::<u32>::never().on(&scene.time);
        let mut call = Box::pin(executor.run(KEY, |attempt| operation.call(attempt)));
        let bells = [Arc::new(Bell::default()), Arc::new(Bell::default())];
        for bell in &bells {
            let waker = Waker::from(bell.clone());
            assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        // The operation's own timer of no length is over already; the call's is the one that is left.
        scene.time.advance(ms(50));
        assert_eq!(bells[1].0.load(Ordering::SeqCst), 1, "the task that polled last");
        assert_eq!(bells[0].0.load(Ordering::SeqCst), 0, "the task that polled first");
    }
}

#[test]
fn polls_that_nobody_asked_for_change_nothing() {
    let scene = Scene::new();
    let executor = scene.executor(plain().hedge_after(ms(20)).max_hedges(1).timeout_per_attempt(ms(90)));
    let operation = Script::never().then_ok(7).takes(ms(5)).on(&scene.time);
    let mut call = Box::pin(executor.run(KEY, |attempt| operation.call(attempt)));
    for _ in 0..10 {
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!((scene.time.sleeps(), operation.count()), (vec![ms(20)], 1));
    assert_eq!(scene.time.run(call).ok(), Some(7));
    expect(&scene.observer.last_timeline()).starts([ms(0), ms(20)]).took(ms(25));
}

/// Shows the same moment for ever: the sleeper is all that knows of time.
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Moment {
        Moment::ZERO
    }
}

#[test]
fn a_clock_that_lags_behind_the_sleeper_neither_hangs_a_call_nor_spoils_its_timeline() {
    for (policy, script, stop) in [
        (plain().timeout_per_attempt(ms(50)), Script::never(), Some("attempts_exhausted")),
        (plain().overall_timeout(ms(50)), Script::never(), Some("overall_timeout")),
        (plain().hedge_after(ms(10)).max_hedges(2), Script::never().then_ok(7).takes(ms(15)), None),
        (
            plain().hedge_after(ms(10)).timeout_per_attempt(ms(30)),
            Script::never(),
            Some("attempts_exhausted"),
        ),
    ] {
        let scene = Scene::new();
        let executor = built(scene.builder().clock(Stopped).policy(KEY, policy));
        let operation = script.on(&scene.time);
        let ended = scene.time.run(executor.run(KEY, |attempt| operation.call(attempt)));
        assert_eq!(ended.err().map(|error| error.stop_reason().as_str()), stop);
        expect(&scene.observer.last_timeline()).well_formed();
    }
}
