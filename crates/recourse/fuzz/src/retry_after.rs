//! What a server says of when to come back: from the header's text to the call that obeys. The text is read by the
//! quickstart's client; what follows is the library's.

#[path = "../../examples/quickstart/retry_after.rs"]
mod header;

use crate::lines::assert_one_line;
use recourse::classify::{Grpc, Http};
use recourse::{
    AttemptResult, Classifier, Executor, Failure, GrpcCode, GrpcFailure, HttpFailure, Label, Outcome,
    OutcomeKind, Policy, StopReason, Timeline,
};
use recourse_test::VirtualTime;
use std::error::Error;
use std::future::ready;
use std::time::Duration;

const KEY: &str = "fuzz.RetryAfter";

/// The lines are `Retry-After`, the server's `Date`, the status, and the method; the last ones may be missing.
pub fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let mut lines = text.split('\n');
    let (value, date) = (lines.next().unwrap_or_default(), lines.next());
    let status = lines.next().and_then(|line| line.parse().ok()).unwrap_or(503);
    let method = lines.next().unwrap_or("GET");
    let wait = read(value, date);
    http(status, method, wait);
    grpc(GrpcCode::ALL[usize::from(status) % GrpcCode::ALL.len()], wait);
}

/// Digits are seconds, two dates are the time between them, and all else is nothing.
fn read(value: &str, date: Option<&str>) -> Option<Duration> {
    let wait = header::retry_after(value, date);
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    if digits {
        let seconds = value
            .bytes()
            .fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
        assert_eq!(wait, Some(Duration::from_secs(seconds)), "{value:?}");
    } else if let Some(wait) = wait {
        let dates =
            [Some(value), date].map(|date| date.and_then(|date| httpdate::parse_http_date(date).ok()));
        let [Some(then), Some(now)] = dates else {
            panic!("{value:?} with the date {date:?} was read as {wait:?}");
        };
        assert_eq!(now + wait, then, "{value:?} with the date {date:?}");
    }
    wait
}

fn http(status: u16, method: &str, wait: Option<Duration>) {
    let silent = || HttpFailure::new(status, Label::new(method));
    let spoken = || wait.map_or_else(silent, |wait| silent().retry_after(wait));
    let outcome = judged(&Http::new(), [&silent(), &spoken(), &spoken().do_not_retry()], wait);
    assert_eq!(
        outcome.attributes.get("retry_after"),
        outcome.backoff.map(|wait| format!("{wait:?}")).as_deref()
    );
    calls("http", &outcome, spoken);
}

fn grpc(code: GrpcCode, wait: Option<Duration>) {
    let silent = || GrpcFailure::new(code);
    let spoken = || wait.map_or_else(silent, |wait| silent().retry_after(wait));
    let outcome = judged(&Grpc, [&silent(), &spoken(), &spoken().do_not_retry()], wait);
    calls("grpc", &outcome, spoken);
}

/// What is said of the second: a wait changes what happens next, and not what is thought of the failure. A server that
/// forbids another attempt gets none.
fn judged<E: Error + 'static>(by: &dyn Classifier, of: [&E; 3], wait: Option<Duration>) -> Outcome {
    let [silent, spoken, forbidden] = of.map(|failure| by.classify(&AttemptResult::of_error(failure)));
    assert_eq!((spoken.kind, &spoken.reason, spoken.health), (silent.kind, &silent.reason, silent.health));
    assert_eq!(silent.backoff, None);
    let obeyed = wait.filter(|wait| spoken.kind == OutcomeKind::Retryable && !wait.is_zero());
    assert_eq!(spoken.backoff, obeyed);
    assert_ne!(forbidden.kind, OutcomeKind::Retryable);
    assert_eq!((forbidden.backoff, forbidden.health), (None, silent.health));
    spoken
}

/// Calls whose attempts all fail so: with little patience, with a deadline, and with much of both.
fn calls<M, E: Failure<M>>(classifier: &'static str, outcome: &Outcome, failure: impl Fn() -> E) {
    let two = || Policy::new().max_attempts(2).classifier(classifier);
    for policy in [
        two().max_server_delay(Duration::from_millis(1)),
        two().max_server_delay(Duration::from_secs(300)).overall_timeout(Duration::from_secs(60)),
        two().max_server_delay(Duration::from_secs(300)),
    ] {
        let time = VirtualTime::new();
        let (longest, deadline) = (policy.retry.max_server_delay, policy.retry.overall_timeout);
        let builder = Executor::builder().clock(time.clone()).sleeper(time.clone()).seed(1);
        let executor = builder.policy(KEY, policy).build().expect("the policy is whole");
        let (result, timeline) =
            time.run(executor.call(KEY).run_captured(|_| ready(Err::<(), E>(failure()))));
        let stop = result.err().map(|error| error.stop_reason());
        assert_eq!(stop, Some(expected(outcome, longest, deadline)), "{timeline}");
        waited(outcome, &timeline, stop == Some(StopReason::AttemptsExhausted));
        timeline.to_string().lines().for_each(assert_one_line);
    }
}

/// Why such a call ends. A wait that lasts as long as the deadline leaves no time for an attempt.
fn expected(outcome: &Outcome, longest: Duration, deadline: Option<Duration>) -> StopReason {
    match outcome.kind {
        OutcomeKind::Success => StopReason::Accepted,
        OutcomeKind::NonRetryable => StopReason::NonRetryable,
        OutcomeKind::Abort => StopReason::Abort,
        _ if outcome.backoff > Some(longest) => StopReason::ServerDelayTooLong,
        _ if deadline.is_some() && outcome.backoff >= deadline => StopReason::DeadlineWouldPass,
        _ => StopReason::AttemptsExhausted,
    }
}

/// The second attempt comes when the server said, to the nanosecond; where it said nothing, within the policy.
fn waited(outcome: &Outcome, timeline: &Timeline, retried: bool) {
    let attempts = timeline.attempts();
    assert_eq!((attempts.len(), timeline.launched()), if retried { (2, 2) } else { (1, 1) });
    if !retried {
        return assert_eq!(timeline.duration(), Duration::ZERO);
    }
    let between = attempts[1].start.since(attempts[0].end);
    assert_eq!(between, attempts[1].backoff);
    match outcome.backoff {
        Some(wait) => assert_eq!(between, wait),
        None => assert!(between <= Policy::new().retry.max_backoff, "{between:?}"),
    }
}
