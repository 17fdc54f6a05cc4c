//! [`SameDuties`]: what recourse promises of a row, written by hand for that row alone.
//!
//! A measured floor for recourse, and not a library: what it takes, recourse has to take as well, unless it is written more
//! cleverly. Breaker, budget and time limit are type parameters, so that a row has the code and the state of what it is
//! configured with; `retried` and `hedged` are the two futures. While a call of `retried` is polled, what it keeps stands
//! in local variables, and it is moved into the future where the call has to wait.

mod around;
mod elapsed;
mod end;
mod gate;
mod group;
mod hedged;
mod hedging;
mod limit;
mod places;
mod policy;
mod purse;
mod race;
mod retried;
mod timer;

use self::gate::{Gate, Guarded, Open};
use self::hedging::Hedging;
use self::limit::{Limit, Limited, Unlimited};
use self::policy::{Policy, nanos};
use self::purse::{Free, Paid, Purse};
use crate::case::{Case, Kind, Setup};
use crate::contestant::Contestant;
use crate::contestants::recourse::executor::{KEY, NoWait, bucket_of, windowed};
use crate::harness::{Runner, block_on, repeat};
use crate::operation::Operation;
use crate::settings::{ATTEMPTS, HEDGE_AFTER, OPEN_FOR, THRESHOLD, TIMEOUT};
use recourse::circuit::consecutive_failures;
use recourse::classify::Auto;
use recourse::hedge::FixedDelay;
use recourse::policy::{HedgePolicy, RetryPolicy};
use recourse::{
    BreakerFactory, BreakerSettings, Budget, Classifier, Clock, Sleeper, SystemClock, TokioClock,
    TokioSleeper,
};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What recourse promises of a row, written by hand for that row alone.
#[derive(Debug)]
pub struct SameDuties;

impl Contestant for SameDuties {
    const NAME: &'static str = "same-duties";
    const DOES: &'static str = "no peer, and no library: for each row a future written by hand that does what recourse promises in it, with the \
         same plugins behind the same traits and the same settings, shared by all calls; attempts that know their number and \
         whether they may be retried, calls inside that know the same, the outcome of a classifier, jittered waits of the \
         sleeper, the real error kept with key, reason, attempts and time, a poll that returns while something is pending, and \
         everything given back wherever it is dropped. What recourse takes beyond it is the price of one engine for all rows; \
         what a peer takes less, of its duties";
    const DOES_NOT: &'static str = "anything that its row doesn't have: a policy that can change, names and keys to look up, overall timeouts, a call \
         site's word on repeating, other kinds of jitter, observers and timelines; and, of what recourse does in each row, \
         fences round foreign plugins with a count of their panics, a clock that is not trusted, what runs at which moment, so \
         that an end tells whose panic it was; an attempt that panics is dropped with its call, and not at once";

    fn prepare(case: Case, operation: impl Operation) -> Option<Runner> {
        match case.setup {
            Setup::Retry => Some(retried(case, operation, Open, Free, Unlimited)),
            Setup::Timeout => Some(retried(case, operation, Open, Free, Limited(TIMEOUT))),
            Setup::Breaker => Some(retried(case, operation, consecutive(THRESHOLD), Free, Unlimited)),
            Setup::BreakerOpen => Some(retried(case, operation, consecutive(1), Free, Unlimited)),
            Setup::BreakerWindow => {
                let settings = BreakerSettings::new(THRESHOLD, OPEN_FOR);
                let breaker = Guarded(windowed().breaker(&KEY, &settings));
                Some(retried(case, operation, breaker, Free, Unlimited))
            }
            Setup::Budget | Setup::BudgetDenied => {
                let budget = Paid::of(Arc::new(bucket_of(case)));
                Some(retried(case, operation, Open, budget, Unlimited))
            }
            Setup::Hedge => Some(hedged(case, operation, Open, || Free, Unlimited)),
            Setup::All => {
                let bucket: Arc<dyn Budget> = Arc::new(bucket_of(case));
                let purse = || Paid::of(Arc::clone(&bucket));
                Some(hedged(case, operation, consecutive(THRESHOLD), purse, Limited(TIMEOUT)))
            }
            _ => None,
        }
    }
}

fn consecutive(threshold: u32) -> Guarded {
    Guarded(consecutive_failures(&KEY, &BreakerSettings::new(threshold, OPEN_FOR)))
}

fn retried(
    case: Case,
    operation: impl Operation,
    gate: impl Gate,
    purse: impl Purse,
    limit: impl Limit,
) -> Runner {
    let policy = Arc::new(policy(case, gate, purse, limit));
    if matches!(case.setup, Setup::BreakerOpen | Setup::BudgetDenied) {
        assert!(block_on(retried::retried(&policy, |_| operation.call())).is_err());
    }
    repeat(case, async move || retried::retried(&policy, |_| operation.call()).await)
}

fn hedged<P: Purse>(
    case: Case,
    operation: impl Operation,
    gate: impl Gate,
    purse: impl Fn() -> P,
    limit: impl Limit,
) -> Runner {
    let policy = Arc::new(policy(case, gate, purse(), limit));
    let most = HedgePolicy::default().max_hedges;
    let hedging = Arc::new(Hedging::new(Arc::new(FixedDelay), most, HEDGE_AFTER, purse()));
    repeat(case, async move || hedged::hedged(&policy, &hedging, |_| operation.call()).await)
}

fn policy<G, P, L>(case: Case, gate: G, purse: P, limit: L) -> Policy<G, P, L> {
    let retry = RetryPolicy::default();
    let longest = (1..ATTEMPTS).map(|attempt| {
        let grown = retry.initial_backoff.mul_f64(retry.backoff_multiplier.powi(attempt as i32 - 1));
        nanos(grown.min(retry.max_backoff))
    });
    let classifier = Auto::new();
    // Asked once, as recourse asks it for a plan: no value has to be judged.
    assert!(!classifier.judges_values());
    Policy {
        key: KEY,
        id: "",
        max_attempts: ATTEMPTS,
        longest: longest.collect(),
        max_server_delay: nanos(retry.max_server_delay),
        random: AtomicU64::new(RandomState::new().hash_one(0u8)),
        classifier: Arc::new(classifier),
        sleeper: sleeper(case),
        clock: clock(case),
        gate,
        purse,
        limit,
    }
}

fn sleeper(case: Case) -> Arc<dyn Sleeper> {
    match case.operation {
        Kind::Failing | Kind::FailingLate => Arc::new(NoWait),
        Kind::Ready | Kind::PendingOnce => Arc::new(TokioSleeper),
    }
}

fn clock(case: Case) -> Arc<dyn Clock> {
    match case.operation {
        Kind::PendingOnce => Arc::new(TokioClock::new()),
        _ => Arc::new(SystemClock),
    }
}
