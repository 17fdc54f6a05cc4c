//! What holds of every call that is over.

use crate::calls::{Ended, Way};
use crate::failure::Broken;
use crate::work::{Log, Work};
use crate::world::World;
use recourse::{AttemptRecord, Ending, Error, Jitter, OutcomeKind, Policy, Timeline};
use recourse_test::expect;
use std::cmp::Reverse;

impl World {
    /// A call has come to its end.
    pub(crate) fn check_end(&mut self, key: &str, way: Way, work: &Work<'_>, ended: &Ended) {
        self.check_dropped(key, way, work);
        let log = work.log();
        match &ended.result {
            Ok(number) => {
                self.tally.values += 1;
                assert!(log.results.iter().any(|it| it.number == *number && it.is_value), "{log:?}");
            }
            Err(error) => {
                self.tally.errors += 1;
                *self.tally.stops.entry(error.stop_reason().as_str()).or_default() += 1;
            }
        }
        check_result(&log, &ended.result);
        self.check_nesting(way, &log, ended);
        if let Some(timeline) = &ended.timeline {
            let policy = log.launched.first().and_then(|first| self.policies.of(first.policy_id()));
            self.check_timeline(&log, timeline, policy.as_ref(), &ended.result);
            check_agreement(&ended.result, timeline);
        }
    }

    /// A call is over, whether it came to its end or not.
    pub(crate) fn check_dropped(&mut self, key: &str, way: Way, work: &Work<'_>) {
        let mut log = work.log();
        log.over = true;
        assert_eq!(log.faults, [""; 0], "{key} {way:?}");
        assert_eq!((log.in_flight, log.hanging), (0, 0), "attempts of a call that is over: {key} {way:?}");
        assert!(way.may_hedge() || log.most_in_flight <= 1, "{way:?} runs one attempt at a time: {log:?}");
        self.check_launches(way, &log);
        self.tally.attempts += log.launched.len() as u64;
        self.tally.hedges += log.launched.iter().filter(|attempt| attempt.is_hedge()).count() as u64;
    }

    /// Nothing was launched beyond the policy, or twice.
    fn check_launches(&self, way: Way, log: &Log) {
        let policy = log.launched.first().and_then(|first| self.policies.of(first.policy_id()));
        // Without a policy of its own a call runs by the default one at most.
        let policy = policy.unwrap_or_default();
        let hedges = if policy.hedge.enabled && way.may_hedge() { policy.hedge.max_hedges } else { 0 };
        for (at, attempt) in log.launched.iter().enumerate() {
            assert!(attempt.index() < policy.retry.max_attempts, "{attempt:?} of {policy:?}");
            assert!(attempt.hedge_index() <= hedges, "{attempt:?} of {policy:?}");
            let limits = [policy.retry.timeout_per_attempt, policy.retry.overall_timeout];
            let within = |left| limits.iter().flatten().all(|limit| left <= *limit);
            assert!(attempt.time_left().is_none_or(within), "{attempt:?} of {policy:?}");
            let Some(before) = at.checked_sub(1).map(|before| log.launched[before]) else { continue };
            assert_eq!(before.policy_id(), attempt.policy_id(), "a running call keeps its policy");
            let order = |it: recourse::Attempt| (it.index(), it.hedge_index());
            assert!(order(before) < order(*attempt), "{before:?} before {attempt:?}");
        }
    }

    fn check_timeline(
        &mut self,
        log: &Log,
        timeline: &Timeline,
        policy: Option<&Policy>,
        result: &Result<u32, Error<Broken>>,
    ) {
        expect(timeline).well_formed().attempts(log.launched.len());
        self.tally.capped += u64::from(timeline.attributes.get("state_capped").is_some());
        let denied = timeline.attempts().iter().filter(|record| record.ending == Ending::Denied);
        self.tally.denied += denied.count() as u64;
        let launched = timeline.attempts().iter().filter(|record| record.ending != Ending::Denied);
        for (record, attempt) in launched.zip(&log.launched) {
            let (wanted, found) =
                ((attempt.index(), attempt.hedge_index()), (record.attempt, record.hedge_index));
            assert_eq!(wanted, found, "{timeline}");
        }
        check_retried(timeline);
        if let Some(policy) = policy {
            if !policy.hedge.cancel_on_first_terminal {
                check_worst(log, timeline, result);
            }
            check_backoffs(timeline, policy);
        }
        let Some(policy) =
            policy.filter(|_| self.is_punctual && !log.was_left && self.timing.bent().is_some())
        else {
            return;
        };
        check_launch_times(log, timeline);
        if let Some(limit) = policy.retry.overall_timeout {
            assert!(timeline.duration() <= limit, "longer than {limit:?}: {timeline}");
        }
        if let Some(limit) = policy.retry.timeout_per_attempt {
            let longest = timeline.attempts().iter().map(recourse::AttemptRecord::duration).max();
            assert!(longest.is_none_or(|longest| longest <= limit), "longer than {limit:?}: {timeline}");
        }
    }
}

/// The caller gets what the operation returned last; of a hedged group, one of its results.
fn check_result(log: &Log, result: &Result<u32, Error<Broken>>) {
    let got = match result {
        Ok(number) => Some((*number, true)),
        Err(error) => error.inner().map(|broken| (broken.number, false)),
    };
    if let Err(error) = result {
        assert_eq!(error.attempts() as usize, log.launched.len(), "{error:?}");
    }
    let last_group = log.results.iter().map(|it| it.group).max();
    let is_hedged = log.launched.iter().any(|attempt| attempt.is_hedge());
    let of_group = log.results.iter().filter(|it| Some(it.group) == last_group);
    let mut candidates = of_group.map(|it| (it.number, it.is_value));
    match got {
        None => assert!(log.results.is_empty(), "{result:?} of {log:?}"),
        Some(got) if is_hedged => assert!(candidates.any(|it| it == got), "{result:?} of {log:?}"),
        Some(got) => assert_eq!(candidates.next_back(), Some(got), "{result:?} of {log:?}"),
    }
}

/// A group is followed by another where all of its attempts have failed, and none of them for good.
fn check_retried(timeline: &Timeline) {
    let launched = || timeline.attempts().iter().filter(|record| record.ending != Ending::Denied);
    let last = launched().map(|record| record.attempt).max().unwrap_or(0);
    for record in launched().filter(|record| record.attempt < last) {
        let failed = matches!(record.ending, Ending::Failed | Ending::TimedOut);
        let retryable = record.outcome.kind == OutcomeKind::Retryable;
        assert!(failed && retryable, "a group was retried that should not be: {timeline}");
    }
}

/// Of a group that has failed, the caller gets the result that was judged most severely; in a tie the primary's.
fn check_worst(log: &Log, timeline: &Timeline, result: &Result<u32, Error<Broken>>) {
    let launched = || timeline.attempts().iter().filter(|record| record.ending != Ending::Denied);
    let Some(group) = launched().map(|record| record.attempt).max() else { return };
    let group = || launched().filter(|record| record.attempt == group);
    if group().any(|record| record.ending != Ending::Failed) {
        return;
    }
    let severity = |record: &&AttemptRecord| (record.outcome.kind, Reverse(record.hedge_index));
    let Some(worst) = group().max_by_key(severity) else { return };
    let it = log.results.iter().find(|it| (it.group, it.hedge) == (worst.attempt, worst.hedge_index));
    let got = match result {
        Ok(number) => Some(*number),
        Err(error) => error.inner().map(|broken| broken.number),
    };
    assert_eq!(got, it.map(|it| it.number), "the most severe result of the group counts: {timeline}");
}

/// What a result says is what its timeline says.
fn check_agreement(result: &Result<u32, Error<Broken>>, timeline: &Timeline) {
    if let Err(error) = result {
        assert_eq!(Some(error.stop_reason()), timeline.stop, "{timeline}");
        assert_eq!(error.attempts() as usize, timeline.launched(), "{timeline}");
    }
}

/// Each wait is what the other side asked for, or else within what the policy says.
fn check_backoffs(timeline: &Timeline, policy: &Policy) {
    for (at, record) in timeline.attempts().iter().enumerate() {
        let denied_in_advance = record.ending == Ending::Denied && record.backoff.is_zero();
        if record.is_hedge || record.attempt == 0 || denied_in_advance {
            continue;
        }
        let group = timeline.attempts()[..at].iter().filter(|before| before.attempt + 1 == record.attempt);
        let asked_for = group.filter_map(|before| before.outcome.backoff).max();
        let (retry, wait) = (&policy.retry, record.backoff.as_nanos() as f64);
        let grown = retry.initial_backoff.as_nanos() as f64;
        let grown = grown * retry.backoff_multiplier.powi(record.attempt as i32 - 1);
        let most = retry.max_backoff.as_nanos() as f64;
        let capped = grown.min(most);
        let within = match (asked_for, retry.jitter) {
            (Some(asked_for), _) => record.backoff == asked_for,
            (None, Jitter::None) => (wait - capped).abs() <= 1.0,
            (None, Jitter::Full) => wait <= capped,
            (None, Jitter::Equal) => wait <= capped && wait >= (capped / 2.0).floor(),
            _ => wait <= most && record.backoff >= retry.initial_backoff,
        };
        assert!(within, "#{} waited {:?}, by {retry:?}: {timeline}", record.attempt, record.backoff);
    }
}

/// The operation runs when the timeline says so: waits are waited for, and each retry starts when its wait is over.
fn check_launch_times(log: &Log, timeline: &Timeline) {
    let records: Vec<_> =
        timeline.attempts().iter().filter(|record| record.ending != Ending::Denied).collect();
    for (at, record) in records.iter().enumerate() {
        let told = record.start.since(records[0].start);
        assert_eq!(log.launched_at[at] - log.launched_at[0], told, "launch {at} of {timeline}");
        if !record.is_hedge && record.attempt > 0 {
            let end = records[..at].iter().map(|before| before.end).max();
            assert_eq!(end.map(|end| record.start.since(end)), Some(record.backoff), "{timeline}");
        }
    }
}
