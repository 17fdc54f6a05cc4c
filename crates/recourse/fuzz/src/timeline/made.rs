//! [`Made`]: a timeline of values that a fuzzer chooses; no executor would write most of them.

use arbitrary::Arbitrary;
use recourse_core::{AttemptRecord, Ending, Key, Label, Moment, Outcome, StopReason, Timeline};
use std::time::Duration;

/// Texts stand last, because they take what is left of the input.
#[derive(Debug, Arbitrary)]
pub(super) struct Made<'a> {
    start: Time,
    took: Time,
    stop: Option<u8>,
    attempts: Vec<Attempt<'a>>,
    attributes: Vec<(&'a str, &'a str)>,
    error: Option<&'a str>,
    policy_id: &'a str,
    key: &'a str,
}

#[derive(Debug, Arbitrary)]
struct Attempt<'a> {
    index: u32,
    hedge: u8,
    /// From the start of the call.
    start: Time,
    took: Time,
    backoff: Time,
    ends_before_it_starts: bool,
    ending: u8,
    kind: u8,
    reason: &'a str,
    budget_reason: &'a str,
    error: Option<&'a str>,
    attributes: Vec<(&'a str, &'a str)>,
}

/// Nanoseconds: as people meet them, or any number.
#[derive(Clone, Copy, Debug, Arbitrary)]
enum Time {
    Millis(u16),
    Micros(u32),
    Any(u64),
}

impl Made<'_> {
    pub(super) fn timeline(&self) -> Timeline {
        let start = Moment::ZERO + self.start.get();
        let key = Key::new(self.key).unwrap_or(Key::from_static("fuzz.Timeline"));
        let mut timeline = Timeline::new(key, start);
        timeline.end = start + self.took.get();
        timeline.policy_id = Label::new(self.policy_id);
        timeline.stop = self.stop.map(stop);
        timeline.error = self.error.map(Label::new);
        for (name, value) in &self.attributes {
            timeline.attributes.set(Label::new(name), Label::new(value));
        }
        for attempt in &self.attempts {
            timeline.push(attempt.record(start));
        }
        timeline
    }
}

impl Attempt<'_> {
    fn record(&self, call: Moment) -> AttemptRecord {
        let start = call + self.start.get();
        let mut record = AttemptRecord::new(self.index, start);
        record.end = if self.ends_before_it_starts { call } else { start + self.took.get() };
        record.hedge_index = self.hedge.into();
        record.is_hedge = self.hedge > 0;
        record.ending = Ending::ALL[usize::from(self.ending) % Ending::ALL.len()];
        let reason = Label::new(self.reason);
        record.outcome = match self.kind % 4 {
            0 => Outcome::success(),
            1 => Outcome::retryable(reason),
            2 => Outcome::non_retryable(reason),
            _ => Outcome::abort(reason),
        };
        for (name, value) in &self.attributes {
            record.outcome.attributes.set(Label::new(name), Label::new(value));
        }
        record.error = self.error.map(Label::new);
        record.backoff = self.backoff.get();
        record.budget_allowed = record.ending != Ending::Denied;
        record.budget_reason = Label::new(self.budget_reason);
        record
    }
}

fn stop(number: u8) -> StopReason {
    StopReason::ALL[usize::from(number) % StopReason::ALL.len()]
}

impl Time {
    fn get(self) -> Duration {
        match self {
            Time::Millis(millis) => Duration::from_millis(millis.into()),
            Time::Micros(micros) => Duration::from_micros(micros.into()),
            Time::Any(nanos) => Duration::from_nanos(nanos),
        }
    }
}
