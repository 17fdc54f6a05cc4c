//! Observers that panic, providers that break their word, policies outside their limits, clocks that go back.

use crate::{assert_caught, message};
use recourse_core::timeline::AttemptRecord;
use recourse_core::{
    Clock, Generation, Key, Moment, Observer, Policy, PolicyProvider, PolicySource, ProvidedPolicy,
    ProviderError, Timeline,
};
use recourse_test::invariants::{
    clock_never_goes_back, observer_bears_everything, policy_is_kept_as_written, provider_keeps_its_word,
};
use recourse_test::{Panicking, PluginMethod};
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

#[test]
fn an_observer_that_panics_is_caught_wherever_it_does() {
    for (method, says) in [
        (PluginMethod::OnStart, "it panicked in on_start: scripted panic in on_start"),
        (PluginMethod::OnAttempt, "it panicked in on_attempt"),
        (PluginMethod::OnHedgeSpawn, "it panicked in on_hedge_spawn"),
        (PluginMethod::OnHedgeCancel, "it panicked in on_hedge_cancel"),
        (PluginMethod::OnBudgetDecision, "it panicked in on_budget_decision"),
        (PluginMethod::OnCircuitTransition, "it panicked in on_circuit_transition"),
        (PluginMethod::OnStateCapped, "it panicked in on_state_capped"),
        (PluginMethod::OnSuccess, "it panicked in on_success"),
        (PluginMethod::OnFailure, "it panicked in on_failure"),
    ] {
        assert_caught(says, || observer_bears_everything(&Panicking::only_in([method])));
    }
    observer_bears_everything(&Panicking::only_in([]));
}

/// Counts in a number that is too small for the longest time.
struct Overflows(Mutex<u32>);

impl Observer for Overflows {
    fn on_attempt(&self, _: &Key, record: &AttemptRecord) {
        let mut millis = self.0.lock().unwrap();
        *millis = u32::try_from(record.duration().as_millis()).unwrap();
    }
}

/// Expects few attempts.
struct Small;

impl Observer for Small {
    fn on_failure(&self, timeline: &Timeline) {
        assert!(timeline.attempts().len() < 50, "too many");
    }
}

#[test]
fn what_an_observer_was_told_is_shown_as_far_as_somebody_reads() {
    let message = message(|| observer_bears_everything(&Small));
    let told = "it panicked in on_failure, 100 attempts: Timeline { key: Key(\"invariants.Check\")";
    assert!(message.starts_with(told) && message.ends_with("..: too many"), "{message}");
    assert!(message.len() < 500, "{} bytes", message.len());
}

#[test]
fn an_observer_that_can_not_count_so_far_is_caught() {
    assert_caught("it panicked in on_attempt", || observer_bears_everything(&Overflows(Mutex::new(0))));
}

/// Another policy each time, though it counts no change; or one whose numbers are none.
struct Fickle {
    asked: AtomicU64,
    generation: Generation,
    counts: bool,
    multiplier: f64,
}

impl Fickle {
    fn new(counts: bool, multiplier: f64) -> Self {
        Fickle { asked: AtomicU64::new(1), generation: Generation::new(), counts, multiplier }
    }
}

impl PolicyProvider for Fickle {
    fn policy<'s, 'k, 'f>(
        &'s self,
        _: &'k Key,
    ) -> Pin<Box<dyn Future<Output = Result<ProvidedPolicy, ProviderError>> + Send + 'f>>
    where
        's: 'f,
        'k: 'f,
        Self: 'f,
    {
        Box::pin(async move {
            let attempts = u32::try_from(self.asked.fetch_add(1, SeqCst)).unwrap();
            let policy = Policy::new().max_attempts(attempts).backoff_multiplier(self.multiplier);
            Ok(ProvidedPolicy::new(policy, PolicySource::Remote))
        })
    }

    fn generation(&self) -> Option<&Generation> {
        self.counts.then_some(&self.generation)
    }
}

#[test]
fn a_provider_that_changes_and_does_not_count_it_is_caught() {
    assert_caught("it counted no change, and said", || {
        provider_keeps_its_word(&Fickle::new(true, 2.0), ["svc.op"]);
    });
    provider_keeps_its_word(&Fickle::new(false, 2.0), ["svc.op"]);
}

#[test]
fn a_provider_of_something_that_is_no_policy_is_caught() {
    assert_caught("svc.op: its policy is none: retry.backoff_multiplier", || {
        provider_keeps_its_word(&Fickle::new(false, f64::NAN), ["svc.op"]);
    });
}

#[test]
fn a_provider_that_panics_is_caught() {
    for (method, says) in [
        (PluginMethod::PolicyNow, "it panicked in policy_now of svc.op"),
        (PluginMethod::PolicyPoll, "it panicked in"),
        (PluginMethod::Generation, "it panicked in generation"),
    ] {
        assert_caught(says, || provider_keeps_its_word(&Panicking::only_in([method]), ["svc.op"]));
    }
}

#[test]
fn a_policy_outside_its_limits_is_caught() {
    assert_caught("values are outside their limits: retry.max_attempts", || {
        policy_is_kept_as_written(&Policy::new().max_attempts(50));
    });
    assert_caught("it is no policy: retry.backoff_multiplier", || {
        policy_is_kept_as_written(&Policy::new().backoff_multiplier(f64::NAN));
    });
    for policy in [Policy::http(), Policy::database(), Policy::background_job(), Policy::low_latency()] {
        policy_is_kept_as_written(&policy);
    }
}

/// Goes back at every hundredth read, or panics for moments far away.
struct Bad {
    reads: AtomicU64,
    goes_back: bool,
}

impl Clock for Bad {
    fn now(&self) -> Moment {
        let read = self.reads.fetch_add(1, SeqCst);
        Moment::from_nanos(if self.goes_back && read % 100 == 99 { read - 50 } else { read })
    }
    fn calendar(&self, moment: Moment) -> Option<std::time::SystemTime> {
        Some(std::time::UNIX_EPOCH + (moment.since(Moment::ZERO) + Duration::MAX))
    }
}

#[test]
fn a_clock_that_goes_back_is_caught() {
    assert_caught("it went back", || {
        clock_never_goes_back(&Bad { reads: AtomicU64::new(0), goes_back: true });
    });
    assert_caught("it panicked in calendar", || {
        clock_never_goes_back(&Bad { reads: AtomicU64::new(0), goes_back: false });
    });
}
