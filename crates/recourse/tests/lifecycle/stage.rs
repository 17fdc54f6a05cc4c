//! [`Stage`]: three calls that together reach every method of every plugin, one plugin of which panics.

use crate::scene::{KEY, Scene, ms, plain};
use recourse::{Component, Executor, ExecutorBuilder, Policy, StaticProvider, SystemClock};
use recourse_test::{
    Panicking, PluginMethod, Script, ScriptedBreaker, ScriptedBudget, ScriptedOperation, VirtualTime,
};

/// Well-behaved plugins that count what they gave out, and a plugin that panics in one method.
pub(crate) struct Stage {
    pub(crate) scene: Scene,
    pub(crate) budget: ScriptedBudget,
    pub(crate) breaker: ScriptedBreaker,
    pub(crate) plugin: Panicking,
    pub(crate) policies: StaticProvider,
    method: PluginMethod,
    own_clock: bool,
}

impl Stage {
    /// One stage whose clock is the virtual one, on which every call is late from its start; and one whose clock is our
    /// own, where it is early until something is decided. Sleeps are virtual on both, and a sleeper is believed; but a
    /// circuit would not close again on our own.
    pub(crate) fn on_both_clocks(method: PluginMethod) -> Vec<Self> {
        let own = Stage { own_clock: true, ..Stage::new(method) };
        let mut stages = vec![Stage::new(method), own];
        stages.truncate(if method == PluginMethod::OnCircuitTransition { 1 } else { 2 });
        stages
    }

    pub(crate) fn new(method: PluginMethod) -> Self {
        let scene = Scene::new();
        let plugin = Panicking::only_in([method]).in_time(&scene.time);
        let (budget, breaker) = (ScriptedBudget::allows(1), ScriptedBreaker::admits(1));
        Stage { scene, budget, breaker, plugin, policies: StaticProvider::new(), method, own_clock: false }
    }

    /// Everything well-behaved but the plugin that panics, which takes the place of its kind. Other observers stand
    /// before and behind one that panics.
    pub(crate) fn executor(&self, recover: bool) -> Executor {
        let component = component(self.method);
        let mut builder = self.scene.builder().recover_panics(recover).late_registration();
        if self.own_clock {
            builder = builder.clock(SystemClock);
        }
        builder = match component {
            Component::Classifier => builder.classifier("classifier", self.plugin.clone()),
            _ => builder.classifier("classifier", recourse::classify::Always),
        };
        builder = match component {
            Component::Budget => builder.budget("budget", self.plugin.clone()),
            _ => builder.budget("budget", self.budget.clone()),
        };
        builder = match component {
            Component::Trigger => builder.hedge_trigger("trigger", self.plugin.clone()),
            _ => builder.hedge_trigger("trigger", recourse::hedge::FixedDelay),
        };
        builder = match component {
            Component::Breaker => builder.circuit_breaker("breaker", self.plugin.clone()),
            _ if self.method == PluginMethod::OnCircuitTransition => {
                builder.circuit_breaker("breaker", recourse::circuit::consecutive_failures)
            }
            _ => builder.circuit_breaker("breaker", self.breaker.clone()),
        };
        builder = self.outer_plugins(component, builder);
        let built = builder.build();
        built.unwrap_or_else(|error| panic!("the stage must build: {error}"))
    }

    fn outer_plugins(&self, component: Component, builder: ExecutorBuilder) -> ExecutorBuilder {
        self.policies.set(recourse::Key::from_static(KEY), policy(1));
        let builder = match component {
            Component::Provider => builder.provider(self.plugin.clone()),
            _ => builder.provider(self.policies.clone()),
        };
        match component {
            Component::Observer => builder
                .observer(self.plugin.clone())
                .observer(self.scene.observer.clone())
                .max_keys(if self.method == PluginMethod::OnStateCapped { 0 } else { 10 }),
            Component::Sleeper => builder.sleeper(self.plugin.clone()),
            Component::Clock => builder.clock(self.plugin.clone()),
            _ => builder,
        }
    }

    /// Changed settings for the breaker.
    pub(crate) fn reconfigure(&self) {
        self.policies.set(recourse::Key::from_static(KEY), policy(2));
    }

    /// What the calls do: one is retried, one is won by its second hedge, one fails for good.
    pub(crate) fn operations(&self) -> [ScriptedOperation<u32>; 3] {
        let time: &VirtualTime = &self.scene.time;
        [
            Script::fails(1).takes(ms(5)).then_ok(7).takes(ms(5)).on(time),
            Script::ok(5).takes(ms(200)).then_ok(6).takes(ms(100)).then_ok(7).takes(ms(5)).on(time),
            Script::fails(1).on(time),
        ]
    }

    /// Whatever the well-behaved plugins gave out has come back.
    #[track_caller]
    pub(crate) fn assert_all_given_back(&self, operation: &ScriptedOperation<u32>) {
        let method = self.method;
        self.budget.assert_all_released();
        self.breaker.assert_all_reported();
        assert_eq!(operation.in_flight(), 0, "attempts in flight; panic in {method}");
        assert_eq!(self.scene.time.pending_sleeps(), 0, "timers; panic in {method}");
    }
}

fn policy(threshold: u32) -> Policy {
    plain()
        .backoff(ms(150), ms(150))
        .classifier("classifier")
        .retry_budget("budget")
        .hedge_trigger("trigger")
        .hedge_after(ms(10))
        .max_hedges(2)
        .hedge_budget("budget")
        .circuit(threshold, ms(100))
        .circuit_breaker("breaker")
}

/// Which plugin has this method.
pub(crate) fn component(method: PluginMethod) -> Component {
    use PluginMethod as M;
    match method {
        M::Classify => Component::Classifier,
        M::AllowAttempt | M::WouldDeny | M::Release => Component::Budget,
        M::ShouldSpawnHedge | M::WantsLatency => Component::Trigger,
        M::Breaker | M::Admit | M::Report | M::State | M::WouldReject | M::Reconfigure => Component::Breaker,
        M::PolicyNow | M::Policy | M::PolicyPoll | M::Generation => Component::Provider,
        M::Sleep | M::SleepPoll | M::SleepDrop => Component::Sleeper,
        M::Now | M::Calendar => Component::Clock,
        _ => Component::Observer,
    }
}
