//! [`HedgeTrigger`]: decides when a second attempt races the first.

use crate::time::Moment;
use std::sync::Arc;
use std::time::Duration;

/// Decides when to launch a hedge beside a slow attempt.
///
/// It is asked when the group's primary first has to wait, and again whenever the wait that it named is over. At most
/// one hedge is launched an answer, and never more than the policy's `max_hedges`. It is called on the caller's task
/// and must not block.
///
/// ```
/// use recourse_core::{HedgeDecision, HedgeState, HedgeTrigger};
///
/// /// One hedge, half-way through the policy's delay.
/// struct Early;
/// impl HedgeTrigger for Early {
///     fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
///         match (state.hedge_delay() / 2).checked_sub(state.elapsed()) {
///             _ if state.launched() > 1 => HedgeDecision::never(),
///             Some(left) if !left.is_zero() => HedgeDecision::check_in(left),
///             _ => HedgeDecision::spawn(),
///         }
///     }
/// }
/// ```
pub trait HedgeTrigger: Send + Sync {
    /// Whether to launch a hedge now, and when to ask again.
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision;

    /// Whether the trigger reads [`HedgeState::latency`]. Latencies are recorded for a key only if its trigger does.
    fn wants_latency(&self) -> bool {
        true
    }

    /// Whether the trigger is asked also when an attempt of the group has failed and may be retried; then
    /// [`HedgeState::is_after_failure`] says so, and [`HedgeState::failed`] how many have. If no hedge is launched and nothing is in flight, the group ends.
    fn wants_failures(&self) -> bool {
        false
    }
}

impl<T: HedgeTrigger + ?Sized> HedgeTrigger for Arc<T> {
    fn should_spawn_hedge(&self, state: &HedgeState) -> HedgeDecision {
        (**self).should_spawn_hedge(state)
    }
    fn wants_latency(&self) -> bool {
        (**self).wants_latency()
    }
    fn wants_failures(&self) -> bool {
        (**self).wants_failures()
    }
}

/// What a trigger sees of the attempt group.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HedgeState {
    call_started: Moment,
    group_started: Moment,
    now: Moment,
    launched: u32,
    max_hedges: u32,
    hedge_delay: Duration,
    latency: Option<LatencySnapshot>,
    failed: u32,
    time_left: Option<Duration>,
    key_fingerprint: u64,
    first_look: bool,
    after_failure: bool,
}

impl HedgeState {
    /// A group whose call began with it.
    #[must_use]
    #[inline]
    pub const fn new(
        group_started: Moment,
        now: Moment,
        launched: u32,
        max_hedges: u32,
        hedge_delay: Duration,
    ) -> Self {
        let call_started = group_started;
        HedgeState {
            call_started,
            group_started,
            now,
            launched,
            max_hedges,
            hedge_delay,
            latency: None,
            failed: 0,
            time_left: None,
            key_fingerprint: 0,
            first_look: launched <= 1 && group_started.as_nanos() == now.as_nanos(),
            after_failure: false,
        }
    }

    /// The same as the first look at its group, or a later one. Without this it is the first at the group's start alone.
    #[must_use]
    #[inline]
    pub const fn with_first_look(mut self, first_look: bool) -> Self {
        self.first_look = first_look;
        self
    }

    /// The same where so many attempts of the group have failed.
    #[must_use]
    #[inline]
    pub const fn with_failed(mut self, failed: u32) -> Self {
        self.failed = failed;
        self
    }

    /// The same, and whether the trigger is asked because an attempt [has failed](Self::is_after_failure).
    #[must_use]
    #[inline]
    pub const fn with_after_failure(mut self, after_failure: bool) -> Self {
        self.after_failure = after_failure;
        self
    }

    /// The same with the time that is left until the call's deadline.
    #[must_use]
    #[inline]
    pub const fn with_time_left(mut self, left: Option<Duration>) -> Self {
        self.time_left = left;
        self
    }

    /// The same for the key with this [fingerprint](crate::Key::fingerprint).
    #[must_use]
    #[inline]
    pub const fn with_key_fingerprint(mut self, fingerprint: u64) -> Self {
        self.key_fingerprint = fingerprint;
        self
    }

    /// The same in a call that began earlier.
    #[must_use]
    #[inline]
    pub const fn with_call_started(mut self, call_started: Moment) -> Self {
        self.call_started = call_started;
        self
    }

    /// The same with the key's recent latencies.
    #[must_use]
    #[inline]
    pub const fn with_latency(mut self, latency: Option<LatencySnapshot>) -> Self {
        self.latency = latency;
        self
    }

    /// Whether the trigger is asked about this group for the first time. The primary may have run for a while by then: a
    /// group is as old as its launch where latencies are kept, and as its first wait elsewhere.
    #[must_use]
    #[inline]
    pub const fn is_first_look(&self) -> bool {
        self.first_look
    }

    /// When the call started.
    #[must_use]
    #[inline]
    pub const fn call_started(&self) -> Moment {
        self.call_started
    }

    /// When the group's primary started.
    #[must_use]
    #[inline]
    pub const fn group_started(&self) -> Moment {
        self.group_started
    }

    /// The present moment.
    #[must_use]
    #[inline]
    pub const fn now(&self) -> Moment {
        self.now
    }

    /// Time since the group's primary started.
    #[must_use]
    #[inline]
    pub const fn elapsed(&self) -> Duration {
        self.now.since(self.group_started)
    }

    /// Attempts launched in the group, the primary included. A hedge that was refused counts as launched here, so
    /// that a trigger moves on to the next one.
    #[must_use]
    #[inline]
    pub const fn launched(&self) -> u32 {
        self.launched
    }

    /// Hedges that the policy allows in a group.
    #[must_use]
    #[inline]
    pub const fn max_hedges(&self) -> u32 {
        self.max_hedges
    }

    /// The policy's hedge delay.
    #[must_use]
    #[inline]
    pub const fn hedge_delay(&self) -> Duration {
        self.hedge_delay
    }

    /// The key's recent latencies; `None` while there are none.
    #[must_use]
    #[inline]
    pub const fn latency(&self) -> Option<&LatencySnapshot> {
        self.latency.as_ref()
    }

    /// Attempts of the group that have failed.
    #[must_use]
    #[inline]
    pub const fn failed(&self) -> u32 {
        self.failed
    }

    /// Whether the trigger is asked because an attempt of the group has just failed, and not by its own clock: only where
    /// it [wants failures](HedgeTrigger::wants_failures). Each failure is told once.
    ///
    /// ```
    /// use recourse_core::{HedgeState, Moment};
    /// use std::time::Duration;
    ///
    /// let state = HedgeState::new(Moment::ZERO, Moment::ZERO, 1, 1, Duration::from_millis(200)).with_failed(1);
    /// assert!(!state.is_after_failure());
    /// assert!(state.with_after_failure(true).is_after_failure());
    /// ```
    #[must_use]
    #[inline]
    pub const fn is_after_failure(&self) -> bool {
        self.after_failure
    }

    /// The time until the call's deadline; `None` where it has none.
    #[must_use]
    #[inline]
    pub const fn time_left(&self) -> Option<Duration> {
        self.time_left
    }

    /// The key's [fingerprint](crate::Key::fingerprint), for triggers that keep something per key.
    #[must_use]
    #[inline]
    pub const fn key_fingerprint(&self) -> u64 {
        self.key_fingerprint
    }
}

/// Quantiles of a key's recent latencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LatencySnapshot {
    /// Half of the calls were at most this slow.
    pub p50: Duration,
    /// 90 in 100 calls were at most this slow.
    pub p90: Duration,
    /// 95 in 100 calls were at most this slow.
    pub p95: Duration,
    /// 99 in 100 calls were at most this slow.
    pub p99: Duration,
    /// How many calls this speaks of.
    pub samples: u64,
}

impl LatencySnapshot {
    /// A snapshot from its quantiles.
    #[must_use]
    #[inline]
    pub const fn new(p50: Duration, p90: Duration, p95: Duration, p99: Duration, samples: u64) -> Self {
        LatencySnapshot { p50, p90, p95, p99, samples }
    }
}

/// A trigger's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HedgeDecision {
    /// Whether to launch one hedge now.
    pub spawn: bool,
    /// When to ask again; zero means soon (1 ms), `None` not again in this group. In an answer to a
    /// [failure](HedgeState::is_after_failure) `None` changes nothing: the check that was named before stands.
    pub next_check_in: Option<Duration>,
}

impl HedgeDecision {
    /// Launch a hedge now; don't ask again in this group.
    #[must_use]
    #[inline]
    pub const fn spawn() -> Self {
        HedgeDecision { spawn: true, next_check_in: None }
    }

    /// Launch a hedge now and ask again after `wait`.
    #[must_use]
    #[inline]
    pub const fn spawn_and_check_in(wait: Duration) -> Self {
        HedgeDecision { spawn: true, next_check_in: Some(wait) }
    }

    /// No hedge now; ask again after `wait`.
    #[must_use]
    #[inline]
    pub const fn check_in(wait: Duration) -> Self {
        HedgeDecision { spawn: false, next_check_in: Some(wait) }
    }

    /// No hedge now, nor later in this group.
    #[must_use]
    #[inline]
    pub const fn never() -> Self {
        HedgeDecision { spawn: false, next_check_in: None }
    }
}
