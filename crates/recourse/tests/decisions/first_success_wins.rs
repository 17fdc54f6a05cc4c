//! In a hedged group the first success wins, and every other attempt is dropped at once and recorded.

use crate::stage::{KEY, Stage, Told, ms, plain};
use recourse::{Ending, OutcomeKind, Policy, StopReason};
use recourse_test::{Script, expect};

fn hedged(hedges: u32) -> Policy {
    plain().hedge_after(ms(10)).max_hedges(hedges)
}

#[test]
fn the_primary_wins_if_it_is_first() {
    let stage = Stage::new(hedged(1));
    let played = stage.play(Script::ok("primary").takes(ms(50)).then_ok("hedge").takes(ms(50)));
    assert_eq!(played.result.unwrap(), "primary");
    expect(&played.timeline)
        .success()
        .endings(["won", "superseded"])
        .starts([ms(0), ms(10)])
        .durations([ms(50), ms(40)])
        .took(ms(50))
        .well_formed();
    assert_eq!((played.operation.dropped(), played.operation.in_flight()), (1, 0));
}

#[test]
fn a_hedge_wins_if_it_is_first() {
    let stage = Stage::new(hedged(1));
    let played = stage.play(Script::never().then_ok("hedge").takes(ms(5)));
    assert_eq!(played.result.unwrap(), "hedge");
    expect(&played.timeline)
        .endings(["superseded", "won"])
        .reasons(["context_canceled", "success"])
        .took(ms(15));
    assert_eq!(played.operation.dropped(), 1);
    assert_eq!(stage.time.pending_sleeps(), 0);
}

#[test]
fn a_hedge_that_is_ready_at_once_wins_at_once() {
    let stage = Stage::new(hedged(1));
    let played = stage.play(Script::never().then_ok("hedge"));
    expect(&played.timeline).took(ms(10)).durations([ms(10), ms(0)]);
    assert_eq!(played.result.unwrap(), "hedge");
}

#[test]
fn of_two_that_are_ready_together_the_primary_wins() {
    let stage = Stage::new(hedged(1));
    let played = stage.play(Script::ok("primary").takes(ms(30)).then_ok("hedge").takes(ms(20)));
    assert_eq!(played.result.unwrap(), "primary");
    expect(&played.timeline).endings(["won", "superseded"]).took(ms(30));
}

#[test]
fn a_primary_that_is_ready_when_its_hedge_is_due_is_not_hedged() {
    let stage = Stage::new(hedged(1));
    let played = stage.play(Script::ok("primary").takes(ms(10)).then_ok("hedge"));
    expect(&played.timeline).endings(["won"]).took(ms(10));
    assert_eq!(played.operation.count(), 1);
}

#[test]
fn every_loser_is_recorded_once_and_told_of() {
    let stage = Stage::new(hedged(3));
    let played = stage.play(Script::never().then_never().then_never().then_ok(7).takes(ms(5)));
    expect(&played.timeline)
        .success()
        .endings(["superseded", "superseded", "superseded", "won"])
        .indices([(0, 0), (0, 1), (0, 2), (0, 3)])
        .starts([ms(0), ms(10), ms(20), ms(30)])
        .took(ms(35))
        .well_formed();
    assert_eq!(stage.observer.attempts().len(), 4, "each record is told of once");
    assert_eq!(played.operation.dropped(), 3);
}

#[test]
fn hedges_are_told_of_when_they_start_and_when_they_are_cancelled() {
    let stage = Stage::new(hedged(2));
    stage.play(Script::ok(7).takes(ms(25)).then_never());
    assert_eq!(
        stage.observer.lines(),
        [
            "start shop.Buy",
            "hedge_spawn shop.Buy #0.1",
            "hedge_spawn shop.Buy #0.2",
            "attempt shop.Buy #0 won success",
            "hedge_cancel shop.Buy #0.1 superseded",
            "attempt shop.Buy #0.1 superseded context_canceled",
            "hedge_cancel shop.Buy #0.2 superseded",
            "attempt shop.Buy #0.2 superseded context_canceled",
            "success shop.Buy",
        ]
    );
    let spawned = stage.observer.hedge_spawns();
    assert!(spawned.iter().all(|record| record.ending == Ending::Open && record.is_hedge));
    let cancelled = stage.observer.hedge_cancels();
    assert_eq!(cancelled.iter().map(|(record, _)| record.duration()).collect::<Vec<_>>(), [ms(15), ms(5)]);
}

#[test]
fn a_superseded_primary_is_no_cancelled_hedge() {
    let stage = Stage::new(hedged(1));
    stage.play(Script::never().then_ok(7));
    assert_eq!((stage.observer.hedge_spawns().len(), stage.observer.hedge_cancels().len()), (1, 0));
}

#[test]
fn losers_are_dropped_before_the_caller_has_the_result() {
    let stage = Stage::new(hedged(3));
    let operation = Script::never().then_never().then_ok(7).takes(ms(5)).on(&stage.time);
    let seen = stage.time.run(async {
        let result = stage.executor.run(KEY, |attempt| operation.call(attempt)).await;
        (result.unwrap(), operation.in_flight(), operation.dropped(), stage.time.elapsed())
    });
    assert_eq!(seen, (7, 0, 2, ms(25)));
}

#[test]
fn a_hedge_that_is_cut_by_a_dropped_call_is_cancelled_and_told_of() {
    let stage = Stage::new(hedged(1));
    let operation = Script::<u32>::never().on(&stage.time);
    let mut call = stage.time.step(stage.executor.run(KEY, |attempt| operation.call(attempt)));
    assert!(call.poll_times(3).is_pending());
    assert_eq!(operation.in_flight(), 2);
    drop(call);
    expect(&stage.observer.last_timeline()).stop("context_canceled").endings(["cancelled", "cancelled"]);
    let cancels = stage.observer.hedge_cancels();
    assert_eq!(cancels.len(), 1);
    assert_eq!(cancels[0].1, "cancelled");
}

#[test]
fn the_operation_sees_that_it_runs_as_a_hedge() {
    let stage = Stage::new(hedged(2).overall_timeout(ms(100)));
    let played = stage.play(Script::never().then_never().then_ok(7));
    let seen: Vec<_> = played
        .operation
        .calls()
        .into_iter()
        .map(|a| (a.index(), a.is_hedge(), a.hedge_index(), a.time_left()))
        .collect();
    assert_eq!(seen, [(0, false, 0, Some(ms(100))), (0, true, 1, Some(ms(90))), (0, true, 2, Some(ms(80)))]);
}

#[test]
fn a_hedge_has_its_own_time_per_attempt() {
    let stage = Stage::new(hedged(1).timeout_per_attempt(ms(30)));
    let played = stage.play(Script::never().then_ok(7).takes(ms(29)));
    assert_eq!(played.result.unwrap(), 7);
    expect(&played.timeline)
        .endings(["timed_out", "won"])
        .durations([ms(30), ms(29)])
        .took(ms(39))
        .well_formed();
}

#[test]
fn an_accepted_error_of_a_hedge_wins_too() {
    let stage = Stage::told(hedged(1));
    let script = Script::<u32, _>::new().then_never().then_err(Told::new("fine", OutcomeKind::Success));
    let played = stage.play(script);
    expect(&played.timeline).success().stop("accepted").endings(["superseded", "won"]).took(ms(10));
    let error = played.error();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::Accepted, 2));
    assert_eq!(error.into_inner().unwrap().name, "fine");
}
