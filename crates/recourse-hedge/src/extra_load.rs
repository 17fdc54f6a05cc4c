//! [`ExtraLoad`]: at most so many hedges in a hundred calls, after a delay that it finds by itself.

use crate::account::{Account, HEDGE};
use crate::accounts::Accounts;
use crate::atomics::{AtomicU64, Ordering};
use crate::deadline::in_time;
use crate::error::HedgeConfigError;
use crate::quantile::usual;
use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger};
use std::time::Duration;

/// Launches hedges for so many in a hundred groups, the slowest of them, key by key.
///
/// You name the load, not the delay: `ExtraLoad::percent(2.0)` adds at most 2 % more attempts, and finds for each key
/// the delay that comes to this. Hedge `n` fires once the group is older than `n` times the delay. It has no name in
/// the registry of its own: register it under one that says what it does, `at_most_2_percent`.
///
/// | | |
/// |---|---|
/// | bound | hedges <= percent x groups since the start, always; in any stretch of time, at most 10 more than that |
/// | what it comes to | 97 to 100 % of the target in simulation, on exponential, log-normal and bimodal latencies |
/// | groups | those whose primary had to wait; one that is ready at once pays for nothing |
/// | delay | at first the policy's `hedge_delay`; then between 1 ms and 68.7 s |
/// | follows | twice the delay after 16 hedges, or 4 that are due and not paid for; half of it after what pays for 16, or for 4 once 10 are saved |
/// | memory | 16 bytes a place, two places a key: 32 KiB for the default of 1,024 keys; and the latencies of each key |
/// | cost | one atomic step when a group begins to wait, one when a hedge is due; no lock, no allocation |
/// | deadline | none once less time is left than half of the key's recent calls took; see [`ignore_deadline`](Self::ignore_deadline) |
///
/// A hedge that the budget or the circuit refuses counts as launched, so what is launched is less by those. A service
/// that is as quick every time is hedged too, up to the target: some call is always the slowest.
///
/// Each group pays a share in and each hedge takes one out, as in the retry budgets of Finagle and Linkerd; the delay
/// is found by the weighted up-down method (Kaernbach, 1991), a stochastic approximation (Robbins and Monro, 1951).
///
/// ```
/// use recourse_core::{HedgeState, HedgeTrigger, Moment};
/// use recourse_hedge::ExtraLoad;
/// use std::time::Duration;
///
/// let (trigger, ms) = (ExtraLoad::percent(2.0)?, Duration::from_millis);
/// let at = |elapsed| HedgeState::new(Moment::ZERO, Moment::ZERO + elapsed, 1, 1, ms(200));
/// for _ in 0..50 {
///     assert!(!trigger.should_spawn_hedge(&at(ms(0))).spawn); // fifty groups begin to wait,
/// }
/// assert!(trigger.should_spawn_hedge(&at(ms(300))).spawn); // one of them may be hedged,
/// assert!(!trigger.should_spawn_hedge(&at(ms(300))).spawn); // and no other.
/// # Ok::<(), recourse_hedge::HedgeConfigError>(())
/// ```
#[derive(Debug)]
pub struct ExtraLoad {
    /// What a group pays in.
    share: u32,
    accounts: Accounts,
    ignores_deadline: bool,
}

/// No delay is shorter; no sleeper in common use is finer. It also tells a group's first evaluation from later ones.
const FLOOR: Duration = Duration::from_millis(1);

/// Room by default.
const KEYS: usize = if cfg!(recourse_loom) { 1 } else { 1_024 };

impl ExtraLoad {
    /// At most so many hedges per hundred groups, counted to a ten-thousandth of a percent.
    ///
    /// # Errors
    ///
    /// [`HedgeConfigError`] if the number is not from 0.01 to 100.
    pub fn percent(percent: f64) -> Result<Self, HedgeConfigError> {
        if !(0.01..=100.0).contains(&percent) {
            return Err(HedgeConfigError::new(
                "percent",
                percent,
                "from 0.01, a hedge in ten thousand groups, to 100, as many hedges as groups",
            ));
        }
        let share = (percent / 100.0 * f64::from(HEDGE)).round() as u32;
        Ok(ExtraLoad { share, accounts: Accounts::with_room_for(KEYS), ignores_deadline: false })
    }

    /// The same with room for so many keys, instead of 1,024. Keys that find no room share one delay and one account,
    /// so the bound holds for them together.
    ///
    /// # Errors
    ///
    /// [`HedgeConfigError`] if the number is not from 1 to 1,000,000.
    pub fn with_room_for(self, keys: usize) -> Result<Self, HedgeConfigError> {
        if !(1..=1_000_000).contains(&keys) {
            return Err(HedgeConfigError::new(
                "keys",
                keys,
                "from 1 to 1,000,000: the table is made at once, of 32 to 64 bytes a key",
            ));
        }
        Ok(ExtraLoad { accounts: Accounts::with_room_for(keys), ..self })
    }

    /// The same, launching hedges also where they aren't expected back before the call's deadline, while any time is left.
    /// Then no latencies are kept, and a call that doesn't wait pays for nothing.
    #[must_use]
    pub fn ignore_deadline(self) -> Self {
        ExtraLoad { ignores_deadline: true, ..self }
    }

    /// The delay that was found for the key with this [fingerprint](recourse_core::Key::fingerprint), as of now; `None`
    /// while no call of the key had to wait.
    #[must_use]
    pub fn delay(&self, key_fingerprint: u64) -> Option<Duration> {
        self.accounts.peek(key_fingerprint).map(|account| Duration::from_nanos(account.delay()))
    }
}

impl HedgeTrigger for ExtraLoad {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        // The primary counts as launched, so as many as are launched is the number of the next hedge.
        let next = state.launched().max(1);
        if next > state.max_hedges() {
            return HedgeDecision::never();
        }
        let word = self.accounts.of(state.key_fingerprint());
        let begins = next == 1 && state.failed() == 0 && state.is_first_look();
        let account = if begins {
            let mut now = word.load(Ordering::Relaxed);
            loop {
                let paid = opened(now, state).paid(self.share, nanos(FLOOR));
                // Relaxed: one word says it all, and nothing else is read by it.
                match word.compare_exchange_weak(now, paid.0, Ordering::Relaxed, Ordering::Relaxed) {
                    Ok(_) => break paid,
                    Err(changed) => now = changed,
                }
            }
        } else {
            opened(word.load(Ordering::Relaxed), state)
        };
        in_time(|| usual(self.ignores_deadline, state), state, || due(next, account, word, state))
    }

    fn wants_latency(&self) -> bool {
        !self.ignores_deadline
    }
}

/// Hedge `next`, if it is due and paid for.
fn due(next: u32, account: Account, word: &AtomicU64, state: &HedgeState) -> HedgeDecision {
    let left = until(next, account, state);
    if !left.is_zero() {
        return HedgeDecision::check_in(left);
    }
    let mut now = word.load(Ordering::Relaxed);
    let (account, granted) = loop {
        let (charged, granted) = opened(now, state).due();
        match word.compare_exchange_weak(now, charged.0, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => break (charged, granted),
            Err(changed) => now = changed,
        }
    };
    let spacing = Duration::from_nanos(account.delay());
    match granted {
        false => HedgeDecision::check_in(spacing),
        true if next < state.max_hedges() => {
            HedgeDecision::spawn_and_check_in(until(next + 1, account, state).max(spacing))
        }
        true => HedgeDecision::spawn(),
    }
}

/// The account that the word holds, opened with the policy's delay where there was none.
fn opened(word: u64, state: &HedgeState) -> Account {
    match Account(word) {
        Account::UNUSED => Account::open(nanos(state.hedge_delay()).max(nanos(FLOOR))),
        account => account,
    }
}

/// The time until hedge `n` is due.
fn until(hedge: u32, account: Account, state: &HedgeState) -> Duration {
    Duration::from_nanos(account.delay()).saturating_mul(hedge).saturating_sub(state.elapsed())
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
