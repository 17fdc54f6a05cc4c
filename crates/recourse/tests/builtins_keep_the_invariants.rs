//! Every plugin that comes with `recourse` keeps the invariants that `recourse-test` checks.
#![allow(clippy::unwrap_used, reason = "a test may")]

use recourse::budget::{
    AdaptiveThrottle, AllOf, AnyOf, InFlight, Observing, Quota, RetryRatio, Throttle, TokenBucket, Unlimited,
};
use recourse::circuit::{ConsecutiveFailures, FailureRatio, Recovery, SlowCalls};
use recourse::hedge::{self, ExtraLoad, FixedDelay, OnFailure, Quantile, WithinDeadline};
use recourse::observe::{Fanout, Recent, logfmt};
use recourse::{
    BreakerFactory, Budget, HedgeTrigger, Observer, Policy, StaticProvider, SystemClock, Timeline,
};
use recourse_test::invariants::{
    breaker_is_never_stuck, budget_frees_what_has_ended, budget_gives_everything_back, budget_peeks_truly,
    classifier_is_total, clock_never_goes_back, observer_bears_everything, policy_is_kept_as_written,
    provider_keeps_its_word, sleeper_wakes_in_time, trigger_never_spins, trigger_spares_quick_calls,
};
use recourse_test::{RecordingObserver, VirtualTime, WatchedBudget, WatchedCalls};
use std::sync::Arc;
use std::time::Duration;

fn budgets() -> Vec<Arc<dyn Budget>> {
    vec![
        Arc::new(TokenBucket::new(10, 5.0).unwrap()),
        Arc::new(TokenBucket::new(10, 0.0).unwrap().gate_first_attempts()),
        Arc::new(RetryRatio::new(0.1).unwrap()),
        Arc::new(RetryRatio::new(0.3).unwrap().with_reserve(1.0).unwrap().with_initial(3)),
        Arc::new(Throttle::new(10, 0.1).unwrap()),
        Arc::new(Quota::default()),
        Arc::new(InFlight::default()),
        Arc::new(Unlimited),
    ]
}

#[test]
fn every_budget_peeks_truly() {
    for budget in budgets() {
        budget_peeks_truly(&*budget);
    }
    let draws_lots = || AdaptiveThrottle::new().with_seed(1);
    budget_peeks_truly(&draws_lots());
    budget_peeks_truly(&draws_lots().spare_first_attempts());
    budget_peeks_truly(&AllOf::new([Arc::new(draws_lots()) as Arc<dyn Budget>]).unwrap());
}

#[test]
fn every_budget_gives_everything_back() {
    for budget in budgets() {
        budget_gives_everything_back(&*budget);
    }
}

#[test]
fn budgets_round_budgets_give_everything_back() {
    budget_gives_everything_back(&AllOf::new(budgets()).unwrap());
    budget_gives_everything_back(&AnyOf::new(budgets()).unwrap());
    for budget in budgets() {
        budget_gives_everything_back(&Observing::new(budget));
    }
    let watched = WatchedBudget::new(InFlight::default());
    budget_frees_what_has_ended(&watched);
    watched.assert_settled();
}

#[test]
fn what_runs_at_once_is_free_again() {
    budget_frees_what_has_ended(&InFlight::default());
    let joined: [Arc<dyn Budget>; 2] =
        [Arc::new(InFlight::new(0.0, 7).unwrap()), Arc::new(InFlight::default())];
    budget_frees_what_has_ended(&AllOf::new(joined.clone()).unwrap());
    budget_frees_what_has_ended(&AnyOf::new(joined).unwrap());
}

#[test]
fn no_breaker_is_ever_stuck() {
    for (_, factory) in recourse::circuit::builtin() {
        breaker_is_never_stuck(&*factory);
    }
    let recovery = Recovery::growing(Duration::from_secs(600)).probes(3).successes(2).jitter(0.5).seed(7);
    let second = Duration::from_secs(1);
    let kinds: [Box<dyn BreakerFactory>; 4] = [
        Box::new(ConsecutiveFailures::new().abandoned_limit(2).recovery(recovery).build().unwrap()),
        Box::new(FailureRatio::over_attempts(10).minimum_attempts(2).recovery(recovery).build().unwrap()),
        Box::new(FailureRatio::over_time(second).minimum_attempts(2).recovery(recovery).build().unwrap()),
        Box::new(SlowCalls::longer_than(Duration::from_millis(50)).slow_ratio(0.3).build().unwrap()),
    ];
    for kind in kinds {
        breaker_is_never_stuck(&*kind);
    }
}

#[test]
fn no_trigger_spins_or_hedges_what_is_quick() {
    let quantile = Quantile::P50.with_min_samples(0).with_floor(Duration::ZERO);
    let mut triggers: Vec<Arc<dyn HedgeTrigger>> = vec![
        Arc::new(ExtraLoad::percent(2.0).unwrap()),
        Arc::new(quantile),
        Arc::new(OnFailure::new(FixedDelay)),
        Arc::new(WithinDeadline::new(quantile)),
        Arc::new(hedge::Observing::new(FixedDelay)),
    ];
    triggers.extend(hedge::builtin().map(|(_, trigger)| trigger));
    for trigger in triggers {
        trigger_never_spins(&*trigger);
        trigger_spares_quick_calls(&*trigger);
    }
}

#[test]
fn every_classifier_is_total() {
    let classifiers = recourse::classify::registry();
    for name in classifiers.names() {
        classifier_is_total(&*classifiers.get(&name).unwrap());
    }
    assert_eq!(classifiers.names().len(), 4);
}

/// Has each call as a line.
struct Lines;

impl Observer for Lines {
    fn on_failure(&self, timeline: &Timeline) {
        assert_eq!(logfmt(timeline).to_string().lines().count(), 1, "one line a call");
        assert!(!timeline.to_string().is_empty());
    }
}

#[test]
fn every_observer_bears_everything() {
    let recent = Arc::new(Recent::new(10).unwrap());
    observer_bears_everything(&Fanout::default().with(recent.clone()).with(Lines));
    assert_eq!(recent.timelines().len(), 10);
    observer_bears_everything(&RecordingObserver::new());
    observer_bears_everything(&WatchedCalls::new());
}

#[test]
fn the_static_provider_keeps_its_word_and_no_preset_is_changed() {
    let provider = StaticProvider::new();
    provider.set(recourse::Key::from_static("svc.op"), Policy::http());
    provider_keeps_its_word(&provider, ["svc.op", "svc.unknown"]);
    for preset in [Policy::new(), Policy::http(), Policy::database(), Policy::background_job()] {
        policy_is_kept_as_written(&preset);
    }
    policy_is_kept_as_written(&Policy::low_latency());
}

#[test]
fn no_clock_goes_back() {
    clock_never_goes_back(&SystemClock);
    clock_never_goes_back(&VirtualTime::new());
    #[cfg(feature = "tokio")]
    clock_never_goes_back(&recourse::TokioClock::new());
}

#[test]
fn every_sleeper_whose_time_can_be_stopped_wakes_in_time() {
    let time = VirtualTime::new();
    sleeper_wakes_in_time(&time, |step| time.advance(step));
    #[cfg(feature = "tokio")]
    {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().start_paused(true).build().unwrap();
        let _here = runtime.enter();
        sleeper_wakes_in_time(&recourse::TokioSleeper, |step| runtime.block_on(tokio::time::advance(step)));
    }
}
