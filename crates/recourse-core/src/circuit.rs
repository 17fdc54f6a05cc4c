//! [`CircuitBreaker`]: stops calling a side that is down. [`BreakerFactory`] makes one for each key.

mod glance;
mod mode;
mod state;
mod status;

pub use self::glance::{Glance, Shown};
pub use self::mode::CircuitMode;
pub use self::state::{CircuitState, Transition};
pub use self::status::CircuitStatus;

use crate::budget::AttemptKind;
use crate::key::Key;
use crate::label::Label;
use crate::outcome::Health;
use crate::time::{Moment, Now};
use std::sync::Arc;
use std::time::Duration;

/// The breaker of one key. It is asked before every attempt and told after it, except where its [glance](Self::glance)
/// answers.
///
/// Each admission carries a [`Ticket`] with the breaker's generation, which moves at every change of state: a report
/// of an older generation must be ignored. Every admitted attempt ends in exactly one of [`report`](Self::report) and
/// [`abandon`](Self::abandon), also when it is dropped, aborted or panics. [`Health::None`] gives a probe slot back and
/// changes nothing else.
///
/// Methods are called on the caller's task, from many threads at once, some of them while the call is being dropped:
/// they must not block. Time is the request's `now`, read only if it is asked for.
///
/// ```
/// use recourse_core::{
///     Admission, AdmissionRequest, CircuitBreaker, CircuitState, Health, Now, Rejection, Ticket, Transition,
/// };
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// /// Open for good after the first failure: for a job that must not go on by itself.
/// #[derive(Default)]
/// struct Fuse(AtomicBool);
///
/// impl CircuitBreaker for Fuse {
///     fn admit(&self, _: &AdmissionRequest<'_>) -> Admission {
///         match self.state() {
///             CircuitState::Open => Admission::Rejected(Rejection::new(CircuitState::Open, "circuit_open")),
///             _ => Admission::Admitted(Ticket::normal(0), None),
///         }
///     }
///     fn report(&self, _: Ticket, health: Health, now: &Now<'_>) -> Option<Transition> {
///         // One of many threads opens it, and tells.
///         let opens = health == Health::Down && !self.0.swap(true, Ordering::AcqRel);
///         opens.then(|| Transition::new(CircuitState::Closed, CircuitState::Open, "fuse_blown", now.get()))
///     }
///     fn state(&self) -> CircuitState {
///         if self.0.load(Ordering::Acquire) { CircuitState::Open } else { CircuitState::Closed }
///     }
/// }
///
/// let fuse = Fuse::default();
/// let now = Now::at(recourse_core::Moment::ZERO);
/// assert!(fuse.report(Ticket::normal(0), Health::Down, &now).is_some());
/// assert_eq!(fuse.state(), CircuitState::Open);
/// ```
pub trait CircuitBreaker: Send + Sync {
    /// Whether an attempt may start. A hedge must never take a probe slot.
    fn admit(&self, request: &AdmissionRequest<'_>) -> Admission;

    /// An admitted attempt has ended. The answer is the change of state that this made, if it made one.
    fn report(&self, ticket: Ticket, health: Health, now: &Now<'_>) -> Option<Transition>;

    /// The present state.
    fn state(&self) -> CircuitState;

    /// Whether an attempt that starts `wait` from now is certain to be rejected. Asked before a backoff; takes
    /// nothing. `None` (the default) when it would be admitted or can't be told.
    fn would_reject(&self, now: &Now<'_>, wait: Duration) -> Option<Rejection> {
        let _ = (now, wait);
        None
    }

    /// The policy's settings have changed. State is kept.
    fn reconfigure(&self, settings: &BreakerSettings) {
        let _ = settings;
    }

    /// An admitted attempt was given up before it ended: a hedge won, or the caller dropped the call. By default it
    /// is reported with [`Health::None`].
    fn abandon(&self, ticket: Ticket, now: &Now<'_>) -> Option<Transition> {
        self.report(ticket, Health::None, now)
    }

    /// Where the breaker shows what it would answer; for breakers whose closed circuit admits everybody and keeps no count
    /// of attempts in flight. Asked when a policy is bound, and the same for the breaker's life. `None` (the default): every
    /// attempt asks and is told.
    ///
    /// An attempt that is admitted at a glance has [`Ticket::normal`] of the generation shown, and ends as any other; but
    /// [`Health::None`] may go untold, since it changes nothing, and [`Health::Up`] where the glance says so then.
    fn glance(&self) -> Option<Arc<Glance>> {
        None
    }

    /// State, counts and the last trip, for people and dashboards. What is counted is what a vote at `now` would find: a
    /// window over time leaves out what has passed. By default the state alone.
    fn status(&self, now: &Now<'_>) -> CircuitStatus {
        let _ = now;
        CircuitStatus::new(self.state())
    }

    /// Overrides what the breaker does, until it is set again; it goes on counting. `false` (the default) where the
    /// breaker can't.
    fn set_mode(&self, mode: CircuitMode) -> bool {
        let _ = mode;
        false
    }

    /// The same, with the change that it made, for those who observe. An executor sets modes through this.
    ///
    /// By default it is [`set_mode`](Self::set_mode) between two looks at [`status`](Self::status). A breaker whose state
    /// other threads move does better to say itself what it changed.
    fn change_mode(&self, mode: CircuitMode, now: &Now<'_>) -> ModeChange {
        let at = now.get();
        let before = self.status(now);
        if !self.set_mode(mode) {
            return ModeChange::Unsupported;
        }
        let after = self.status(now);
        let changed = (before.state, before.mode) != (after.state, after.mode);
        ModeChange::Set(changed.then(|| Transition::new(before.state, after.state, mode.as_str(), at)))
    }
}

/// Makes the breaker of a key; what is registered under a breaker's name. Any
/// `Fn(&Key, &BreakerSettings) -> Arc<dyn CircuitBreaker>` is one.
///
/// It is asked once a key, and again where a policy names it for a key that had another. It must not block.
///
/// ```
/// use recourse_core::{BreakerFactory, BreakerSettings, CircuitBreaker, Key, Registry};
/// # use recourse_core::{Admission, AdmissionRequest, CircuitState, Health, Now, Ticket, Transition};
/// # struct Fuse;
/// # impl CircuitBreaker for Fuse {
/// #     fn admit(&self, _: &AdmissionRequest<'_>) -> Admission { Admission::Admitted(Ticket::normal(0), None) }
/// #     fn report(&self, _: Ticket, _: Health, _: &Now<'_>) -> Option<Transition> { None }
/// #     fn state(&self) -> CircuitState { CircuitState::Closed }
/// # }
/// # impl Fuse {
/// #     fn new(_: u32) -> Self { Fuse }
/// # }
/// use std::sync::Arc;
///
/// let breakers = Registry::<dyn BreakerFactory>::new();
/// breakers.register("fuse", |_: &Key, settings: &BreakerSettings| {
///     Arc::new(Fuse::new(settings.threshold)) as Arc<dyn CircuitBreaker>
/// })?;
/// # Ok::<(), recourse_core::RegistryError>(())
/// ```
pub trait BreakerFactory: Send + Sync {
    /// A breaker for this key, closed. It must not run a call with the same key.
    fn breaker(&self, key: &Key, settings: &BreakerSettings) -> Arc<dyn CircuitBreaker>;

    /// The largest threshold that its breakers can reach; asked when a policy is bound. A policy's larger one is brought
    /// down to it, and that is reported as any change by normalisation is. No limit by default.
    fn max_threshold(&self) -> u32 {
        u32::MAX
    }
}

impl<F> BreakerFactory for F
where
    F: Fn(&Key, &BreakerSettings) -> Arc<dyn CircuitBreaker> + Send + Sync,
{
    fn breaker(&self, key: &Key, settings: &BreakerSettings) -> Arc<dyn CircuitBreaker> {
        self(key, settings)
    }
}

/// What a policy says to its breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerSettings {
    /// Failed attempts that open the circuit; at least 1. In a row for the default breaker; for one that judges a ratio,
    /// the failures that there must be as well.
    pub threshold: u32,
    /// How long the circuit stays open before a probe; at least 100 ms. Where the time grows, the first one.
    pub cooldown: Duration,
}

impl BreakerSettings {
    /// These settings.
    #[must_use]
    #[inline]
    pub const fn new(threshold: u32, cooldown: Duration) -> Self {
        BreakerSettings { threshold, cooldown }
    }
}

/// An attempt that asks a breaker to start.
#[derive(Debug)]
#[non_exhaustive]
pub struct AdmissionRequest<'a> {
    /// Primary or hedge.
    pub kind: AttemptKind,
    /// The present moment, read when it is first asked for.
    pub now: Now<'a>,
}

impl<'a> AdmissionRequest<'a> {
    /// An attempt of this kind at this moment.
    #[must_use]
    #[inline]
    pub const fn new(kind: AttemptKind, now: Now<'a>) -> Self {
        AdmissionRequest { kind, now }
    }
}

/// A breaker's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Admission {
    /// The attempt may start, and must be reported with this ticket.
    Admitted(Ticket, Option<Transition>),
    /// The attempt may not start.
    Rejected(Rejection),
}

/// The proof of an admission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ticket {
    /// The breaker's generation at the admission.
    pub generation: u64,
    /// Whether the attempt holds a probe slot.
    pub probe: bool,
    /// When it was admitted, for breakers that judge slowness; [`Moment::ZERO`] where the breaker doesn't read the time.
    pub admitted_at: Moment,
    /// Whether the breaker [observes](CircuitMode::Observing), and would have rejected the attempt if it didn't.
    pub observed_rejection: bool,
}

impl Ticket {
    /// An admission through a closed circuit.
    #[must_use]
    #[inline]
    pub const fn normal(generation: u64) -> Self {
        Ticket { generation, probe: false, admitted_at: Moment::ZERO, observed_rejection: false }
    }

    /// An admission as a probe of a half-open circuit.
    #[must_use]
    #[inline]
    pub const fn probe(generation: u64) -> Self {
        Ticket { probe: true, ..Ticket::normal(generation) }
    }

    /// The same for an attempt that is let through because the breaker observes.
    ///
    /// ```
    /// use recourse_core::Ticket;
    ///
    /// assert!(Ticket::normal(7).with_observed_rejection().observed_rejection);
    /// ```
    #[must_use]
    #[inline]
    pub const fn with_observed_rejection(mut self) -> Self {
        self.observed_rejection = true;
        self
    }

    /// The same with the moment of the admission.
    #[must_use]
    #[inline]
    pub const fn at(mut self, moment: Moment) -> Self {
        self.admitted_at = moment;
        self
    }
}

/// Why a breaker lets no attempt through.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejection {
    /// The breaker's state.
    pub state: CircuitState,
    /// `circuit_open` or `circuit_half_open_probe_limit`, or a breaker's own code.
    pub reason: Label,
}

impl Rejection {
    /// A rejection in this state.
    #[must_use]
    #[inline]
    pub fn new(state: CircuitState, reason: impl Into<Label>) -> Self {
        Rejection { state, reason: reason.into() }
    }
}

/// What came of setting a mode.
///
/// ```
/// use recourse_core::{CircuitMode, CircuitState, ModeChange, Moment, Transition};
///
/// let (from, to) = (CircuitState::Closed, CircuitState::Open);
/// let forced = Transition::new(from, to, CircuitMode::ForcedOpen.as_str(), Moment::ZERO);
/// assert_ne!(ModeChange::Set(Some(forced)), ModeChange::Set(None)); // it was forced open before
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ModeChange {
    /// The breaker can't be overridden.
    Unsupported,
    /// The mode is set. With the change that this made, the mode's name as its cause; both of its states are the same
    /// where the circuit does something else from now on and shows the same state. Without, where it had this mode.
    Set(Option<Transition>),
}
