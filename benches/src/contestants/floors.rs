//! What the machine charges for single steps, whoever takes them.

use crate::case::Floor;
use crate::harness::{Runner, block_on};
use crate::operation::{Operation, Ready};
use crate::settings::TIMEOUT;
use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Instant;
use tokio::time::sleep;

pub(super) fn prepare(floor: Floor) -> Runner {
    match floor {
        Floor::ClockRead => steps(|| _ = black_box(Instant::now())),
        Floor::AtomicAdd => {
            let count = AtomicU64::new(0);
            steps(move || _ = black_box(count.fetch_add(1, Ordering::Relaxed)))
        }
        Floor::MutexLocked => {
            let count = Mutex::new(0_u64);
            steps(move || *count.lock().expect("nobody panics in here") += 1)
        }
        Floor::ArcCloned => {
            let shared = Arc::new(0_u64);
            steps(move || drop(black_box(Arc::clone(&shared))))
        }
        Floor::FutureBoxed => steps(|| drop(black_box(Box::pin(async { Ready.call().await })))),
        Floor::TimerMade => inside_runtime(|| drop(black_box(sleep(TIMEOUT)))),
        Floor::TimerArmed => Runner::of(|times| {
            block_on(async {
                for _ in 0..times {
                    let mut sleep = pin!(sleep(TIMEOUT));
                    poll_fn(|cx| {
                        assert!(sleep.as_mut().poll(cx).is_pending(), "a bench's timer never fires");
                        Poll::Ready(())
                    })
                    .await;
                }
            });
        }),
    }
}

fn steps(mut step: impl FnMut() + Send + 'static) -> Runner {
    Runner::of(move |times| {
        for _ in 0..times {
            step();
        }
    })
}

fn inside_runtime(mut step: impl FnMut() + Send + 'static) -> Runner {
    Runner::of(move |times| {
        block_on(async {
            for _ in 0..times {
                step();
            }
        });
    })
}
