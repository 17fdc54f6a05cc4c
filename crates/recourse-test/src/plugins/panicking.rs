//! [`Panicking`]: every plugin there is, with a panic in the methods of your choice.

use crate::time::VirtualTime;
use recourse_core::timeline::AttemptRecord;
use recourse_core::{
    Admission, AdmissionRequest, AttemptResult, BreakerFactory, BreakerSettings, Budget, BudgetEvent,
    BudgetRequest, CallStart, CircuitBreaker, CircuitState, Classifier, Clock, Decision, Generation, Health,
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
        Panicking { methods: methods.into_iter().collect(), panics: Arc::default(), time: VirtualTime::new() }
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
        if result.is_value() { Outcome::success() } else { Outcome::retryable("") }
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
    fn generation(&self) -> Option<&Generation> {
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
        Box::pin(Sleep { plugin: self, below: self.time.sleep(duration) })
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

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;
    use recourse_core::{AttemptKind, CircuitState};
    use std::panic::{AssertUnwindSafe, catch_unwind};

    const KEY: Key = Key::from_static("a.b");

    /// Reaches this method of the plugin, as an executor would.
    fn reach(plugin: &Panicking, method: PluginMethod) {
        let at = || Now::at(Moment::ZERO);
        let record = AttemptRecord::new(0, Moment::ZERO);
        let timeline = Timeline::new(KEY, Moment::ZERO);
        let key = KEY;
        let request = BudgetRequest::new(&key, 0, AttemptKind::Retry, at());
        let settings = BreakerSettings::new(1, Duration::from_secs(1));
        let opened = Transition::new(CircuitState::Closed, CircuitState::Open, "", Moment::ZERO);
        let state = HedgeState::new(Moment::ZERO, Moment::ZERO, 1, 1, Duration::ZERO);
        match method {
            PluginMethod::Classify => _ = plugin.classify(&AttemptResult::of_timeout()),
            PluginMethod::AllowAttempt | PluginMethod::Release => _ = plugin.allow_attempt(&request),
            PluginMethod::WouldDeny => _ = plugin.would_deny(&request),
            PluginMethod::ShouldSpawnHedge => _ = plugin.should_spawn_hedge(&state),
            PluginMethod::WantsLatency => _ = plugin.wants_latency(),
            PluginMethod::Breaker => _ = plugin.breaker(&KEY, &settings),
            PluginMethod::Admit => _ = plugin.admit(&AdmissionRequest::new(AttemptKind::Retry, at())),
            PluginMethod::Report => _ = plugin.report(Ticket::normal(0), Health::Up, &at()),
            PluginMethod::State => _ = plugin.state(),
            PluginMethod::WouldReject => _ = plugin.would_reject(&at(), Duration::ZERO),
            PluginMethod::Reconfigure => plugin.reconfigure(&settings),
            PluginMethod::OnStart => plugin.on_start(&CallStart::new(&KEY, None)),
            PluginMethod::OnAttempt => plugin.on_attempt(&KEY, &record),
            PluginMethod::OnHedgeSpawn => plugin.on_hedge_spawn(&KEY, &record),
            PluginMethod::OnHedgeCancel => plugin.on_hedge_cancel(&KEY, &record, ""),
            PluginMethod::OnBudgetDecision => {
                plugin.on_budget_decision(&BudgetEvent::new(KEY, 0, AttemptKind::Retry, "b"));
            }
            PluginMethod::OnCircuitTransition => plugin.on_circuit_transition(&KEY, &opened),
            PluginMethod::OnStateCapped => plugin.on_state_capped(&KEY),
            PluginMethod::OnSuccess => plugin.on_success(&timeline),
            PluginMethod::OnFailure => plugin.on_failure(&timeline),
            PluginMethod::PolicyNow => _ = plugin.policy_now(&KEY),
            PluginMethod::Policy | PluginMethod::PolicyPoll => _ = plugin.policy(&KEY).now_or_never(),
            PluginMethod::Generation => _ = plugin.generation(),
            PluginMethod::Sleep | PluginMethod::SleepDrop => drop(plugin.sleep(Duration::ZERO)),
            PluginMethod::SleepPoll => _ = plugin.sleep(Duration::ZERO).now_or_never(),
            PluginMethod::Now => _ = Clock::now(plugin),
            PluginMethod::Calendar => _ = plugin.calendar(Moment::ZERO),
        }
    }

    fn message(plugin: &Panicking, method: PluginMethod) -> Option<String> {
        let panic = catch_unwind(AssertUnwindSafe(|| reach(plugin, method))).err()?;
        panic.downcast_ref::<String>().cloned()
    }

    #[test]
    fn it_panics_in_the_chosen_method_and_in_no_other() {
        for &chosen in PluginMethod::ALL {
            let plugin = Panicking::only_in([chosen]);
            assert_eq!(message(&plugin, chosen), Some(format!("scripted panic in {chosen}")));
            assert_eq!(plugin.panics(), 1, "{chosen}");
        }
        let quiet = Panicking::only_in([]);
        for &method in PluginMethod::ALL {
            assert_eq!(message(&quiet, method), None, "{method}");
        }
        assert_eq!(quiet.panics(), 0);
    }

    #[test]
    fn everywhere_it_panics_in_every_method_that_can_be_reached() {
        for &method in PluginMethod::ALL {
            let plugin = Panicking::everywhere();
            assert!(message(&plugin, method).is_some(), "{method}");
        }
    }

    #[test]
    fn where_it_does_not_panic_it_follows_the_given_time() {
        let time = VirtualTime::new();
        let plugin = Panicking::only_in([]).in_time(&time);
        time.run(plugin.sleep(Duration::from_secs(3)));
        assert_eq!(Clock::now(&plugin), Moment::ZERO + Duration::from_secs(3));
        assert_eq!(time.sleeps(), [Duration::from_secs(3)]);
    }
}
