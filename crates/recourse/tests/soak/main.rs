//! The soak: random calls in random worlds, in virtual time, each world from one seed. Whatever happens in it, at its end
//! everything that was taken has come back, and every call that started has ended once.
//!
//! A world is an executor with random policies and plugins, some of which panic now and then, and a crowd of calls side
//! by side and inside each other's attempts: they fail, wait, yield, panic and are dropped anywhere, while policies and
//! plugins are replaced, circuits forced, and the clock jumps, goes back or stops.
//!
//! | variable | meaning | unless set |
//! |---|---|---|
//! | `RECOURSE_SOAK_CALLS` | calls to run, rounded up to whole worlds | 30,000 |
//! | `RECOURSE_SOAK_SEED` | the first world's seed; the next ones count up | 1 |
//!
//! ```sh
//! RECOURSE_SOAK_CALLS=1000000 cargo test -p recourse --release --all-features --test soak -- --nocapture
//! ```
//!
//! A world that fails prints its seed, in the command that runs it again, poll by poll the same; with other features the
//! same seed is another world. With the feature `tokio`, a third of the worlds run on tokio's paused clock, which the executor trusts: calls that nobody
//! watches go another way there.
#![allow(clippy::unwrap_used, reason = "a test may")]

mod around;
mod breakers;
mod budgets;
mod calls;
mod crowd;
mod dice;
mod disturb;
mod ended;
mod ends;
mod errand;
mod failure;
mod mood;
mod moody;
mod nest;
mod nested;
mod policies;
mod provider;
mod tally;
mod timing;
mod triggers;
mod votes;
mod work;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};
use tally::Tally;

/// One world at a time: executors share a count of changes, and a change elsewhere has a provider asked once more.
static ALONE: Mutex<()> = Mutex::new(());

/// Each world has a thread of its own, so that nothing that a plugin keeps for its thread goes from one to another.
fn soak(seed: u64) -> Tally {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let world = std::thread::spawn(move || world::soak(seed));
    world.join().unwrap_or_else(|panic| resume_unwind(panic))
}

fn from_env(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.replace('_', "").parse().unwrap_or_else(|_| panic!("{name} = {text:?} is no number")))
}

#[test]
#[allow(clippy::print_stderr, reason = "a failing seed must be told")]
fn whatever_happens_everything_is_given_back() {
    let (wanted, first) = (from_env("RECOURSE_SOAK_CALLS"), from_env("RECOURSE_SOAK_SEED").unwrap_or(1));
    let (calls, mut seed, mut tally) = (wanted.unwrap_or(30_000), first, Tally::default());
    while tally.calls < calls {
        let soaked = catch_unwind(AssertUnwindSafe(|| soak(seed)));
        match soaked {
            Ok(world) => tally.add(&world),
            Err(panic) => {
                eprintln!("the world of seed {seed} failed; run it again with");
                let features =
                    if cfg!(feature = "tokio") { "--all-features" } else { "--no-default-features" };
                eprintln!(
                    "RECOURSE_SOAK_SEED={seed} RECOURSE_SOAK_CALLS=1 cargo test -p recourse {features} --test soak"
                );
                resume_unwind(panic);
            }
        }
        seed = seed.wrapping_add(1);
    }
    eprintln!("{} worlds from seed {first}: {tally}", seed.wrapping_sub(first));
    if calls >= 10_000 {
        tally.assert_varied();
    }
}

/// One seed is one history: everything is counted alike when it runs again.
#[test]
fn a_seed_replays_exactly() {
    for seed in 1..=20 {
        let (once, again) = (soak(seed), soak(seed));
        assert_eq!(once, again, "the world of seed {seed}");
    }
}
