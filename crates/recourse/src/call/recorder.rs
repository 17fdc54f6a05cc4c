//! [`Recorder`]: keeps the timeline, and is the one caller of observers.

use crate::fence::{Fence, Held, first_of};
use crate::plan::Plan;
use crate::shared::Shared;
use recourse_core::{
    AttemptRecord, CallStart, Component, Ending, Key, Label, Moment, Observer, Outcome, StopReason, Timeline,
    reason,
};
use std::cell::Cell;
use std::error::Error;
use std::fmt::Write;
use std::time::SystemTime;

const NO_KEY: Key = Key::from_static("none");

/// A timeline of no call.
#[inline]
fn empty() -> Timeline {
    Timeline::new(NO_KEY, Moment::ZERO)
}

thread_local! {
    /// The memory of the thread's last timeline: calls that are watched one after another allocate none.
    static SPARE: Cell<Option<Box<Timeline>>> = const { Cell::new(None) };
}

/// Keeps one timeline, if it is on.
#[derive(Default)]
pub(crate) struct Recorder {
    timeline: Option<Box<Timeline>>,
}

/// Whoever observes, each behind a fence of its own.
pub(crate) struct Audience<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) key: &'a Key,
    /// The call is being dropped: no panic may unwind.
    pub(crate) in_drop: bool,
}

impl Audience<'_> {
    /// Everybody hears it, also when somebody before panics; where panics are not recovered, the first goes on after.
    #[inline]
    pub(crate) fn tell(&self, callback: impl Fn(&dyn Observer)) {
        self.let_go(self.hold(callback));
    }

    #[inline]
    fn hold(&self, callback: impl Fn(&dyn Observer)) -> Option<Held> {
        let mut first = None;
        for observer in &self.shared.observers {
            if let Err(panic) = self.shared.fence.hold(Component::Observer, || callback(&**observer)) {
                first = first_of(first, Some(panic));
            }
        }
        first
    }

    #[inline]
    fn let_go(&self, panic: Option<Held>) {
        if panic.is_some() {
            self.shared.fence.let_go(panic, self.in_drop);
        }
    }
}

impl Recorder {
    /// From here on the call is recorded.
    #[inline]
    pub(crate) fn switch_on(&mut self, key: &Key) {
        let mut timeline = spare();
        timeline.key = key.clone();
        self.timeline = Some(timeline);
    }

    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        self.timeline.is_some()
    }

    #[inline]
    pub(crate) fn start(
        &mut self,
        plan: &Plan,
        now: Moment,
        started_at: Option<SystemTime>,
        audience: &Audience<'_>,
    ) {
        let Some(timeline) = &mut self.timeline else {
            return;
        };
        (timeline.start, timeline.end, timeline.started_at) = (now, now, started_at);
        timeline.policy_id = Label::from_static(plan.start.policy_id);
        timeline.attributes.clone_from(&plan.notes);
        let effective = plan.effective();
        let start = CallStart::new(&plan.key, effective);
        let mut held = audience.hold(|observer| observer.on_start(&start));
        if plan.capped && effective.is_some() {
            held = first_of(held, audience.hold(|observer| observer.on_state_capped(&plan.key)));
        }
        audience.let_go(held);
    }

    /// An attempt is launched; the answer is the place of its record, which is made there.
    #[inline]
    pub(crate) fn launched(
        &mut self,
        record: impl FnOnce() -> AttemptRecord,
        audience: &Audience<'_>,
    ) -> Option<usize> {
        let timeline = self.timeline.as_mut()?;
        let place = timeline.attempts().len();
        let record = record();
        let is_hedge = record.is_hedge;
        timeline.push(record);
        if is_hedge {
            self.hedge_launched(place, audience);
        }
        Some(place)
    }

    #[inline(never)]
    fn hedge_launched(&self, place: usize, audience: &Audience<'_>) {
        if let Some(record) = self.record(place) {
            audience.tell(|observer| observer.on_hedge_spawn(audience.key, record));
        }
    }

    /// An attempt was not allowed to start.
    pub(crate) fn denied(&mut self, record: AttemptRecord, audience: &Audience<'_>) {
        let Some(timeline) = &mut self.timeline else {
            return;
        };
        timeline.push(record);
        if let Some(record) = timeline.attempts().last() {
            audience.tell(|observer| observer.on_attempt(audience.key, record));
        }
    }

    /// An attempt has ended.
    #[inline]
    pub(crate) fn ended(&mut self, place: Option<usize>, close: Close<'_>, audience: &Audience<'_>) {
        let (Some(place), Some(timeline)) = (place, &mut self.timeline) else {
            return;
        };
        let Some(record) = timeline.attempts_mut().get_mut(place) else {
            return;
        };
        (record.end, record.ending) = (close.at.max(record.start), close.ending);
        record.outcome.clone_from(close.outcome);
        if let Some(error) = close.error {
            record.error = Some(text(error, &audience.shared.fence));
        }
        let record = &*record;
        match record.is_hedge {
            true => hedge_ended(record, audience),
            false => audience.tell(|observer| observer.on_attempt(audience.key, record)),
        }
    }

    /// Closes whatever record is still open as cancelled.
    pub(crate) fn cancel_open(&mut self, at: Moment, audience: &Audience<'_>) {
        let records = self.timeline.as_ref().map_or(0, |timeline| timeline.attempts().len());
        for place in 0..records {
            if self.record(place).is_some_and(|record| record.ending == Ending::Open) {
                let outcome = &Outcome::abort(reason::CONTEXT_CANCELED);
                let close = Close { at, ending: Ending::Cancelled, outcome, error: None };
                self.ended(Some(place), close, audience);
            }
        }
    }

    pub(crate) fn note(&mut self, name: &'static str, value: impl Into<Label>) {
        if let Some(timeline) = &mut self.timeline {
            timeline.attributes.set(name, value);
        }
    }

    /// The call is over; tells the one end that follows its start.
    #[inline]
    pub(crate) fn finish(
        &mut self,
        stop: Option<StopReason>,
        cause: Option<&dyn Error>,
        error: Option<&dyn Error>,
        now: Moment,
        audience: &Audience<'_>,
    ) {
        let Some(timeline) = &mut self.timeline else {
            return;
        };
        timeline.end = now.max(timeline.start);
        timeline.stop = stop;
        if stop.is_some() {
            timeline.error = said(cause, error, &audience.shared.fence);
        }
        let timeline = &*timeline;
        match timeline.is_success() {
            true => audience.tell(|observer| observer.on_success(timeline)),
            false => audience.tell(|observer| observer.on_failure(timeline)),
        }
    }

    /// The timeline of a captured call, which is recorded no longer.
    #[inline]
    pub(crate) fn take_timeline(&mut self) -> Timeline {
        let mut kept = Kept(self.timeline.take());
        std::mem::replace(kept.0.get_or_insert_with(spare), empty())
    }

    fn record(&self, place: usize) -> Option<&AttemptRecord> {
        self.timeline.as_ref()?.attempts().get(place)
    }
}

#[inline(never)]
fn hedge_ended(record: &AttemptRecord, audience: &Audience<'_>) {
    let (key, ending) = (audience.key, record.ending);
    let held = match ending {
        Ending::Superseded | Ending::Cancelled => {
            audience.hold(|observer| observer.on_hedge_cancel(key, record, ending.as_str()))
        }
        _ => None,
    };
    let also = audience.hold(|observer| observer.on_attempt(key, record));
    audience.let_go(first_of(held, also));
}

impl Drop for Recorder {
    #[inline]
    fn drop(&mut self) {
        if let Some(mut timeline) = self.timeline.take() {
            // The rest is written anew by the thread's next call. That is likely to say the same of its plan, and to share
            // the attributes anew is a write that all threads share.
            timeline.clear_attempts();
            timeline.key = NO_KEY;
            (timeline.stop, timeline.error) = (None, None);
            keep(timeline);
        }
    }
}

/// Memory that is left to the thread: once what stood in it is where it goes, and not on the way.
struct Kept(Option<Box<Timeline>>);

impl Drop for Kept {
    #[inline]
    fn drop(&mut self) {
        if let Some(timeline) = self.0.take() {
            keep(timeline);
        }
    }
}

/// The memory of an empty timeline.
#[inline]
fn spare() -> Box<Timeline> {
    SPARE.try_with(Cell::take).ok().flatten().unwrap_or_else(|| Box::new(empty()))
}

/// Leaves the memory of an empty timeline to the thread.
#[inline]
fn keep(timeline: Box<Timeline>) {
    // A thread that is ending keeps nothing.
    let _ = SPARE.try_with(|spare| spare.set(Some(timeline)));
}

/// How an attempt ended.
pub(crate) struct Close<'e> {
    pub(crate) at: Moment,
    pub(crate) ending: Ending,
    pub(crate) outcome: &'e Outcome,
    pub(crate) error: Option<&'e dyn Error>,
}

/// What a call ended with, and what lies behind that.
#[inline(never)]
fn said(cause: Option<&dyn Error>, error: Option<&dyn Error>, fence: &Fence) -> Option<Label> {
    match (cause, error) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(text(one, fence)),
        (Some(cause), Some(error)) => {
            Some(format!("{}; last error: {}", text(cause, fence), text(error, fence)).into())
        }
    }
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
