//! [`Recorder`]: keeps the timeline, and is the one caller of observers.

use crate::fence::Fence;
use crate::plan::Plan;
use crate::shared::Shared;
use recourse_core::{
    AttemptRecord, BudgetEvent, CallStart, Component, Ending, Key, Label, Moment, Observer, Outcome,
    StopReason, Timeline, Transition, reason,
};
use std::cell::Cell;
use std::error::Error;
use std::fmt::Write;
use std::time::SystemTime;

const EMPTY: Timeline = Timeline::new(Key::from_static("none"), Moment::ZERO);

thread_local! {
    /// The memory of the thread's last timeline: calls that are watched one after another allocate none.
    static SPARE: Cell<Option<Box<Timeline>>> = const { Cell::new(None) };
}

/// Off, it costs a branch. On, it keeps one timeline and tells every observer, each behind a fence of its own.
pub(crate) struct Recorder<'a> {
    shared: &'a Shared,
    timeline: Option<Box<Timeline>>,
    /// From here on the call is being dropped: no panic may unwind.
    pub(crate) in_drop: bool,
}

impl<'a> Recorder<'a> {
    /// Off.
    #[inline]
    pub(crate) fn off(shared: &'a Shared) -> Self {
        Recorder { shared, timeline: None, in_drop: false }
    }

    /// From here on the call is recorded.
    pub(crate) fn switch_on(&mut self, key: &Key) {
        let mut timeline = SPARE.try_with(Cell::take).ok().flatten().unwrap_or_else(|| Box::new(EMPTY));
        timeline.key = key.clone();
        self.timeline = Some(timeline);
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.timeline.is_some()
    }

    pub(crate) fn start(&mut self, plan: &Plan, now: Moment, started_at: Option<SystemTime>) {
        let Some(timeline) = &mut self.timeline else {
            return;
        };
        (timeline.start, timeline.end, timeline.started_at) = (now, now, started_at);
        timeline.policy_id = Label::from_static(plan.policy_id);
        timeline.attributes = plan.notes.clone();
        let start = CallStart::new(&plan.key, plan.effective.as_ref());
        self.tell(|observer| observer.on_start(&start));
        if plan.capped && plan.stop.is_none() {
            self.tell(|observer| observer.on_state_capped(&plan.key));
        }
    }

    /// An attempt is launched; the answer is the place of its record.
    pub(crate) fn launched(&mut self, record: AttemptRecord) -> Option<usize> {
        let timeline = self.timeline.as_mut()?;
        let place = timeline.attempts().len();
        timeline.push(record);
        if let Some((timeline, record)) = self.record(Some(place)).filter(|(_, record)| record.is_hedge) {
            self.tell(|observer| observer.on_hedge_spawn(&timeline.key, record));
        }
        Some(place)
    }

    /// An attempt was not allowed to start.
    pub(crate) fn denied(&mut self, record: AttemptRecord) {
        let Some(timeline) = &mut self.timeline else {
            return;
        };
        let place = timeline.attempts().len();
        timeline.push(record);
        if let Some((timeline, record)) = self.record(Some(place)) {
            self.tell(|observer| observer.on_attempt(&timeline.key, record));
        }
    }

    /// An attempt has ended.
    pub(crate) fn ended(&mut self, place: Option<usize>, close: Close<'_>) {
        let (Some(place), Some(timeline)) = (place, &mut self.timeline) else {
            return;
        };
        let error = close.error.map(|error| text(error, &self.shared.fence));
        let Some(record) = timeline.attempts_mut().get_mut(place) else {
            return;
        };
        (record.end, record.ending, record.outcome, record.error) =
            (close.at.max(record.start), close.ending, close.outcome, error);
        let Some((timeline, record)) = self.record(Some(place)) else {
            return;
        };
        if record.is_hedge && matches!(record.ending, Ending::Superseded | Ending::Cancelled) {
            self.tell(|observer| observer.on_hedge_cancel(&timeline.key, record, record.ending.as_str()));
        }
        self.tell(|observer| observer.on_attempt(&timeline.key, record));
    }

    /// Closes whatever record is still open as cancelled.
    pub(crate) fn cancel_open(&mut self, at: Moment) {
        let records = self.timeline.as_ref().map_or(0, |timeline| timeline.attempts().len());
        for place in 0..records {
            if self.record(Some(place)).is_some_and(|(_, record)| record.ending == Ending::Open) {
                let outcome = Outcome::abort(reason::CONTEXT_CANCELED);
                self.ended(Some(place), Close { at, ending: Ending::Cancelled, outcome, error: None });
            }
        }
    }

    pub(crate) fn has_observers(&self) -> bool {
        !self.shared.observers.is_empty()
    }

    pub(crate) fn budget(&self, event: &BudgetEvent) {
        self.tell(|observer| observer.on_budget_decision(event));
    }

    pub(crate) fn transition(&self, key: &Key, transition: &Transition) {
        self.tell(|observer| observer.on_circuit_transition(key, transition));
    }

    pub(crate) fn note(&mut self, name: &'static str, value: impl Into<Label>) {
        if let Some(timeline) = &mut self.timeline {
            timeline.attributes.set(name, value);
        }
    }

    /// The call is over; tells the one end that follows its start.
    pub(crate) fn finish(&mut self, stop: Option<StopReason>, error: Option<&dyn Error>, now: Moment) {
        let Some(timeline) = &mut self.timeline else {
            return;
        };
        timeline.end = now.max(timeline.start);
        timeline.stop = stop;
        timeline.error = error.map(|error| text(error, &self.shared.fence));
        let Some(timeline) = &self.timeline else { return };
        match timeline.is_success() {
            true => self.tell(|observer| observer.on_success(timeline)),
            false => self.tell(|observer| observer.on_failure(timeline)),
        }
    }

    /// The timeline of a captured call.
    pub(crate) fn take_timeline(&mut self) -> Option<Timeline> {
        self.timeline.as_mut().map(|timeline| std::mem::replace(&mut **timeline, EMPTY))
    }

    fn record(&self, place: Option<usize>) -> Option<(&Timeline, &AttemptRecord)> {
        let timeline = self.timeline.as_deref()?;
        Some((timeline, timeline.attempts().get(place?)?))
    }

    /// Everybody hears it, also when somebody before panics; where panics are not recovered, the first goes on after.
    fn tell(&self, callback: impl Fn(&dyn Observer)) {
        let mut first = None;
        for observer in &self.shared.observers {
            if let Err(panic) = self.shared.fence.hold(Component::Observer, || callback(observer)) {
                first.get_or_insert(panic);
            }
        }
        if let Some(panic) = first.filter(|_| !self.in_drop) {
            self.shared.fence.let_go(panic);
        }
    }
}

impl Drop for Recorder<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(timeline) = self.timeline.take() {
            keep(timeline);
        }
    }
}

/// Leaves a timeline's memory to the thread.
fn keep(mut timeline: Box<Timeline>) {
    *timeline = EMPTY;
    // A thread that is ending keeps nothing.
    let _ = SPARE.try_with(|spare| spare.set(Some(timeline)));
}

/// How an attempt ended.
pub(crate) struct Close<'e> {
    pub(crate) at: Moment,
    pub(crate) ending: Ending,
    pub(crate) outcome: Outcome,
    pub(crate) error: Option<&'e dyn Error>,
}

/// An error with its causes. Its `Display` is the caller's code; watching must not fail a call.
fn text(error: &dyn Error, fence: &Fence) -> Label {
    let shown = fence.always(Component::Operation, || {
        let mut shown = error.to_string();
        let mut cause = error.source();
        for _ in 0..8 {
            let Some(below) = cause else { break };
            let said = below.to_string();
            if !shown.contains(&said) {
                let _ = write!(shown, ": {said}");
            }
            cause = below.source();
        }
        shown
    });
    shown.map_or(Label::from_static("(an error that can't be shown: its Display panicked)"), Label::from)
}
