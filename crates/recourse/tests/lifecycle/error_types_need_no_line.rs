//! Error types of operations: what works with no line at the call site, and how `?` goes on from there.

use crate::scene::{KEY, Scene, ms, plain};
use recourse::{Error, HttpFailure, StopReason};
use std::error::Error as StdError;
use std::io;

#[derive(Debug, thiserror::Error)]
enum StoreError {
    #[error("the store is down")]
    Down,
    #[error("the disk failed")]
    Disk(#[from] io::Error),
}

/// One error for a whole program, with one line for calls.
#[derive(Debug, thiserror::Error)]
enum AppError {
    #[error("charging failed")]
    Charge(#[from] Error<StoreError>),
    #[error("reading failed")]
    Read(#[from] Error<io::Error>),
}

fn scene() -> (Scene, recourse::Executor) {
    let scene = Scene::new();
    let executor = scene.executor(plain());
    (scene, executor)
}

#[test]
fn an_enum_that_derives_error() {
    let (scene, executor) = scene();
    let error = scene.time.run(executor.run(KEY, |_| async { Err::<(), _>(StoreError::Down) })).unwrap_err();
    assert!(matches!(error.inner(), Some(StoreError::Down)));
    assert_eq!(
        error.to_string(),
        "payments.Charge: attempts_exhausted after 3 attempts in 30.0ms: the store is down"
    );
}

#[test]
fn an_io_error() {
    let (scene, executor) = scene();
    let error = scene.time.run(executor.run(KEY, |_| async { Err::<(), _>(io::Error::other("gone")) }));
    let error = error.unwrap_err();
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("gone"));
    assert_eq!(error.into_inner().map(|inner| inner.kind()), Some(io::ErrorKind::Other));
}

#[test]
fn an_anyhow_error() {
    let (scene, executor) = scene();
    let call = executor.run(KEY, |_| async {
        let error = anyhow::Error::new(HttpFailure::new(404, "GET")).context("fetching the user");
        Err::<(), _>(error)
    });
    let error = scene.time.run(call).unwrap_err();
    assert_eq!(error.stop_reason(), StopReason::NonRetryable, "the http failure is found below the context");
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("fetching the user"));
    assert_eq!(error.into_inner().map(|inner| inner.to_string()).as_deref(), Some("fetching the user"));
}

#[test]
fn a_boxed_error() {
    let (scene, executor) = scene();
    let call = executor.run(KEY, |_| async {
        let number: u32 = "seven".parse()?;
        Ok::<_, Box<dyn StdError + Send + Sync>>(number)
    });
    let error = scene.time.run(call).unwrap_err();
    assert!(error.source().is_some_and(|source| source.is::<std::num::ParseIntError>()));
}

#[test]
fn question_marks_go_on_into_an_enum_with_one_from_and_into_anyhow() {
    async fn charge(executor: &recourse::Executor) -> Result<u32, AppError> {
        let charged = executor.run(KEY, |_| async { Err::<u32, _>(StoreError::Down) }).await?;
        Ok(charged + executor.run(KEY, |_| async { Ok::<u32, io::Error>(1) }).await?)
    }
    async fn through_anyhow(executor: &recourse::Executor) -> anyhow::Result<()> {
        executor.run(KEY, |_| async { Err::<(), _>(StoreError::from(io::Error::other("sector 9"))) }).await?;
        Ok(())
    }
    async fn anyhow_in_anyhow(executor: &recourse::Executor) -> anyhow::Result<()> {
        executor.run(KEY, |_| async { Err::<(), _>(anyhow::anyhow!("deep")) }).await?;
        Ok(())
    }
    async fn boxed(executor: &recourse::Executor) -> Result<(), Box<dyn StdError + Send + Sync>> {
        executor.run(KEY, |_| async { Err::<(), Box<dyn StdError + Send + Sync>>("plain".into()) }).await?;
        Ok(())
    }
    let (scene, executor) = scene();
    let error = scene.time.run(charge(&executor)).unwrap_err();
    assert!(matches!(&error, AppError::Charge(call) if call.attempts() == 3), "{error}");

    let error = scene.time.run(through_anyhow(&executor)).unwrap_err();
    let texts: Vec<_> = error.chain().skip(1).map(ToString::to_string).collect();
    assert_eq!(texts, ["the disk failed", "sector 9"]);
    assert!(error.downcast_ref::<Error<StoreError>>().is_some());

    let error = scene.time.run(anyhow_in_anyhow(&executor)).unwrap_err();
    assert_eq!(error.root_cause().to_string(), "deep");
    let error = scene.time.run(boxed(&executor)).unwrap_err();
    assert!(error.to_string().ends_with(": plain"), "{error}");
}

#[test]
fn an_error_of_a_call_may_be_the_error_of_an_operation() {
    let (scene, executor) = scene();
    let outer = executor
        .run(KEY, |_| async { executor.run("inner.Call", |_| async { Ok::<_, io::Error>(1) }).await });
    let error = scene.time.run(outer).unwrap_err();
    let inner = error.into_inner().map(|inner| inner.stop_reason());
    assert_eq!(inner, Some(StopReason::NoPolicy));
}

#[test]
fn an_error_says_in_one_line_what_happened() {
    let (scene, executor) = scene();
    let call = executor.run(KEY, |_| async {
        scene.time.wait(ms(1)).await;
        Err::<(), _>(StoreError::Down)
    });
    let error = scene.time.run(call).unwrap_err();
    let debug = format!("{error:?}");
    for part in ["payments.Charge", "AttemptsExhausted", "attempts: 3", "Down"] {
        assert!(debug.contains(part), "{part} is missing in {debug}");
    }
    assert!(!error.to_string().contains('\n'));
}
