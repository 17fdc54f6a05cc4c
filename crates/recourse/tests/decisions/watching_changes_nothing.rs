//! Watching changes no decision: one script ends the same way unobserved, observed and captured.

use crate::stage::{AsTold, KEY, Told, ms, plain};
use recourse::budget::TokenBucket;
use recourse::{
    AttemptResult, Classifier, Ending, Error, Executor, Jitter, Outcome, OutcomeKind, Policy, StopReason,
    Timeline,
};
use recourse_test::{RecordingObserver, Script, ScriptedOperation, SeededRandom, VirtualTime, expect};
use std::time::Duration;

/// How a call is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Watch {
    Nobody,
    Observer,
    Capture,
    Both,
}

const EVERY_WATCH: [Watch; 4] = [Watch::Nobody, Watch::Observer, Watch::Capture, Watch::Both];

/// All that the caller and the operation can tell of a call.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    result: Result<u32, (StopReason, u32, Duration, String, Option<&'static str>)>,
    attempts: Vec<(u32, u32, Option<Duration>)>,
    launched_at: Vec<recourse::Moment>,
    dropped: usize,
    ended_at: Duration,
}

/// Odd values are failures; errors are judged as they say.
struct OddOnesFail;

impl Classifier for OddOnesFail {
    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        match result.value::<u32>() {
            Some(value) if value % 2 == 1 => Outcome::retryable("odd"),
            _ => AsTold.classify(result),
        }
    }
}

fn random_policy(random: &mut SeededRandom) -> Policy {
    let attempts = *random.pick(&[1, 2, 3, 4]);
    let jitter = *random.pick(&Jitter::ALL);
    let mut policy = plain().max_attempts(attempts).jitter(jitter).max_server_delay(ms(100));
    // Some attempts never end by themselves, so something has to end them.
    policy = policy.timeout_per_attempt(random.duration(ms(5)..=ms(80)));
    if random.chance(0.4) {
        policy = policy.overall_timeout(random.duration(ms(20)..=ms(200)));
    }
    if random.chance(0.7) {
        policy =
            policy.hedge_after(random.duration(ms(10)..=ms(30))).cancel_on_first_terminal(random.chance(0.5));
        policy = policy.max_hedges(*random.pick(&[1, 2, 3]));
        policy = if random.chance(0.3) { policy.hedge_trigger("p50") } else { policy };
        policy = if random.chance(0.3) { policy.hedge_budget("bucket") } else { policy };
    }
    policy = if random.chance(0.5) { policy.retry_budget("bucket") } else { policy };
    if random.chance(0.4) { policy.circuit(*random.pick(&[1, 2, 3, 4]), ms(100)) } else { policy }
}

fn random_script(random: &mut SeededRandom) -> Script<u32, Told> {
    let mut script = Script::new();
    for _ in 0..random.number(1..=8) {
        script = match random.number(0..=9) {
            0..=1 => script.then_ok(2),
            2..=3 => script.then_ok(1),
            4..=6 => script.then_err(Told::retryable("busy")),
            7 => script.then_err(Told::retryable("asked").wait(random.duration(ms(1)..=ms(120)))),
            8 => script.then_never(),
            _ => {
                let kinds = [OutcomeKind::NonRetryable, OutcomeKind::Abort, OutcomeKind::Success];
                script.then_err(Told::new("told", *random.pick(&kinds)))
            }
        };
        if random.chance(0.6) {
            script = script.takes(random.duration(ms(1)..=ms(60)));
        }
        if random.chance(0.2) {
            script = script.yields(*random.pick(&[1, 2, 3]));
        }
    }
    script
}

fn executor(policy: Policy, time: &VirtualTime, observer: Option<&RecordingObserver>) -> Executor {
    let bucket = TokenBucket::new(3, 20.0).expect("a bucket");
    let builder = Executor::builder().clock(time.clone()).sleeper(time.clone()).seed(11);
    let builder = builder.policy(KEY, policy).budget("bucket", bucket).default_classifier(OddOnesFail);
    let watched = observer.into_iter().fold(builder, |builder, observer| builder.observer(observer.clone()));
    watched.build().expect("the executor is in order")
}

fn seen(
    result: Result<u32, Error<Told>>,
    operation: &ScriptedOperation<u32, Told>,
    ended_at: Duration,
) -> Seen {
    let calls = operation.calls().into_iter();
    Seen {
        result: result.map_err(|error| {
            let (stop, attempts, elapsed) = (error.stop_reason(), error.attempts(), error.elapsed());
            let reason = error.outcome_reason().to_owned();
            (stop, attempts, elapsed, reason, error.into_inner().map(|told| told.name))
        }),
        attempts: calls.map(|a| (a.index(), a.hedge_index(), a.time_left())).collect(),
        launched_at: operation.launched_at(),
        dropped: operation.dropped(),
        ended_at,
    }
}

/// Plays three calls one after the other, so that breaker, bucket and latencies carry over.
fn play(seed: u64, watch: Watch) -> (Vec<Seen>, Vec<Timeline>) {
    let mut random = SeededRandom::new(seed);
    let (time, observer) = (VirtualTime::new(), RecordingObserver::new());
    let observed = matches!(watch, Watch::Observer | Watch::Both).then_some(&observer);
    let executor = executor(random_policy(&mut random), &time, observed);
    let (mut all, mut timelines) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        let operation = random_script(&mut random).on(&time);
        let call = executor.call(KEY);
        let result = if matches!(watch, Watch::Capture | Watch::Both) {
            let (result, timeline) = time.run(call.run_captured(|attempt| operation.call(attempt)));
            timelines.push(timeline);
            result
        } else {
            time.run(call.run(|attempt| operation.call(attempt)))
        };
        all.push(seen(result, &operation, time.elapsed()));
        time.advance(random.duration(ms(0)..=ms(80)));
    }
    observer.assert_one_end_per_start();
    if watch == Watch::Observer {
        timelines = observer.timelines();
    } else if watch == Watch::Both {
        assert_eq!(timelines, observer.timelines(), "what is captured is what observers are told");
    }
    (all, timelines)
}

#[test]
fn random_calls_end_the_same_way_however_they_are_watched() {
    let mut endings = std::collections::HashSet::new();
    SeededRandom::each(0..600, |random| {
        let (unwatched, _) = play(random.seed(), Watch::Nobody);
        let (_, told) = play(random.seed(), Watch::Observer);
        for watch in EVERY_WATCH {
            let (seen, timelines) = play(random.seed(), watch);
            assert_eq!(seen, unwatched, "{watch:?}");
            assert!(watch == Watch::Nobody || timelines == told, "{watch:?}");
        }
        for (timeline, call) in told.iter().zip(&unwatched) {
            expect(timeline).well_formed().attempts(call.attempts.len());
            endings.extend(timeline.attempts().iter().map(|record| record.ending));
        }
    });
    for ending in [Ending::Won, Ending::Failed, Ending::TimedOut, Ending::Superseded, Ending::Denied] {
        assert!(endings.contains(&ending), "no call showed {ending}: the scripts are too tame");
    }
}

#[test]
fn one_seed_plays_the_same_way_twice() {
    SeededRandom::each(0..50, |random| {
        assert_eq!(play(random.seed(), Watch::Both), play(random.seed(), Watch::Both));
    });
}

/// How long the error says that a call took whose attempts keep their thread busy for 5 ms each.
fn elapsed_of_a_busy_call(watch: Watch) -> Duration {
    let (time, observer) = (VirtualTime::new(), RecordingObserver::new());
    let executor = executor(plain(), &time, (watch == Watch::Observer).then_some(&observer));
    let busy = async |_| {
        time.advance(ms(5));
        Err::<u32, _>(Told::retryable("busy"))
    };
    let error = match watch {
        Watch::Capture => time.run(executor.call(KEY).run_captured(busy)).0,
        _ => time.run(executor.run(KEY, busy)),
    };
    error.expect_err("every attempt fails").elapsed()
}

#[test]
fn an_error_tells_the_same_elapsed_time_however_the_call_was_watched() {
    let unwatched = elapsed_of_a_busy_call(Watch::Nobody);
    assert!(unwatched >= ms(40), "two more attempts and two waits: {unwatched:?}");
    assert_eq!(elapsed_of_a_busy_call(Watch::Observer), unwatched);
    assert_eq!(elapsed_of_a_busy_call(Watch::Capture), unwatched);
}
