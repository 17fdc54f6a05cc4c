//! [`expect`]: what a test expects of a timeline, and a readable message where it is otherwise.

use recourse_core::Timeline;
use recourse_core::timeline::{AttemptRecord, Ending};
use std::fmt::{Debug, Display};
use std::time::Duration;

/// Says what is expected of a timeline. Each expectation is checked on the spot; the message of one that fails says
/// what was wanted and what was found, and draws the whole timeline.
///
/// ```
/// use recourse_core::{AttemptRecord, Ending, Key, Moment, Timeline};
/// use recourse_test::expect;
///
/// let mut timeline = Timeline::new(Key::from_static("payments.Charge"), Moment::ZERO);
/// let mut record = AttemptRecord::new(0, Moment::ZERO);
/// record.ending = Ending::Won;
/// timeline.push(record);
/// timeline.attributes.set("policy_source", "static");
///
/// expect(&timeline)
///     .success()
///     .attempts(1)
///     .endings(["won"])
///     .budget_reasons(["no_budget"])
///     .attribute("policy_source", "static")
///     .well_formed();
/// ```
///
/// # Panics
///
/// Every method of [`Expectation`] panics where the timeline is otherwise, at the line that calls it.
pub fn expect(timeline: &Timeline) -> Expectation<'_> {
    Expectation { timeline }
}

/// What is expected of one timeline; see [`expect`].
///
/// Methods that take a list compare it with one entry a record, in the order in which the attempts started, denied
/// ones included, unless they say otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Expectation<'t> {
    timeline: &'t Timeline,
}

impl Expectation<'_> {
    /// The call succeeded; an error that the classifier accepts is a success.
    #[track_caller]
    pub fn success(self) -> Self {
        self.same("the verdict", "success", self.verdict())
    }

    /// The call failed or was dropped.
    #[track_caller]
    pub fn failure(self) -> Self {
        self.same("the verdict", "failure", self.verdict())
    }

    /// The call ended for this reason: a code such as `attempts_exhausted`, or a
    /// [`StopReason`](recourse_core::StopReason).
    #[track_caller]
    pub fn stop(self, reason: impl Display) -> Self {
        let found = self.timeline.stop.map(|stop| stop.to_string());
        self.same("the stop reason", Some(reason.to_string()), found)
    }

    /// The error that the caller got has this text.
    #[track_caller]
    pub fn error(self, text: impl Display) -> Self {
        let found = self.timeline.error.as_ref().map(ToString::to_string);
        self.same("the call's error", Some(text.to_string()), found)
    }

    /// So many attempts were launched: groups' primaries and hedges, without the denied ones.
    #[track_caller]
    pub fn attempts(self, launched: usize) -> Self {
        self.same(
            "the number of launched attempts",
            launched,
            self.timeline.launched(),
        )
    }

    /// So many hedges were launched.
    #[track_caller]
    pub fn hedges(self, launched: usize) -> Self {
        let records = self.timeline.attempts().iter();
        let found = records.filter(|record| record.is_hedge && record.ending != Ending::Denied);
        self.same("the number of launched hedges", launched, found.count())
    }

    /// How each attempt ended: `["failed", "won"]`, or [`Ending`]s.
    #[track_caller]
    pub fn endings(self, wanted: impl IntoIterator<Item = impl Display>) -> Self {
        self.texts("the endings", wanted, |record| record.ending.to_string())
    }

    /// The reason of each attempt's outcome.
    #[track_caller]
    pub fn reasons(self, wanted: impl IntoIterator<Item = impl Display>) -> Self {
        self.texts("the outcomes' reasons", wanted, |record| {
            record.outcome.reason.to_string()
        })
    }

    /// The reason of each attempt's budget decision.
    #[track_caller]
    pub fn budget_reasons(self, wanted: impl IntoIterator<Item = impl Display>) -> Self {
        self.texts("the budget's reasons", wanted, |record| {
            record.budget_reason.to_string()
        })
    }

    /// Attempt and hedge index of each attempt: `[(0, 0), (1, 0), (1, 1)]` is a retry that was hedged.
    #[track_caller]
    pub fn indices(self, wanted: impl IntoIterator<Item = (u32, u32)>) -> Self {
        self.list("the attempt and hedge indices", wanted, |record| {
            Some((record.attempt, record.hedge_index))
        })
    }

    /// The waits before the retries: one for each primary attempt but the call's first.
    #[track_caller]
    pub fn backoffs(self, wanted: impl IntoIterator<Item = Duration>) -> Self {
        self.list("the backoffs", wanted, |record| {
            (record.attempt > 0 && !record.is_hedge).then_some(record.backoff)
        })
    }

    /// When each attempt started, counted from the call's start.
    #[track_caller]
    pub fn starts(self, wanted: impl IntoIterator<Item = Duration>) -> Self {
        self.list("the starts", wanted, |record| {
            Some(record.start.since(self.timeline.start))
        })
    }

    /// How long each attempt took.
    #[track_caller]
    pub fn durations(self, wanted: impl IntoIterator<Item = Duration>) -> Self {
        self.list("the durations", wanted, |record| Some(record.duration()))
    }

    /// How long the call took.
    #[track_caller]
    pub fn took(self, wanted: Duration) -> Self {
        self.same("the call's duration", wanted, self.timeline.duration())
    }

    /// The policy's id.
    #[track_caller]
    pub fn policy_id(self, wanted: &str) -> Self {
        self.same("the policy's id", wanted, self.timeline.policy_id.as_str())
    }

    /// The timeline has this attribute with this value.
    #[track_caller]
    pub fn attribute(self, name: &str, value: &str) -> Self {
        self.same(
            &format!("the attribute {name}"),
            Some(value),
            self.timeline.attributes.get(name),
        )
    }

    /// The timeline doesn't have this attribute.
    #[track_caller]
    pub fn no_attribute(self, name: &str) -> Self {
        self.same(
            &format!("the attribute {name}"),
            None,
            self.timeline.attributes.get(name),
        )
    }

    /// What holds for the timeline of every call that ended, by a clock that did not go backwards: each attempt is
    /// closed and lies within the call, in the order of the starts; hedges are numbered from 1 and waited for nothing;
    /// no attempt stands twice; at most one won, and one did where there is no stop reason.
    #[track_caller]
    pub fn well_formed(self) -> Self {
        let faults = faults(self.timeline);
        self.same("the faults of its form", Vec::new(), faults)
    }

    fn verdict(self) -> &'static str {
        if self.timeline.is_success() {
            "success"
        } else {
            "failure"
        }
    }

    #[track_caller]
    fn texts(
        self,
        what: &str,
        wanted: impl IntoIterator<Item = impl Display>,
        text: impl Fn(&AttemptRecord) -> String,
    ) -> Self {
        let wanted = wanted.into_iter().map(|text| text.to_string());
        self.list(what, wanted, |record| Some(text(record)))
    }

    #[track_caller]
    fn list<V: PartialEq + Debug>(
        self,
        what: &str,
        wanted: impl IntoIterator<Item = V>,
        read: impl Fn(&AttemptRecord) -> Option<V>,
    ) -> Self {
        let wanted: Vec<V> = wanted.into_iter().collect();
        let found: Vec<V> = self.timeline.attempts().iter().filter_map(read).collect();
        self.same(what, wanted, found)
    }

    #[track_caller]
    fn same<V: PartialEq + Debug>(self, what: &str, wanted: V, found: V) -> Self {
        assert!(
            wanted == found,
            "{what} of {} differ from what was expected\n  wanted: {wanted:?}\n   found: {found:?}\n{}",
            self.timeline.key,
            self.timeline
        );
        self
    }
}

/// What is wrong with the form of an ended call's timeline.
fn faults(timeline: &Timeline) -> Vec<String> {
    let records = timeline.attempts();
    let mut faults = Vec::new();
    let mut fault = |wrong: bool, record: &AttemptRecord, what: &str| {
        if wrong {
            faults.push(format!("#{}.{} {what}", record.attempt, record.hedge_index));
        }
    };
    for (at, record) in records.iter().enumerate() {
        let earlier = &records[..at];
        fault(record.ending == Ending::Open, record, "is still open");
        fault(record.end < record.start, record, "ends before it starts");
        fault(record.start < timeline.start, record, "starts before the call");
        fault(record.end > timeline.end, record, "ends after the call");
        fault(
            record.is_hedge != (record.hedge_index > 0),
            record,
            "is numbered wrongly as a hedge or primary",
        );
        fault(
            record.is_hedge && !record.backoff.is_zero(),
            record,
            "is a hedge with a backoff",
        );
        let before = earlier.last();
        fault(
            before.is_some_and(|other| other.start > record.start),
            record,
            "starts before the one above it",
        );
        fault(
            before.is_some_and(|other| other.attempt > record.attempt),
            record,
            "belongs to an earlier group",
        );
        let name = |record: &AttemptRecord| (record.attempt, record.hedge_index);
        fault(
            earlier.iter().any(|other| name(other) == name(record)),
            record,
            "stands twice",
        );
        let won = |record: &AttemptRecord| record.ending == Ending::Won;
        fault(
            won(record) && earlier.iter().any(won),
            record,
            "won beside another one",
        );
    }
    let won = records.iter().any(|record| record.ending == Ending::Won);
    if timeline.stop.is_none() && !won {
        faults.push("the call has no stop reason, and no attempt won".to_owned());
    }
    faults
}
