//! The size of a call's future: the operation's and at most 512 bytes more.

use crate::scene::{KEY, built, plain};
use recourse::{Attempt, Executor};
use recourse_test::RecordingObserver;
use std::future::Future;
use std::io;

/// What a call may add to its operation's future.
const MOST: usize = 512;

async fn operation<const BYTES: usize>(_: Attempt) -> io::Result<usize> {
    let kept = std::hint::black_box([1_u8; BYTES]);
    std::future::ready(()).await;
    Ok(std::hint::black_box(kept).len())
}

/// How much larger the call's future is than the operation's.
fn added<F: Future>(call: &F, own: usize) -> usize {
    size_of_val(call).saturating_sub(own)
}

fn executor() -> Executor {
    built(Executor::builder().policy(KEY, plain()))
}

fn size_of_operation<const BYTES: usize>() -> usize {
    size_of_val(&operation::<BYTES>(Attempt::first()))
}

#[test]
fn a_call_adds_at_most_512_bytes_to_its_operation() {
    let executor = executor();
    let small = added(&executor.run(KEY, operation::<16>), size_of_operation::<16>());
    let large = added(&executor.run(KEY, operation::<4096>), size_of_operation::<4096>());
    assert!(
        small <= MOST && large <= MOST,
        "it adds {small} bytes to a small operation, {large} to a large one"
    );
}

#[test]
fn a_call_by_handle_adds_no_more() {
    let executor = executor();
    let handle = executor.handle(KEY).unwrap();
    let added = added(&handle.run(operation::<16>), size_of_operation::<16>());
    assert!(added <= MOST, "it adds {added} bytes");
}

#[test]
fn an_observed_call_adds_no_more() {
    let executor = built(Executor::builder().observer(RecordingObserver::new()).policy(KEY, plain()));
    let added = added(&executor.run(KEY, operation::<16>), size_of_operation::<16>());
    assert!(added <= MOST, "it adds {added} bytes");
}

#[test]
fn a_captured_call_adds_no_more() {
    let executor = executor();
    let added = added(&executor.call(KEY).run_captured(operation::<16>), size_of_operation::<16>());
    assert!(added <= MOST, "it adds {added} bytes");
}

#[test]
fn the_twins_add_no_more() {
    let executor = executor();
    let mut borrowing = async |attempt| operation::<16>(attempt).await;
    let own = size_of_val(&borrowing(Attempt::first()));
    let added_by_twin = added(&executor.run_mut(KEY, &mut borrowing), own);
    let mut state = ();
    let with = executor.run_with(KEY, &mut state, |_, attempt| Box::pin(operation::<16>(attempt)));
    let added_by_with = added(&with, size_of::<usize>());
    assert!(
        added_by_twin <= MOST && added_by_with <= MOST,
        "run_mut adds {added_by_twin} bytes, run_with {added_by_with}"
    );
}

#[test]
fn the_operations_future_stands_in_the_call_once() {
    let executor = executor();
    let small = size_of_val(&executor.run(KEY, operation::<16>));
    let large = size_of_val(&executor.run(KEY, operation::<4096>));
    let own = size_of_operation::<4096>() - size_of_operation::<16>();
    assert!(large - small <= own + 16, "{} bytes for {own}", large - small);
}
