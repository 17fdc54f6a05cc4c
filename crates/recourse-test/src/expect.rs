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
        self.same("verdict", "success", self.verdict())
    }

    /// The call failed or was dropped.
    #[track_caller]
    pub fn failure(self) -> Self {
        self.same("verdict", "failure", self.verdict())
    }

    /// The call ended for this reason: a code such as `attempts_exhausted`, or a
    /// [`StopReason`](recourse_core::StopReason).
    #[track_caller]
    pub fn stop(self, reason: impl Display) -> Self {
        let found = self.timeline.stop.map(|stop| stop.to_string());
        self.same("stop reason", Some(reason.to_string()), found)
    }

    /// The error that the caller got has this text.
    #[track_caller]
    pub fn error(self, text: impl Display) -> Self {
        let found = self.timeline.error.as_ref().map(ToString::to_string);
        self.same("error", Some(text.to_string()), found)
    }

    /// So many attempts were launched: groups' primaries and hedges, without the denied ones.
    #[track_caller]
    pub fn attempts(self, launched: usize) -> Self {
        self.same("number of launched attempts", launched, self.timeline.launched())
    }

    /// So many hedges were launched.
    #[track_caller]
    pub fn hedges(self, launched: usize) -> Self {
        let records = self.timeline.attempts().iter();
        let found = records.filter(|record| record.is_hedge && record.ending != Ending::Denied);
        self.same("number of launched hedges", launched, found.count())
    }

    /// How each attempt ended: `["failed", "won"]`, or [`Ending`]s.
    #[track_caller]
    pub fn endings(self, wanted: impl IntoIterator<Item = impl Display>) -> Self {
        self.texts("endings", wanted, |record| record.ending.to_string())
    }

    /// The reason of each attempt's outcome.
    #[track_caller]
    pub fn reasons(self, wanted: impl IntoIterator<Item = impl Display>) -> Self {
        self.texts("reasons", wanted, |record| record.outcome.reason.to_string())
    }

    /// The reason of each attempt's budget decision.
    #[track_caller]
    pub fn budget_reasons(self, wanted: impl IntoIterator<Item = impl Display>) -> Self {
        self.texts("budget reasons", wanted, |record| record.budget_reason.to_string())
    }

    /// Attempt and hedge index of each attempt: `[(0, 0), (1, 0), (1, 1)]` is a retry that was hedged.
    #[track_caller]
    pub fn indices(self, wanted: impl IntoIterator<Item = (u32, u32)>) -> Self {
        self.list("indices", wanted, |record| Some((record.attempt, record.hedge_index)))
    }

    /// The waits before the retries: one for each primary attempt but the call's first.
    #[track_caller]
    pub fn backoffs(self, wanted: impl IntoIterator<Item = Duration>) -> Self {
        self.list("backoffs", wanted, |record| {
            (record.attempt > 0 && !record.is_hedge).then_some(record.backoff)
        })
    }

    /// When each attempt started, counted from the call's start.
    #[track_caller]
    pub fn starts(self, wanted: impl IntoIterator<Item = Duration>) -> Self {
        self.list("starts", wanted, |record| Some(record.start.since(self.timeline.start)))
    }

    /// How long each attempt took.
    #[track_caller]
    pub fn durations(self, wanted: impl IntoIterator<Item = Duration>) -> Self {
        self.list("durations", wanted, |record| Some(record.duration()))
    }

    /// How long the call took.
    #[track_caller]
    pub fn took(self, wanted: Duration) -> Self {
        self.same("duration of the call", wanted, self.timeline.duration())
    }

    /// The policy's id.
    #[track_caller]
    pub fn policy_id(self, wanted: &str) -> Self {
        self.same("policy id", wanted, self.timeline.policy_id.as_str())
    }

    /// The timeline has this attribute with this value.
    #[track_caller]
    pub fn attribute(self, name: &str, value: &str) -> Self {
        self.same(&format!("attribute {name}"), Some(value), self.timeline.attributes.get(name))
    }

    /// The timeline doesn't have this attribute.
    #[track_caller]
    pub fn no_attribute(self, name: &str) -> Self {
        self.same(&format!("attribute {name}"), None, self.timeline.attributes.get(name))
    }

    /// What holds for the timeline of every call that ended, by a clock that did not go backwards: each attempt is
    /// closed and lies within the call, in the order of the starts; hedges are numbered from 1 and waited for nothing;
    /// no attempt stands twice; at most one won, and one did where there is no stop reason.
    #[track_caller]
    pub fn well_formed(self) -> Self {
        let faults = faults(self.timeline);
        self.same("faults of form", Vec::new(), faults)
    }

    fn verdict(self) -> &'static str {
        if self.timeline.is_success() { "success" } else { "failure" }
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
        let alike = wanted.iter().zip(&found).take_while(|(wanted, found)| wanted == found).count();
        self.same(&format!("{what}[{alike}]"), wanted, found)
    }

    #[track_caller]
    fn same<V: PartialEq + Debug>(self, what: &str, wanted: V, found: V) -> Self {
        assert!(
            wanted == found,
            "unexpected timeline: {what}\n  wanted: {wanted:?}\n   found: {found:?}\n{}",
            self.timeline
        );
        self
    }
}

/// What is wrong with the form of an ended call's timeline.
pub(crate) fn faults(timeline: &Timeline) -> Vec<String> {
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
        fault(record.is_hedge && !record.backoff.is_zero(), record, "is a hedge with a backoff");
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
        fault(earlier.iter().any(|other| name(other) == name(record)), record, "stands twice");
        let won = |record: &AttemptRecord| record.ending == Ending::Won;
        fault(won(record) && earlier.iter().any(won), record, "won beside another one");
    }
    let won = records.iter().any(|record| record.ending == Ending::Won);
    if timeline.stop.is_none() && !won {
        faults.push("the call has no stop reason, and no attempt won".to_owned());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use recourse_core::{Key, Moment, Outcome, StopReason};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn record(attempt: u32, hedge: u32, start: u64, end: u64, ending: Ending) -> AttemptRecord {
        let mut record = AttemptRecord::new(attempt, Moment::ZERO + ms(start));
        record.end = Moment::ZERO + ms(end);
        record.ending = ending;
        record.outcome = match ending {
            Ending::Won => Outcome::success(),
            _ => Outcome::retryable("http_5xx"),
        };
        (record.is_hedge, record.hedge_index) = (hedge > 0, hedge);
        record
    }

    /// A failure, then after 20 ms of backoff a retry that loses against its hedge.
    fn hedged() -> Timeline {
        let mut timeline = Timeline::new(Key::from_static("payments.Charge"), Moment::ZERO);
        timeline.push(record(0, 0, 0, 10, Ending::Failed));
        let mut retry = record(1, 0, 30, 64, Ending::Superseded);
        retry.backoff = ms(20);
        timeline.push(retry);
        timeline.push(record(1, 1, 50, 64, Ending::Won));
        timeline.end = Moment::ZERO + ms(64);
        timeline.policy_id = "p".into();
        timeline.attributes.set("policy_source", "static");
        timeline
    }

    fn failed() -> Timeline {
        let mut timeline = Timeline::new(Key::from_static("a.b"), Moment::ZERO);
        timeline.push(record(0, 0, 0, 0, Ending::Failed));
        timeline.push(record(1, 0, 0, 0, Ending::Denied));
        timeline.stop = Some(StopReason::BudgetDenied);
        timeline.error = Some("gone".into());
        timeline
    }

    fn message(check: impl FnOnce()) -> String {
        let panic = catch_unwind(AssertUnwindSafe(check)).expect_err("the expectation must fail");
        *panic.downcast::<String>().unwrap()
    }

    #[test]
    fn what_holds_passes() {
        expect(&hedged())
            .success()
            .attempts(3)
            .hedges(1)
            .endings(["failed", "superseded", "won"])
            .endings([Ending::Failed, Ending::Superseded, Ending::Won])
            .reasons(["http_5xx", "http_5xx", "success"])
            .budget_reasons(["no_budget"; 3])
            .indices([(0, 0), (1, 0), (1, 1)])
            .backoffs([ms(20)])
            .starts([ms(0), ms(30), ms(50)])
            .durations([ms(10), ms(34), ms(14)])
            .took(ms(64))
            .policy_id("p")
            .attribute("policy_source", "static")
            .no_attribute("state_capped")
            .well_formed();
        expect(&failed())
            .failure()
            .attempts(1)
            .stop("budget_denied")
            .stop(StopReason::BudgetDenied)
            .error("gone")
            .well_formed();
    }

    #[test]
    fn every_expectation_fails_where_the_timeline_is_otherwise() {
        type Check = fn(Expectation<'_>) -> Expectation<'_>;
        let hedged_checks: [(&str, Check); 15] = [
            ("verdict", |it| it.failure()),
            ("stop reason", |it| it.stop("abort")),
            ("number of launched hedges", |it| it.hedges(0)),
            ("endings[2]", |it| it.endings(["failed", "superseded", "failed"])),
            ("endings[1]", |it| it.endings(["failed"])),
            ("reasons[0]", |it| it.reasons(["", "", ""])),
            ("budget reasons[0]", |it| it.budget_reasons(["allowed"])),
            ("indices[1]", |it| it.indices([(0, 0), (0, 1)])),
            ("backoffs[0]", |it| it.backoffs([ms(10)])),
            ("starts[1]", |it| it.starts([ms(0)])),
            ("durations[0]", |it| it.durations([])),
            ("duration of the call", |it| it.took(ms(65))),
            ("policy id", |it| it.policy_id("q")),
            ("attribute policy_source", |it| it.attribute("policy_source", "lkg")),
            ("attribute policy_source", |it| it.no_attribute("policy_source")),
        ];
        let failed_checks: [(&str, Check); 3] = [
            ("verdict", |it| it.success()),
            ("error", |it| it.error("here")),
            ("number of launched attempts", |it| it.attempts(2)),
        ];
        for (timeline, checks) in [(hedged(), &hedged_checks[..]), (failed(), &failed_checks[..])] {
            for (what, check) in checks {
                let message = message(|| _ = check(expect(&timeline)));
                assert!(message.starts_with(&format!("unexpected timeline: {what}\n")), "{message}");
            }
        }
    }

    #[test]
    fn a_failing_expectation_says_what_was_wanted_and_found_and_draws_the_timeline() {
        let timeline = hedged();
        let message = message(|| _ = expect(&timeline).endings(["failed", "failed", "won"]));
        let head = [
            "unexpected timeline: endings[1]",
            r#"  wanted: ["failed", "failed", "won"]"#,
            r#"   found: ["failed", "superseded", "won"]"#,
        ];
        assert_eq!(message, format!("{}\n{timeline}", head.join("\n")));
        assert!(message.contains("#1 hedge 1"), "{message}");
    }

    #[test]
    fn a_malformed_timeline_is_told_fault_by_fault() {
        let with = |spoil: &dyn Fn(&mut [AttemptRecord])| {
            let mut timeline = hedged();
            spoil(timeline.attempts_mut());
            faults(&timeline).join("; ")
        };
        assert_eq!(with(&|_| {}), "");
        assert_eq!(with(&|r| r[1].ending = Ending::Open), "#1.0 is still open");
        assert_eq!(with(&|r| r[2].end = Moment::ZERO), "#1.1 ends before it starts");
        assert_eq!(with(&|r| r[2].end = Moment::ZERO + ms(99)), "#1.1 ends after the call");
        assert_eq!(with(&|r| r[2].is_hedge = false), "#1.1 is numbered wrongly as a hedge or primary");
        assert_eq!(with(&|r| r[2].backoff = ms(1)), "#1.1 is a hedge with a backoff");
        assert_eq!(with(&|r| r[2].start = Moment::ZERO + ms(20)), "#1.1 starts before the one above it");
        assert_eq!(with(&|r| r[2].attempt = 0), "#0.1 belongs to an earlier group");
        assert_eq!(with(&|r| r[1].attempt = 0), "#0.0 stands twice");
        assert_eq!(with(&|r| r[0].ending = Ending::Won), "#1.1 won beside another one");
        assert_eq!(
            with(&|r| r[2].ending = Ending::Failed),
            "the call has no stop reason, and no attempt won"
        );
        let mut timeline = hedged();
        timeline.start = Moment::ZERO + ms(1);
        assert_eq!(faults(&timeline), ["#0.0 starts before the call"]);
        assert!(message(|| _ = expect(&timeline).well_formed()).contains("faults of form"));
    }
}
