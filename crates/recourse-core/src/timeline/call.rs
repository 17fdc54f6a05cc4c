//! [`Timeline`]: one call, from its start to its end.

use crate::attributes::Attributes;
use crate::key::Key;
use crate::label::Label;
use crate::stop::StopReason;
use crate::time::Moment;
use crate::timeline::{AttemptRecord, Ending};
use std::time::{Duration, SystemTime};

/// One call and all of its attempts.
///
/// ```
/// use recourse_core::{AttemptRecord, Ending, Key, Moment, Timeline};
///
/// let mut timeline = Timeline::new(Key::from_static("payments.Charge"), Moment::ZERO);
/// let mut record = AttemptRecord::new(0, Moment::ZERO);
/// record.ending = Ending::Won;
/// timeline.push(record);
/// assert!(timeline.is_success());
/// assert_eq!(timeline.attempts().len(), 1);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Timeline {
    /// The call's key.
    pub key: Key,
    /// The policy's id; empty where it has none.
    pub policy_id: Label,
    /// When the call started.
    pub start: Moment,
    /// When it ended.
    pub end: Moment,
    /// When the call started by the calendar, if the clock has one.
    pub started_at: Option<SystemTime>,
    /// Low-cardinality names and values: where the policy came from, what was missing, what was normalised.
    pub attributes: Attributes,
    /// Why the call ended; `None` where a value that is a success ended it. [`StopReason::Accepted`] is a success too:
    /// [`is_success`](Self::is_success) says so.
    pub stop: Option<StopReason>,
    /// The error that the caller got, as text; what lies behind the stop stands first, if anything does.
    pub error: Option<Label>,
    records: Records,
}

/// The records in the order in which the attempts started; the first needs no memory of its own.
#[derive(Clone, Debug, PartialEq)]
enum Records {
    None,
    One(AttemptRecord),
    Many(Vec<AttemptRecord>),
}

impl Timeline {
    /// A call without attempts.
    #[must_use]
    #[inline]
    pub const fn new(key: Key, start: Moment) -> Self {
        Timeline {
            key,
            policy_id: Label::EMPTY,
            start,
            end: start,
            started_at: None,
            attributes: Attributes::new(),
            stop: None,
            error: None,
            records: Records::None,
        }
    }

    /// Every record, denied ones included, in the order in which the attempts started.
    #[must_use]
    #[inline]
    pub fn attempts(&self) -> &[AttemptRecord] {
        match &self.records {
            Records::None => &[],
            Records::One(record) => std::slice::from_ref(record),
            Records::Many(records) => records,
        }
    }

    /// Every record, to be written.
    #[inline]
    pub fn attempts_mut(&mut self) -> &mut [AttemptRecord] {
        match &mut self.records {
            Records::None => &mut [],
            Records::One(record) => std::slice::from_mut(record),
            Records::Many(records) => records,
        }
    }

    /// Adds a record behind the others.
    #[inline]
    pub fn push(&mut self, record: AttemptRecord) {
        match self.records {
            Records::None => self.records = Records::One(record),
            _ => self.push_further([record]),
        }
    }

    /// Drops every record; what the timeline says of its call stays.
    #[inline]
    pub fn clear_attempts(&mut self) {
        self.records = Records::None;
    }

    /// Takes the record wrapped, which is a copy: so the first one is never put together anywhere but in its place.
    #[inline(never)]
    fn push_further(&mut self, record: [AttemptRecord; 1]) {
        if let Records::One(_) = self.records {
            let mut records = Vec::with_capacity(4);
            if let Records::One(first) = std::mem::replace(&mut self.records, Records::None) {
                records.push(first);
            }
            self.records = Records::Many(records);
        }
        if let Records::Many(records) = &mut self.records {
            records.extend(record);
        }
    }

    /// Attempts that were really launched.
    #[must_use]
    pub fn launched(&self) -> usize {
        self.attempts().iter().filter(|record| record.ending != Ending::Denied).count()
    }

    /// Whether the call succeeded; an error that the classifier accepts is a success.
    #[must_use]
    #[inline]
    pub fn is_success(&self) -> bool {
        matches!(self.stop, None | Some(StopReason::Accepted))
    }

    /// How long the call took.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.end.since(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_stand_in_the_order_in_which_they_were_added_however_many() {
        let mut timeline = Timeline::new(Key::from_static("svc.op"), Moment::ZERO);
        for attempt in 0..6 {
            timeline.push(AttemptRecord::new(attempt, Moment::ZERO));
            let numbers: Vec<_> = timeline.attempts().iter().map(|record| record.attempt).collect();
            assert_eq!(numbers, (0..=attempt).collect::<Vec<_>>());
        }
    }

    #[test]
    fn attempts_that_are_cleared_leave_what_is_said_of_the_call() {
        let mut timeline = Timeline::new(Key::from_static("svc.op"), Moment::from_nanos(7));
        timeline.stop = Some(StopReason::NonRetryable);
        for attempts in [1, 3] {
            (0..attempts).for_each(|attempt| timeline.push(AttemptRecord::new(attempt, Moment::ZERO)));
            timeline.clear_attempts();
            assert_eq!(timeline.attempts(), []);
            assert_eq!(
                (timeline.start, timeline.stop),
                (Moment::from_nanos(7), Some(StopReason::NonRetryable))
            );
        }
    }
}
