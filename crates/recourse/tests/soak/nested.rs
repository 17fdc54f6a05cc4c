//! What holds of calls inside attempts of others.

use crate::around::{Around, Sure};
use crate::calls::{Ended, Way};
use crate::nest::Met;
use crate::work::Log;
use crate::world::World;
use recourse::{Ending, Error, OutcomeKind, Policy, StopReason, Timeline};

impl World {
    /// A call that has ended retried where it should have, and nowhere else.
    pub(crate) fn check_nesting(&mut self, way: Way, log: &Log, ended: &Ended) {
        let around = log.around.unwrap_or(Around::NOTHING);
        let policy = log.launched.first().and_then(|first| self.policies.of(first.policy_id()));
        // A value that is no success is returned all the same.
        let stop = match &ended.timeline {
            Some(timeline) => timeline.stop,
            None => ended.result.as_ref().err().map(Error::stop_reason),
        };
        let says = (way, around, &policy, stop);
        if let Some(timeline) = &ended.timeline {
            let nested = timeline.attributes.get("nested");
            assert!(around.allows(nested), "round a call was {around:?}: {timeline}");
        }
        let left = stop == Some(StopReason::LeftToOuter);
        self.tally.left += u64::from(left);
        assert!(!left || around.retried != Sure::No, "left to nobody: {says:?} {log:?}");
        let Some(policy) = &policy else { return };
        let most = policy.retry.max_attempts;
        assert!(!left || policy.retry.leave_to_outer && most > 1, "left though it need not be: {says:?}");
        if stop == Some(StopReason::AttemptsExhausted) {
            let groups = log.launched.last().map(|last| last.index() + 1);
            assert_eq!(groups, Some(most), "not all of its attempts: {says:?} {log:?}");
        }
        if policy.retry.leave_to_outer && around.retried == Sure::Yes && most > 1 {
            check_left(log, stop, ended.timeline.as_ref(), policy);
        }
    }

    pub(crate) fn count_nested(&mut self, met: Met) {
        self.tally.nested += met.nested;
        self.tally.nested_twice += met.nested_twice;
        self.tally.told += met.told;
        self.tally.moved += met.moved;
    }
}

/// A call whose policy leaves retrying to the outer one, which may retry.
fn check_left(log: &Log, stop: Option<StopReason>, timeline: Option<&Timeline>, policy: &Policy) {
    let retries = log.launched.iter().find(|attempt| attempt.index() > 0);
    assert_eq!(retries, None, "a retry that is left to the outer call: {policy:?}");
    let after_a_failure = log.launched_after.iter().find(|results| **results > 0);
    assert_eq!(after_a_failure, None, "a hedge after a failure that is left to the outer call: {log:?}");
    let of_a_retry = matches!(
        stop,
        Some(StopReason::AttemptsExhausted | StopReason::ServerDelayTooLong | StopReason::DeadlineWouldPass)
    );
    assert!(!of_a_retry, "{stop:?} of a retry that is left to the outer call: {log:?}");
    let Some(timeline) = timeline else { return };
    let launched = || timeline.attempts().iter().filter(|record| record.ending != Ending::Denied);
    let failed = |ending| matches!(ending, Ending::Failed | Ending::TimedOut);
    let all_failed =
        launched().all(|record| failed(record.ending) && record.outcome.kind == OutcomeKind::Retryable);
    if launched().count() > 0 && all_failed {
        assert_eq!(stop, Some(StopReason::LeftToOuter), "it would have retried: {timeline}");
    }
}
