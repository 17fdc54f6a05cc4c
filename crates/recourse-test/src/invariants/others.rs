//! What observers, providers, policies and clocks must keep to.

use super::unwinding::survives;
use crate::time::VirtualTime;
use recourse_core::timeline::AttemptRecord;
use recourse_core::{
    AttemptKind, BudgetEvent, CallStart, CircuitState, Clock, Ending, Key, Moment, Observer, Outcome, Policy,
    PolicyProvider, PolicySource, StopReason, Timeline, Transition,
};
use std::time::Duration;

const KEY: Key = Key::from_static("invariants.Check");

/// Characters of what an observer was told that a message shows.
const SHOWN: usize = 400;

/// Reads of a clock.
const READS: u32 = 10_000;

/// Asserts that no call makes an observer panic: it hears of calls with and without a policy, attempts and hedges of every
/// ending, changes of circuits, decisions of budgets, timelines without attempts and with a hundred, ends that come before
/// their start and twice, and texts with line breaks, quotes and without an end. All of it on four threads at once, as
/// calls tell it.
///
/// ```
/// use recourse_test::{RecordingObserver, invariants};
///
/// invariants::observer_bears_everything(&RecordingObserver::new());
/// ```
///
/// # Panics
///
/// If one does.
#[track_caller]
pub fn observer_bears_everything(observer: &dyn Observer) {
    tell_everything(observer);
    let all_well = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| tell_everything(observer))).collect();
        let ends: Vec<_> = threads.into_iter().map(|thread| thread.join().is_ok()).collect();
        !ends.contains(&false)
    });
    assert!(all_well, "it panicked on one of four threads; the message stands above");
}

#[track_caller]
fn tell_everything(observer: &dyn Observer) {
    let effective = Policy::low_latency().normalize(PolicySource::Remote).ok();
    for policy in [None, effective.as_ref()] {
        survives("on_start", || observer.on_start(&CallStart::new(&KEY, policy)));
    }
    survives("on_state_capped", || observer.on_state_capped(&KEY));
    for record in records() {
        let asked = |method: &str| cut(format!("{method}: {record:?}"));
        survives(asked("on_attempt"), || observer.on_attempt(&KEY, &record));
        survives(asked("on_hedge_spawn"), || observer.on_hedge_spawn(&KEY, &record));
        survives(asked("on_hedge_cancel"), || observer.on_hedge_cancel(&KEY, &record, "superseded"));
    }
    for (allowed, kind) in [(true, AttemptKind::Retry), (false, AttemptKind::Hedge)] {
        let mut event = BudgetEvent::new(KEY, u32::MAX, kind, "budget");
        (event.allowed, event.cost) = (allowed, u32::MAX);
        survives("on_budget_decision", || observer.on_budget_decision(&event));
    }
    let states = [CircuitState::Closed, CircuitState::Open, CircuitState::HalfOpen];
    for (from, to) in states.iter().flat_map(|from| states.map(|to| (*from, to))) {
        let transition = Transition::new(from, to, "", Moment::from_nanos(u64::MAX));
        survives("on_circuit_transition", || observer.on_circuit_transition(&KEY, &transition));
    }
    for timeline in timelines() {
        let records = timeline.attempts().len();
        let asked = |method: &str| cut(format!("{method}, {records} attempts: {timeline:?}"));
        survives(asked("on_success"), || observer.on_success(&timeline));
        survives(asked("on_failure"), || observer.on_failure(&timeline));
    }
}

/// So much of a text as somebody reads.
fn cut(text: String) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}..", &text[..at]),
        None => text,
    }
}

fn records() -> Vec<AttemptRecord> {
    let texts = ["", "two\nlines and \"quotes\" = \u{1f980}\0", &"long ".repeat(10_000)];
    let record = |(ending, text): (Ending, &str)| {
        let mut record = AttemptRecord::new(u32::MAX, Moment::from_nanos(7));
        (record.ending, record.end) = (ending, Moment::from_nanos(u64::MAX));
        (record.is_hedge, record.hedge_index) = (true, u32::MAX);
        record.error = Some(text.to_owned().into());
        record.outcome = Outcome::retryable(text.to_owned()).with_attribute("status", text.to_owned());
        record
    };
    Ending::ALL.into_iter().flat_map(|ending| texts.map(|text| (ending, text))).map(record).collect()
}

fn timelines() -> [Timeline; 4] {
    let empty = Timeline::new(KEY, Moment::ZERO);
    let mut dropped = empty.clone();
    (dropped.stop, dropped.end) = (Some(StopReason::ContextCanceled), Moment::from_nanos(u64::MAX));
    let mut long = dropped.clone();
    (0..100).for_each(|attempt| long.push(AttemptRecord::new(attempt, Moment::ZERO)));
    let mut odd = empty.clone();
    odd.start = Moment::from_nanos(u64::MAX);
    records().into_iter().for_each(|record| odd.push(record));
    odd.attributes.set("policy_error", "two\nlines");
    odd.error = Some("two\nlines".into());
    [empty, dropped, long, odd]
}

/// Asserts that a provider keeps its word for these keys: that what it says at once is what it says later, that it says
/// the same again while it counts no change, that each policy can be [normalised](Policy::normalize), and that an answer
/// which is awaited may be dropped unheard. Runs in virtual time, so an answer must not wait for another thread.
///
/// ```
/// use recourse_core::{Key, PolicyProvider, PolicySource, Policy, ProvidedPolicy, ProviderError};
/// use recourse_test::invariants;
/// use std::{future::Future, pin::Pin};
///
/// struct OneForAll;
/// impl PolicyProvider for OneForAll {
///     fn policy<'s, 'k, 'f>(
///         &'s self,
///         _: &'k Key,
///     ) -> Pin<Box<dyn Future<Output = Result<ProvidedPolicy, ProviderError>> + Send + 'f>>
///     where
///         's: 'f,
///         'k: 'f,
///         Self: 'f,
///     {
///         Box::pin(async { Ok(ProvidedPolicy::new(Policy::http(), PolicySource::Static)) })
///     }
/// }
/// invariants::provider_keeps_its_word(&OneForAll, ["payments.Charge"]);
/// ```
///
/// # Panics
///
/// If that is not so, or a text is no key.
#[track_caller]
pub fn provider_keeps_its_word<'k>(provider: &dyn PolicyProvider, keys: impl IntoIterator<Item = &'k str>) {
    let time = VirtualTime::new();
    for text in keys {
        let key = Key::new(text).unwrap_or_else(|error| panic!("{text:?} is no key: {error}"));
        let generation =
            || survives("generation", || provider.generation().map(recourse_core::Generation::current));
        let before = generation();
        let later = || survives(format_args!("policy of {key}"), || time.run(provider.policy(&key)));
        for polls in 0..3 {
            let mut dropped = time.step(provider.policy(&key));
            survives(format_args!("a policy that is dropped after {polls} polls"), || {
                let _ = (0..polls).find(|_| dropped.is_done() || dropped.poll().is_ready());
                drop(dropped);
            });
        }
        let first = later();
        if let Ok(provided) = &first {
            if let Err(error) = provided.policy.normalize(provided.source) {
                panic!("{key}: its policy is none: {error}");
            }
        }
        let now = survives(format_args!("policy_now of {key}"), || provider.policy_now(&key));
        let again = later();
        if before.is_none() || before != generation() {
            continue;
        }
        let answers = [Some(&first), now.as_ref(), Some(&again)];
        let text = |answer: &Result<_, recourse_core::ProviderError>| format!("{answer:?}");
        for answer in answers.into_iter().flatten() {
            assert!(
                text(answer) == text(&first),
                "{key}: it counted no change, and said {first:?} and then {answer:?}"
            );
        }
    }
}

/// Asserts that every value of a policy is inside its limits, so that it is obeyed as it was written.
///
/// ```
/// use recourse_core::Policy;
/// use recourse_test::invariants;
///
/// invariants::policy_is_kept_as_written(&Policy::http());
/// ```
///
/// # Panics
///
/// With the fields that would be changed.
#[track_caller]
pub fn policy_is_kept_as_written(policy: &Policy) {
    match policy.normalize(PolicySource::Static) {
        Err(error) => panic!("it is no policy: {error}"),
        Ok(effective) => {
            let changes: Vec<_> = effective.changes.iter().map(ToString::to_string).collect();
            assert!(changes.is_empty(), "values are outside their limits: {}", changes.join("; "));
        }
    }
}

/// Asserts that a clock shows no earlier moment than before, in ten thousand reads on this thread and then on four at
/// once, and that no moment makes its other methods panic.
///
/// ```
/// use recourse_test::{VirtualTime, invariants};
///
/// invariants::clock_never_goes_back(&VirtualTime::new());
/// ```
///
/// # Panics
///
/// If that is not so.
#[track_caller]
pub fn clock_never_goes_back(clock: &dyn Clock) {
    let goes_on = || {
        let mut last = Moment::ZERO;
        (0..READS).all(|_| {
            let now = clock.now();
            let on = now >= last;
            last = now;
            on
        })
    };
    assert!(survives("now", goes_on), "it went back");
    let all_on = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(goes_on)).collect();
        let ends: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap_or(false)).collect();
        !ends.contains(&false)
    });
    assert!(all_on, "it went back, or panicked, on one of four threads");
    let now = clock.now();
    for moment in [Moment::ZERO, now, now + Duration::from_secs(1), Moment::from_nanos(u64::MAX)] {
        survives(format_args!("calendar: {moment:?}"), || clock.calendar(moment));
        survives(format_args!("instant: {moment:?}"), || clock.instant(moment));
    }
}
