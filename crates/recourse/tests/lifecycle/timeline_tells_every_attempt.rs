//! The timeline: one record for every attempt, in order, each with what it was, what it waited for and how it ended.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{AttemptKind, DecisionMode, Executor, MissingBudget, MissingPolicy, StopReason, Timeline};
use recourse_test::{Event, Script, ScriptedBudget, ScriptedOperation, expect};

fn timeline(scene: &Scene, executor: &Executor, operation: &ScriptedOperation<u32>) -> Timeline {
    scene.time.run(executor.call(KEY).run_captured(|attempt| operation.call(attempt))).1
}

#[test]
fn a_retried_call_has_its_records_in_order_with_waits_and_times() {
    let scene = Scene::new();
    let executor = scene.executor(plain().id("charges"));
    let operation = Script::fails(2).takes(ms(5)).then_ok(7).takes(ms(3)).on(&scene.time);
    let timeline = timeline(&scene, &executor, &operation);
    expect(&timeline)
        .success()
        .attempts(3)
        .hedges(0)
        .policy_id("charges")
        .endings(["failed", "failed", "won"])
        .reasons(["retryable_error", "retryable_error", "success"])
        .indices([(0, 0), (1, 0), (2, 0)])
        .backoffs([ms(10), ms(20)])
        .starts([ms(0), ms(15), ms(40)])
        .durations([ms(5), ms(5), ms(3)])
        .budget_reasons(["no_budget"; 3])
        .took(ms(43))
        .attribute("policy_source", "static")
        .well_formed();
    assert_eq!((timeline.stop, timeline.error.as_ref()), (None, None));
    assert_eq!(timeline.key.as_str(), KEY);
    assert_eq!(timeline.attempts()[0].error.as_deref(), Some("scripted failure 0"));
    assert_eq!(timeline.attempts()[2].error, None);
}

#[test]
fn a_hedged_call_has_its_losers_as_superseded_and_hedges_without_backoff() {
    let scene = Scene::new();
    let executor = scene.executor(plain().hedge_after(ms(10)).max_hedges(2));
    let operation =
        Script::fails(1).takes(ms(2)).then_never().then_never().then_ok(7).takes(ms(5)).on(&scene.time);
    let timeline = timeline(&scene, &executor, &operation);
    expect(&timeline)
        .success()
        .endings(["failed", "superseded", "superseded", "won"])
        .indices([(0, 0), (1, 0), (1, 1), (1, 2)])
        .backoffs([ms(10)])
        .starts([ms(0), ms(12), ms(22), ms(32)])
        .hedges(2)
        .took(ms(37))
        .well_formed();
    let hedges: Vec<_> = timeline.attempts().iter().map(|record| record.is_hedge).collect();
    assert_eq!(hedges, [false, false, true, true]);
    let cancels = scene.observer.hedge_cancels();
    assert_eq!(cancels.len(), 1, "the loser that is a hedge");
    assert_eq!((cancels[0].0.hedge_index, cancels[0].1.as_str()), (1, "superseded"));
    assert_eq!(scene.observer.hedge_spawns().len(), 2);
}

#[test]
fn observers_hear_every_attempt_before_the_one_end() {
    let scene = Scene::new();
    let budget = ScriptedBudget::allows(1);
    let policy = plain().hedge_after(ms(10)).max_hedges(1).retry_budget("b").hedge_budget("b").hedge_cost(3);
    let executor = built(scene.builder().budget("b", budget).policy(KEY, policy));
    let operation = Script::never().then_ok(7).takes(ms(5)).on(&scene.time);
    timeline(&scene, &executor, &operation);
    assert_eq!(
        scene.observer.lines(),
        [
            "start payments.Charge",
            "budget payments.Charge #0 retry b allowed allowed",
            "budget payments.Charge #0 hedge b allowed allowed",
            "hedge_spawn payments.Charge #0.1",
            "attempt payments.Charge #0.1 won success",
            "attempt payments.Charge #0 superseded context_canceled",
            "success payments.Charge",
        ]
    );
    let events = scene.observer.budget_events();
    assert_eq!((events[0].kind, events[0].cost), (AttemptKind::Retry, 1));
    assert_eq!((events[1].kind, events[1].cost), (AttemptKind::Hedge, 3));
    assert_eq!((events[1].mode, events[1].budget.as_str()), (DecisionMode::Standard, "b"));
}

#[test]
fn what_the_observer_hears_at_the_end_is_what_was_captured() {
    for script in [Script::fails(1).then_ok(7), Script::fails(1)] {
        let scene = Scene::new();
        let executor = scene.executor(plain());
        let captured = timeline(&scene, &executor, &script.all_take(ms(5)).on(&scene.time));
        assert_eq!(scene.observer.last_timeline(), captured);
        let heard: Vec<_> = scene.observer.attempts();
        assert_eq!(heard, captured.attempts());
    }
}

#[test]
fn a_denied_attempt_is_a_record_and_no_attempt() {
    let scene = Scene::new();
    let budget = ScriptedBudget::allows(1).then_denies(1).with_reason("too_many").without_peek();
    let executor = built(scene.builder().budget("b", budget).policy(KEY, plain().retry_budget("b")));
    let operation = Script::<u32>::fails(1).on(&scene.time);
    let (result, timeline) =
        scene.time.run(executor.call(KEY).run_captured(|attempt| operation.call(attempt)));
    let error = result.unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::BudgetDenied, 1));
    assert_eq!(error.into_inner().map(|inner| inner.number), Some(0));
    expect(&timeline)
        .attempts(1)
        .endings(["failed", "denied"])
        .indices([(0, 0), (1, 0)])
        .reasons(["retryable_error", "too_many"])
        .budget_reasons(["allowed", "too_many"])
        .backoffs([ms(10)])
        .stop("budget_denied")
        .error("scripted failure 0")
        .well_formed();
    let denied = &timeline.attempts()[1];
    assert!(!denied.budget_allowed);
    assert_eq!(denied.outcome.kind, recourse::OutcomeKind::Abort);
    assert!(timeline.attempts()[0].budget_allowed);
}

#[test]
fn a_denial_that_is_foreseen_is_the_one_recorded_decision_and_saves_the_wait() {
    let scene = Scene::new();
    let budget = ScriptedBudget::allows(1).then_denies(1);
    let executor = built(scene.builder().budget("b", budget.clone()).policy(KEY, plain().retry_budget("b")));
    let operation = Script::fails(1).on(&scene.time);
    let timeline = timeline(&scene, &executor, &operation);
    expect(&timeline)
        .attempts(1)
        .endings(["failed", "denied"])
        .stop("budget_denied")
        .took(ms(0))
        .well_formed();
    assert!(scene.time.sleeps().is_empty());
    let decisions = scene.observer.budget_events();
    assert_eq!(
        decisions.iter().map(|event| (event.attempt, event.allowed)).collect::<Vec<_>>(),
        [(0, true), (1, false)]
    );
    assert_eq!((budget.asks().len(), budget.peeks().len()), (1, 1));
}

#[test]
fn a_missing_budget_tells_its_mode() {
    for (mode, stop, expected) in [
        (MissingBudget::Deny, Some("budget_not_found"), DecisionMode::Deny),
        (MissingBudget::AllowUnsafe, None, DecisionMode::AllowUnsafe),
    ] {
        let scene = Scene::new();
        let builder = scene.builder().missing_budget(mode).policy(KEY, plain().retry_budget("gone"));
        let executor = built(builder);
        let operation = Script::ok(7).on(&scene.time);
        let timeline = timeline(&scene, &executor, &operation);
        assert_eq!(timeline.stop.map(StopReason::as_str), stop);
        expect(&timeline).budget_reasons(["budget_not_found"]).well_formed();
        let event = scene.observer.budget_events().remove(0);
        assert_eq!(
            (event.mode, event.reason.as_str(), event.budget.as_str()),
            (expected, "budget_not_found", "gone")
        );
        assert_eq!(operation.count(), usize::from(stop.is_none()));
    }
}

#[test]
fn a_timeline_says_where_the_policy_came_from_and_what_was_changed() {
    let scene = Scene::new();
    let policy = plain().max_attempts(99).backoff(ms(0), ms(0));
    let executor = built(scene.builder().default_policy(policy));
    let timeline = timeline(&scene, &executor, &Script::ok(7).on(&scene.time));
    expect(&timeline)
        .attribute("policy_source", "default")
        .attribute("policy_normalized_fields", "retry.max_attempts,retry.initial_backoff,retry.max_backoff")
        .no_attribute("policy_error");
}

#[test]
fn a_missing_policy_that_falls_back_says_why() {
    let scene = Scene::new();
    let executor = built(scene.builder().missing_policy(MissingPolicy::Fallback));
    let timeline = timeline(&scene, &executor, &Script::ok(7).on(&scene.time));
    expect(&timeline)
        .success()
        .attribute("policy_source", "default")
        .attribute("policy_mode", "fallback")
        .attribute("policy_error", "policy_not_found");
}

#[test]
fn past_the_cap_of_keys_the_observer_is_told_and_the_call_runs_by_its_policy() {
    let scene = Scene::new();
    let builder = scene.builder().max_keys(0).policy(KEY, plain().circuit(1, ms(1_000)));
    let executor = built(builder);
    let operation = Script::fails(1).then_ok(7).on(&scene.time);
    let timeline = timeline(&scene, &executor, &operation);
    expect(&timeline).success().attempts(2).attribute("state_capped", "true");
    assert_eq!(scene.observer.state_capped().len(), 1);
}

#[test]
fn calls_that_end_before_an_attempt_have_a_start_an_end_and_no_record() {
    let scene = Scene::new();
    let executor = built(scene.builder());
    let operation = Script::ok(7).on(&scene.time);
    for (key, stop) in [("payments.Charge", "no_policy"), ("...", "invalid_key"), ("", "invalid_key")] {
        scene.observer.clear();
        let (result, timeline) =
            scene.time.run(executor.call(key).run_captured(|attempt| operation.call(attempt)));
        let error = result.unwrap_err();
        assert_eq!((error.stop_reason().as_str(), error.attempts()), (stop, 0), "{error}");
        assert!(error.cause().is_some() && error.inner().is_none());
        expect(&timeline).failure().attempts(0).stop(stop).took(ms(0));
        assert!(timeline.error.is_some(), "the timeline says what the caller was told");
        let heard = scene.observer.events();
        assert!(matches!(heard.as_slice(), [Event::Start(_, None), Event::Failure(_)]), "{heard:?}");
    }
    assert_eq!(operation.count(), 0);
}

#[test]
fn errors_are_written_with_their_causes() {
    #[derive(Debug, thiserror::Error)]
    #[error("charge failed")]
    struct ChargeFailed(#[source] std::io::Error);
    let scene = Scene::new();
    let executor = scene.executor(plain().max_attempts(1));
    let (result, timeline) =
        scene.time.run(executor.call(KEY).run_captured(|_| async {
            Err::<u32, _>(ChargeFailed(std::io::Error::other("connection reset")))
        }));
    expect(&timeline).failure().error("charge failed: connection reset");
    assert_eq!(timeline.attempts()[0].error.as_deref(), Some("charge failed: connection reset"));
    assert_eq!(
        result.unwrap_err().to_string(),
        "payments.Charge: attempts_exhausted after 1 attempt: charge failed"
    );
}

#[test]
fn a_call_says_nothing_of_the_call_whose_memory_it_has() {
    const OTHER: &str = "stock.Count";
    let scene = Scene::new();
    let hedged = plain().hedge_after(ms(10)).max_attempts(2);
    let executor = built(scene.builder().policy(KEY, hedged).policy(OTHER, plain().id("counts")));
    let heard = |key, script: Script<u32>, one_at_a_time| {
        let operation = script.on(&scene.time);
        let call = executor.call(key);
        let _ = match one_at_a_time {
            true => scene.time.run(call.run_mut(async |attempt| operation.call(attempt).await)),
            false => scene.time.run(call.run(|attempt| operation.call(attempt))),
        };
        scene.observer.last_timeline()
    };
    for _ in 0..2 {
        let noted = heard(KEY, Script::fails(2), true);
        expect(&noted).attempts(2).attribute("hedging", "off_one_at_a_time").well_formed();
        assert!(noted.stop.is_some() && noted.error.is_some(), "{noted}");
        for (key, id) in [(OTHER, "counts"), (KEY, "")] {
            let quiet = heard(key, Script::ok(7), false);
            expect(&quiet)
                .success()
                .attempts(1)
                .policy_id(id)
                .attribute("policy_source", "static")
                .well_formed();
            assert_eq!((quiet.key.as_str(), &quiet.error, quiet.stop), (key, &None, None));
            assert_eq!((quiet.attributes.get("hedging"), &quiet.attempts()[0].error), (None, &None));
        }
    }
}

#[test]
fn nothing_of_the_call_before_is_told_by_the_next_one_of_the_thread() {
    fn next() -> Timeline {
        let scene = Scene::new();
        let operation = Script::ok(7).on(&scene.time);
        timeline(&scene, &scene.executor(plain()), &operation)
    }
    let scene = Scene::new();
    let executor = scene.executor(plain().id("charges").timeout_per_attempt(ms(10)));
    let operation = Script::<u32>::fails(2).takes(ms(5)).on(&scene.time);
    assert!(scene.time.run(executor.run(KEY, |attempt| operation.call(attempt))).is_err());
    let here = next();
    let elsewhere = std::thread::spawn(next).join().expect("it ends");
    assert_eq!(here, elsewhere);
}
