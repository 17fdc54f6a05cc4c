//! What the built-in classifiers look for is found anywhere in an error's source chain, whatever the error type is.

use crate::stage::{KEY, Stage, plain};
use anyhow::Context;
use recourse::{Cancelled, Error, Failure, GrpcCode, GrpcFailure, HttpFailure, StopReason, find_error};
use recourse_test::{Script, expect};
use std::io;

type Boxed = Box<dyn std::error::Error + Send + Sync>;

/// An application's own error.
#[derive(Debug, thiserror::Error)]
enum App {
    #[error("the shop could not be reached")]
    Shop(#[source] HttpFailure),
    #[error("reading failed")]
    Io(#[from] io::Error),
    #[error("the call gave up")]
    Call(#[from] Error<HttpFailure>),
}

/// The reason of the first outcome and the number of attempts.
fn judged<E: Failure<M>, M>(make: impl Fn() -> E + Send + 'static) -> (String, usize) {
    let played = Stage::new(plain()).play(Script::<u32, E>::fails_with(9, move |_| make()));
    (played.timeline.attempts()[0].outcome.reason.to_string(), played.timeline.launched())
}

fn teapot() -> HttpFailure {
    HttpFailure::new(418, "GET")
}

#[test]
fn an_http_failure_is_found_in_every_kind_of_error() {
    let found = ("http_non_retryable_status".to_owned(), 1);
    assert_eq!(judged(teapot), found);
    assert_eq!(judged(|| App::Shop(teapot())), found);
    assert_eq!(judged(|| io::Error::other(teapot())), found);
    assert_eq!(judged(|| App::Io(io::Error::other(teapot()))), found);
    assert_eq!(judged(|| Boxed::from(teapot())), found);
    assert_eq!(judged(|| Boxed::from(App::Shop(teapot()))), found);
    assert_eq!(judged(|| anyhow::Error::new(teapot())), found);
    assert_eq!(judged(|| anyhow::Error::new(teapot()).context("buying").context("at the till")), found);
    assert_eq!(judged(|| anyhow::Error::new(io::Error::other(App::Shop(teapot()))).context("deep")), found);
}

#[test]
fn an_error_without_anything_known_in_its_chain_is_retryable() {
    let found = ("retryable_error".to_owned(), 3);
    assert_eq!(judged(|| io::Error::other("reset")), found);
    assert_eq!(judged(|| anyhow::anyhow!("reset")), found);
    assert_eq!(judged(|| Boxed::from("reset")), found);
}

#[test]
fn cancelled_anywhere_in_the_chain_aborts_whichever_classifier_judges() {
    for name in ["always", "auto", "http", "grpc"] {
        let stage = Stage::new(plain().classifier(name));
        let direct = stage.play(Script::<u32, _>::fails_with(9, |_| Cancelled));
        expect(&direct.timeline).stop("abort").reasons(["context_canceled"]);
        let wrapped = stage.play(Script::<u32, _>::fails_with(9, |_| io::Error::other(Cancelled)));
        expect(&wrapped.timeline).stop("abort").reasons(["context_canceled"]);
        let context = stage.play(Script::<u32, _>::fails_with(9, |_| {
            anyhow::Error::new(Cancelled).context("shutting down")
        }));
        expect(&context.timeline).stop("abort").reasons(["context_canceled"]);
    }
}

#[test]
fn a_grpc_failure_is_found_in_the_chain() {
    let stage = Stage::new(plain().classifier("grpc"));
    let played = stage.play(Script::<u32, _>::fails_with(9, |_| {
        anyhow::Error::new(GrpcFailure::new(GrpcCode::PermissionDenied)).context("listing")
    }));
    expect(&played.timeline).stop("non_retryable").reasons(["grpc_PermissionDenied"]);
    assert_eq!(played.timeline.attempts()[0].outcome.attributes.get("grpc_code"), Some("PermissionDenied"));
}

#[test]
fn the_calls_error_leads_to_the_operations_error() {
    let error = Stage::new(plain()).play(Script::<u32, _>::fails_with(9, |_| App::Shop(teapot()))).error();
    let source = std::error::Error::source(&error).expect("the operation's error");
    assert!(matches!(source.downcast_ref::<App>(), Some(App::Shop(_))));
    assert_eq!(find_error::<HttpFailure>(&error).map(HttpFailure::status), Some(418));
    assert!(matches!(error.into_inner(), Some(App::Shop(_))));
}

#[test]
fn the_calls_error_of_an_anyhow_operation_leads_to_what_is_inside() {
    let played = Stage::new(plain())
        .play(Script::<u32, _>::fails_with(9, |_| anyhow::Error::new(teapot()).context("buying")));
    let error = played.error();
    assert_eq!(find_error::<HttpFailure>(&error).map(HttpFailure::status), Some(418));
    let inner = error.into_inner().expect("the operation's error");
    assert_eq!(inner.downcast_ref::<HttpFailure>().map(HttpFailure::status), Some(418));
}

#[test]
fn a_question_mark_carries_the_calls_error_into_anyhow_and_into_an_enum() {
    let stage = Stage::new(plain());
    let into_anyhow =
        async { stage.executor.run(KEY, async |_| Err::<u32, _>(teapot())).await.context("in the shop") };
    let error: anyhow::Error = stage.time.run(into_anyhow).unwrap_err();
    let call = error.downcast_ref::<Error<HttpFailure>>().expect("the call's error");
    assert_eq!(call.stop_reason(), StopReason::NonRetryable);
    assert!(error.chain().any(|cause| cause.is::<HttpFailure>()));

    let into_enum = async {
        let bought = stage.executor.run(KEY, async |_| Err::<u32, _>(teapot())).await?;
        Ok::<_, App>(bought)
    };
    assert!(matches!(stage.time.run(into_enum), Err(App::Call(_))));
}

#[test]
fn the_timeline_shows_an_error_with_its_causes() {
    let played = Stage::new(plain()).play(Script::<u32, _>::fails_with(9, |_| App::Shop(teapot())));
    expect(&played.timeline).error("the shop could not be reached: GET answered 418");
}
