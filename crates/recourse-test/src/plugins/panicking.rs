//! [`Panicking`]: every plugin there is, with a panic in the methods of your choice.

use crate::time::VirtualTime;
use recourse_core::timeline::AttemptRecord;
use recourse_core::{
    Admission, AdmissionRequest, AttemptResult, BreakerFactory, BreakerSettings, Budget, BudgetEvent,
    BudgetRequest, CallStart, CircuitBreaker, CircuitState, Classifier, Clock, Decision, Health,
    HedgeDecision, HedgeState, HedgeTrigger, Key, Label, Moment, Now, Observer, Outcome, Policy,
    PolicyProvider, PolicySource, ProvidedPolicy, ProviderError, Rejection, Sleeper, Ticket, Timeline,
    Transition,
};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

/// Every plugin there is, with a panic in all methods or in those of your choice. Clones share their count.
///
/// The other methods do no harm: a value is a success and anything else retryable, every attempt is allowed and
/// admitted, nothing is hedged, every key has the default policy (which must be awaited), and clock and sleeper are
/// those of [`in_time`](Self::in_time).
///
/// ```
/// use recourse_core::{AttemptKind, Budget, BudgetRequest, Key, Moment, Now};
/// use recourse_test::{Panicking, PluginMethod};
/// use std::panic::catch_unwind;
///
/// let plugin = Panicking::only_in([PluginMethod::Release]);
/// let key = Key::from_static("svc.op");
/// let decision = plugin.allow_attempt(&BudgetRequest::new(&key, 0, AttemptKind::Retry, Now::at(Moment::ZERO)));
/// assert!(decision.allowed);
/// let release = decision.release;
/// assert!(catch_unwind(std::panic::AssertUnwindSafe(|| drop(release))).is_err());
/// assert_eq!(plugin.panics(), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Panicking {
    methods: Arc<[PluginMethod]>,
    panics: Arc<AtomicUsize>,
    time: VirtualTime,
}

macro_rules! methods {
    ($($name:ident = $text:literal, $meaning:literal;)*) => {
        /// Where a [`Panicking`] plugin may panic.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum PluginMethod {
            $(#[doc = $meaning] $name,)*
        }

        impl PluginMethod {
            /// Every one of them.
            pub const ALL: &[PluginMethod] = &[$(PluginMethod::$name),*];

            /// The name in the message of the panic: `scripted panic in allow_attempt`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(PluginMethod::$name => $text),* }
            }
        }
    };
}

methods! {
    Classify = "classify", "[`Classifier::classify`].";
    AllowAttempt = "allow_attempt", "[`Budget::allow_attempt`].";
    WouldDeny = "would_deny", "[`Budget::would_deny`].";
    Release = "release", "The release of an allowed attempt, from a drop.";
    ShouldSpawnHedge = "should_spawn_hedge", "[`HedgeTrigger::should_spawn_hedge`].";
    WantsLatency = "wants_latency", "[`HedgeTrigger::wants_latency`].";
    Breaker = "breaker", "[`BreakerFactory::breaker`].";
    Admit = "admit", "[`CircuitBreaker::admit`].";
    Report = "report", "[`CircuitBreaker::report`].";
    State = "state", "[`CircuitBreaker::state`].";
    WouldReject = "would_reject", "[`CircuitBreaker::would_reject`].";
    Reconfigure = "reconfigure", "[`CircuitBreaker::reconfigure`].";
    OnStart = "on_start", "[`Observer::on_start`].";
    OnAttempt = "on_attempt", "[`Observer::on_attempt`].";
    OnHedgeSpawn = "on_hedge_spawn", "[`Observer::on_hedge_spawn`].";
    OnHedgeCancel = "on_hedge_cancel", "[`Observer::on_hedge_cancel`].";
    OnBudgetDecision = "on_budget_decision", "[`Observer::on_budget_decision`].";
    OnCircuitTransition = "on_circuit_transition", "[`Observer::on_circuit_transition`].";
    OnStateCapped = "on_state_capped", "[`Observer::on_state_capped`].";
    OnSuccess = "on_success", "[`Observer::on_success`].";
    OnFailure = "on_failure", "[`Observer::on_failure`].";
    PolicyNow = "policy_now", "[`PolicyProvider::policy_now`].";
    Policy = "policy", "[`PolicyProvider::policy`], before there is a future.";
    PolicyPoll = "policy_poll", "The future of [`PolicyProvider::policy`], in its first poll.";
    Generation = "generation", "[`PolicyProvider::generation`].";
    Sleep = "sleep", "[`Sleeper::sleep`], before there is a future.";
    SleepPoll = "sleep_poll", "The future of [`Sleeper::sleep`], in each poll.";
    SleepDrop = "sleep_drop", "The future of [`Sleeper::sleep`], from a drop.";
    Now = "now", "[`Clock::now`].";
    Calendar = "calendar", "[`Clock::calendar`].";
}

impl fmt::Display for PluginMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Panicking {
    /// Panics in every method.
    #[must_use]
    pub fn everywhere() -> Self {
        Panicking::only_in(PluginMethod::ALL.iter().copied())
    }

    /// Panics in these methods and behaves in the others.
    #[must_use]
    pub fn only_in(methods: impl IntoIterator<Item = PluginMethod>) -> Self {
        Panicking {
            methods: methods.into_iter().collect(),
            panics: Arc::default(),
            time: VirtualTime::new(),
        }
    }

    /// As a clock and a sleeper, it follows this time where it doesn't panic.
    #[must_use]
    pub fn in_time(mut self, time: &VirtualTime) -> Self {
        self.time = time.clone();
        self
    }

    /// How often it has panicked.
    #[must_use]
    pub fn panics(&self) -> usize {
        self.panics.load(Ordering::SeqCst)
    }

    fn reach(&self, method: PluginMethod) {
        if self.methods.contains(&method) {
            self.panics.fetch_add(1, Ordering::SeqCst);
            panic!("scripted panic in {method}");
        }
    }
}

impl Classifier for Panicking {
    fn classify(&self, result: &AttemptResult<'_>) -> Outcome {
        self.reach(PluginMethod::Classify);
        if result.is_value() {
            Outcome::success()
        } else {
            Outcome::retryable("")
        }
    }
}

impl Budget for Panicking {
    fn allow_attempt(&self, _: &BudgetRequest<'_>) -> Decision {
        self.reach(PluginMethod::AllowAttempt);
        let plugin = self.clone();
        Decision::allow().with_release(move || plugin.reach(PluginMethod::Release))
    }
    fn would_deny(&self, _: &BudgetRequest<'_>) -> Option<Label> {
        self.reach(PluginMethod::WouldDeny);
        None
    }
}

impl HedgeTrigger for Panicking {
    fn should_spawn_hedge(&self, _: &HedgeState) -> HedgeDecision {
        self.reach(PluginMethod::ShouldSpawnHedge);
        HedgeDecision::never()
    }
    fn wants_latency(&self) -> bool {
        self.reach(PluginMethod::WantsLatency);
        false
    }
}

impl BreakerFactory for Panicking {
    fn breaker(&self, _: &Key, _: &BreakerSettings) -> Arc<dyn CircuitBreaker> {
        self.reach(PluginMethod::Breaker);
        Arc::new(self.clone())
    }
}

impl CircuitBreaker for Panicking {
    fn admit(&self, _: &AdmissionRequest<'_>) -> Admission {
        self.reach(PluginMethod::Admit);
        Admission::Admitted(Ticket::normal(0), None)
    }
    fn report(&self, _: Ticket, _: Health, _: &Now<'_>) -> Option<Transition> {
        self.reach(PluginMethod::Report);
        None
    }
    fn state(&self) -> CircuitState {
        self.reach(PluginMethod::State);
        CircuitState::Closed
    }
    fn would_reject(&self, _: &Now<'_>, _: Duration) -> Option<Rejection> {
        self.reach(PluginMethod::WouldReject);
        None
    }
    fn reconfigure(&self, _: &BreakerSettings) {
        self.reach(PluginMethod::Reconfigure);
    }
}

impl Observer for Panicking {
    fn on_start(&self, _: &CallStart<'_>) {
        self.reach(PluginMethod::OnStart);
    }
    fn on_attempt(&self, _: &Key, _: &AttemptRecord) {
        self.reach(PluginMethod::OnAttempt);
    }
    fn on_hedge_spawn(&self, _: &Key, _: &AttemptRecord) {
        self.reach(PluginMethod::OnHedgeSpawn);
    }
    fn on_hedge_cancel(&self, _: &Key, _: &AttemptRecord, _: &str) {
        self.reach(PluginMethod::OnHedgeCancel);
    }
    fn on_budget_decision(&self, _: &BudgetEvent) {
        self.reach(PluginMethod::OnBudgetDecision);
    }
    fn on_circuit_transition(&self, _: &Key, _: &Transition) {
        self.reach(PluginMethod::OnCircuitTransition);
    }
    fn on_state_capped(&self, _: &Key) {
        self.reach(PluginMethod::OnStateCapped);
    }
    fn on_success(&self, _: &Timeline) {
        self.reach(PluginMethod::OnSuccess);
    }
    fn on_failure(&self, _: &Timeline) {
        self.reach(PluginMethod::OnFailure);
    }
}

impl PolicyProvider for Panicking {
    fn policy_now(&self, _: &Key) -> Option<Result<ProvidedPolicy, ProviderError>> {
        self.reach(PluginMethod::PolicyNow);
        None
    }
    fn policy<'s, 'k, 'f>(
        &'s self,
        _: &'k Key,
    ) -> Pin<Box<dyn Future<Output = Result<ProvidedPolicy, ProviderError>> + Send + 'f>>
    where
        's: 'f,
        'k: 'f,
        Self: 'f,
    {
        self.reach(PluginMethod::Policy);
        Box::pin(async move {
            self.reach(PluginMethod::PolicyPoll);
            Ok(ProvidedPolicy::new(Policy::new(), PolicySource::Static))
        })
    }
    fn generation(&self) -> Option<u64> {
        self.reach(PluginMethod::Generation);
        None
    }
}

impl Clock for Panicking {
    fn now(&self) -> Moment {
        self.reach(PluginMethod::Now);
        Clock::now(&self.time)
    }
    fn calendar(&self, moment: Moment) -> Option<SystemTime> {
        self.reach(PluginMethod::Calendar);
        self.time.calendar(moment)
    }
}

impl Sleeper for Panicking {
    fn sleep<'s, 'f>(&'s self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        self.reach(PluginMethod::Sleep);
        Box::pin(Sleep {
            plugin: self,
            below: self.time.sleep(duration),
        })
    }
}

struct Sleep<'s> {
    plugin: &'s Panicking,
    below: Pin<Box<dyn Future<Output = ()> + Send + 's>>,
}

impl Future for Sleep<'_> {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.plugin.reach(PluginMethod::SleepPoll);
        self.below.as_mut().poll(context)
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.plugin.reach(PluginMethod::SleepDrop);
    }
}
