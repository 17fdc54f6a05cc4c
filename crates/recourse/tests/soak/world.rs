//! [`World`]: an executor with random policies and plugins, and what must hold when its calls are over.

use crate::breakers::Kinds;
use crate::budgets::Budgets;
use crate::crowd::Crowd;
use crate::dice::Dice;
use crate::ends::Ends;
use crate::mood::Mood;
use crate::moody::MoodyObserver;
use crate::policies::{NAMES, Policies};
use crate::provider::Source;
use crate::tally::Tally;
use crate::timing::{BentTime, Timing};
use crate::triggers::{Promises, classifier, trigger};
use crate::work::Manner;
use recourse::{
    BreakerSettings, CircuitMode, CircuitState, Component, Executor, Key, MissingBreaker, MissingBudget,
    MissingClassifier, MissingPolicy, MissingTrigger, Moment, Now, Policy,
};
use recourse_test::invariants::circuit_recovers;
use recourse_test::{WatchedBreakers, WatchedCalls};
use std::collections::BTreeMap;
use std::time::Duration;

/// The keys of every world; the cap leaves out some of them, now and then.
pub(crate) const KEYS: [&str; 4] = ["payments.Charge", "users.Get", "search", "a.b.c"];

/// Who forces circuits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Overrides {
    Never,
    ByExecutor,
    ByBreaker,
}

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) mood: Mood,
    pub(crate) timing: Timing,
    pub(crate) executor: Executor,
    pub(crate) source: Source,
    pub(crate) policies: Policies,
    pub(crate) budgets: Budgets,
    pub(crate) kinds: Kinds,
    pub(crate) manner: Manner,
    pub(crate) tally: Tally,
    /// Whether the clock jumps.
    pub(crate) bends: bool,
    /// Whether circuits are forced.
    pub(crate) overrides: Overrides,
    /// The modes that were set by the executor.
    pub(crate) modes: BTreeMap<&'static str, CircuitMode>,
    /// Whether time goes as it should, so that times can be checked.
    pub(crate) is_punctual: bool,
    /// When triggers are to be asked again, where that can be told.
    pub(crate) promises: Option<Promises>,
    /// Whether one call runs at a time.
    pub(crate) is_solo: bool,
    /// Whether polls come that nobody asked for.
    pub(crate) is_nosy: bool,
    /// How often something changes, a poll.
    pub(crate) unrest: f64,
    recovers: bool,
    ends: Ends,
    watch: Option<WatchedCalls>,
    max_keys: usize,
}

/// A whole world, from its seed to its end.
pub(crate) fn soak(seed: u64) -> Tally {
    let dice = Dice::new(seed);
    let mood = Mood::new(&dice, dice.pick(&[0.0, 0.0, 0.005, 0.05]));
    let is_punctual = dice.chance(0.5);
    let timing = timing(&dice, &mood, is_punctual);
    let on = timing.clone();
    on.run(async move {
        let mut world = World::new(dice, mood, timing, is_punctual);
        let executor = world.executor.clone();
        let handles: Vec<_> = KEYS.iter().map(|key| executor.handle(*key).expect("a key")).collect();
        let calls = world.dice.number(10, 60);
        Crowd::new(&mut world, &executor, &handles, calls).await;
        world.settle().await;
        world.tally
    })
}

fn timing(dice: &Dice, mood: &Mood, is_punctual: bool) -> Timing {
    // Drawn also where there is no tokio, so that what follows is the same.
    let of_tokio = dice.chance(0.33);
    match of_tokio {
        #[cfg(feature = "tokio")]
        true => Timing::Tokio,
        _ => Timing::Virtual(BentTime::new(dice, mood, !is_punctual)),
    }
}

impl World {
    fn new(dice: Dice, mood: Mood, timing: Timing, is_punctual: bool) -> Self {
        let source = Source::new(&dice, &mood, &timing);
        let policies = Policies::new(&dice, dice.chance(0.3));
        let mut budgets = Budgets::new(&dice, &mood);
        let mut kinds = Kinds::new(&dice, &mood);
        let is_solo = dice.chance(0.3);
        // Of several calls at once, or inside each other, it can't be told who asks.
        let nests = dice.pick(&[0.0, 0.0, 0.2, 0.5]);
        let promises = is_solo && nests == 0.0 && is_punctual && mood.is_calm() && timing.bent().is_some();
        let promises = promises.then(Promises::default);
        let max_keys = dice.pick(&[0, 2, 100, 100, 100, 100]);
        let recovers = dice.chance(0.7);
        let (watch, ends) = (dice.chance(0.6).then(WatchedCalls::new), Ends::new(&mood, &kinds.votes));
        let mut builder = Executor::builder()
            .provider(source.clone())
            .seed(dice.number(0, u64::MAX))
            .recover_panics(recovers)
            .max_keys(max_keys)
            .late_registration()
            .missing_policy(dice.pick(&[MissingPolicy::Deny, MissingPolicy::Allow, MissingPolicy::Fallback]))
            .missing_classifier(dice.pick(&[MissingClassifier::Fallback, MissingClassifier::Deny]))
            .missing_budget(dice.pick(&[MissingBudget::Deny, MissingBudget::AllowUnsafe]))
            .missing_trigger(dice.pick(&[MissingTrigger::Fallback, MissingTrigger::Deny]))
            .missing_breaker(dice.pick(&[MissingBreaker::Deny, MissingBreaker::Fallback]));
        if let Some(watch) = &watch {
            builder = builder.observer(watch.clone()).observer(ends.clone());
            if !mood.is_calm() && dice.chance(0.5) {
                builder = builder.observer(MoodyObserver(mood.clone()));
            }
        }
        for number in 0..NAMES {
            builder = builder
                .classifier(format!("k{number}"), classifier(&dice, &mood))
                .budget(format!("b{number}"), budgets.make())
                .hedge_trigger(format!("t{number}"), trigger(&dice, &mood, promises.as_ref()))
                .circuit_breaker(format!("c{number}"), kinds.make());
        }
        for key in KEYS {
            source.set(Key::from_static(key), Some(policies.make()));
        }
        let panics = dice.pick(&[0.0, 0.0, 0.01, 0.05]);
        let manner = Manner {
            fails: dice.pick(&[0.1, 0.5, 0.8, 0.95]),
            panics,
            hangs: dice.pick(&[0.0, 0.02, 0.1]),
            odd_errors: if panics > 0.0 { 0.05 } else { 0.0 },
            slowest_ms: dice.pick(&[5, 60, 200]),
            is_busy: !is_punctual,
            nests,
        };
        World {
            executor: timing.equip(builder).build().expect("a world must build"),
            bends: !is_punctual && dice.chance(0.5),
            overrides: dice.pick(&[Overrides::Never, Overrides::ByExecutor, Overrides::ByBreaker]),
            modes: BTreeMap::new(),
            is_nosy: dice.chance(0.5),
            unrest: dice.pick(&[0.0, 0.03, 0.2]),
            tally: Tally::default(),
            dice,
            mood,
            timing,
            source,
            policies,
            budgets,
            kinds,
            manner,
            is_punctual,
            promises,
            recovers,
            ends,
            is_solo,
            watch,
            max_keys,
        }
    }

    /// Whether panics of plugins are caught.
    pub(crate) fn recovers(&self) -> bool {
        self.recovers
    }

    /// No call is left: everything that was taken has come back.
    async fn settle(&mut self) {
        self.mood.calm_down();
        if let Some(bent) = self.timing.bent() {
            bent.stop(None);
            bent.time.set(Moment::from_nanos(1 << 50));
        }
        assert_eq!(self.mood.faults(), [""; 0]);
        assert_eq!(self.timing.timers(), 0, "timers that nobody has dropped");
        self.budgets.assert_settled();
        self.kinds.watched.iter().for_each(WatchedBreakers::assert_settled);
        if let Some(watch) = &self.watch {
            watch.assert_settled();
        }
        assert!(self.executor.key_count() <= self.max_keys, "{} keys have state", self.executor.key_count());
        self.check_panics();
        self.check_probes();
        self.check_modes();
        self.check_circuits();
        self.run_healthy().await;
        self.change_breakers().await;
    }

    /// No more is held than there are attempts in flight.
    pub(crate) fn check_held(&self, in_flight: u64) {
        for budget in &self.budgets.watched {
            assert!(budget.outstanding() <= in_flight, "{in_flight} attempts in flight, and {budget:?}");
        }
        let out: u64 = self.kinds.watched.iter().map(WatchedBreakers::outstanding).sum();
        assert!(out <= in_flight, "{in_flight} attempts in flight, and {out} admissions");
    }

    /// Every attempt that was launched and has not ended is in flight: those that were cut or lost were dropped at once.
    pub(crate) fn check_open(&self, in_flight: u64, launched: u64) {
        if self.watch.is_some() && self.recovers {
            let open = self.tally.attempts + launched - self.ends.heard();
            assert_eq!(in_flight, open, "attempts in flight, and those that have no end");
        }
    }

    /// A panic that was caught was counted; with recovery on all are caught.
    fn check_panics(&mut self) {
        let counts = self.executor.plugin_panics();
        for component in Component::ALL {
            let (thrown, counted) = (self.mood.panics(component), counts.count(component));
            self.tally.plugin_panics += thrown;
            // An error whose own code panics may do so in a classifier's hands.
            let operation_may = component == Component::Classifier && self.manner.odd_errors > 0.0;
            if component == Component::Operation || operation_may {
                continue;
            }
            // Without recovery the clock's panic is counted as that of the plugin which asked for the time in a drop.
            let clocks = if self.recovers { 0 } else { self.mood.panics(Component::Clock) };
            assert!(counted <= thrown + clocks, "{component}: {counted} panics were counted, of {thrown}");
            // A budget inside another one may panic while the outer one gives back, and the clock in a breaker's hands.
            let all_seen = !matches!(component, Component::Budget | Component::Clock);
            if self.recovers && all_seen {
                assert_eq!(counted, thrown, "panics of the {component} that were counted");
            }
        }
    }

    /// Every probe's slot is free, also in circuits of our own kinds, which nobody watches.
    fn check_probes(&self) {
        for key in KEYS {
            let status = self.source.steadily(|| self.executor.circuit_status(key));
            let probes = status.map_or(0, |status| status.probes);
            assert_eq!(probes, 0, "probes of {key} that are out, and no call is left");
        }
    }

    /// What was set by the executor holds for whatever breaker has taken the place, where that has modes.
    fn check_modes(&self) {
        for (key, mode) in &self.modes {
            let (found, has_modes) = self.source.steadily(|| {
                let found = self.executor.circuit_status(*key).map(|status| status.mode);
                (found, self.executor.set_circuit_mode(*key, *mode))
            });
            assert!(!has_modes || found == Some(*mode), "{key} was set to {mode:?}, and is {found:?}");
        }
    }

    /// No circuit is stuck.
    fn check_circuits(&mut self) {
        for (_, breaker) in self.kinds.watched.iter().flat_map(|kind| kind.made()) {
            breaker.set_mode(CircuitMode::Enforcing);
            self.tally.trips += u64::from(breaker.status(&Now::at(Moment::ZERO)).last_trip.is_some());
            circuit_recovers(&*breaker, Moment::from_nanos(1 << 51));
        }
    }

    /// What has been through all that runs a plain call as ever.
    async fn run_healthy(&self) {
        for key in KEYS {
            let policy = Policy::new().circuit(3, Duration::from_millis(100));
            self.source.set(Key::from_static(key), Some(policy));
            let mut last = None;
            let mut state = None;
            // The provider may still fail now and then, and a circuit that was opened in another time counts from now.
            for _ in 0..100 {
                self.timing.wait(Duration::from_secs(60)).await;
                // What was set for an earlier breaker holds for this one too.
                self.executor.set_circuit_mode(key, CircuitMode::Enforcing);
                last = Some(self.executor.run(key, async |_| Ok::<_, std::io::Error>(7)).await);
                state = self.executor.circuit_state(key);
                if matches!((&last, state), (Some(Ok(7)), None | Some(CircuitState::Closed))) {
                    break;
                }
            }
            assert!(matches!(last, Some(Ok(7))), "a plain call of {key} fails: {last:?}");
            assert!(matches!(state, None | Some(CircuitState::Closed)), "{key}: {state:?}");
        }
    }

    /// Whatever was before, a call asks the breaker that its key's policy names by now, with the settings of now.
    async fn change_breakers(&mut self) {
        let (name, mut number) = (self.dice.pick(&["c0", "c1"]), 0);
        for (is_new, cooldown) in [(true, 200), (false, 300), (true, 300), (false, 400)] {
            let cooldown = Duration::from_millis(cooldown);
            for key in KEYS {
                let policy = Policy::new().circuit(3, cooldown).circuit_breaker(name);
                self.source.set(Key::from_static(key), Some(policy));
            }
            if is_new {
                number = self.kinds.watched.len();
                let kind = self.kinds.make();
                drop(self.executor.circuit_breakers().replace(name, kind).expect("the name is not empty"));
            }
            for key in KEYS {
                let _ = self.kinds.asked.take(&Key::from_static(key));
                drop(self.executor.run(key, async |_| Ok::<_, std::io::Error>(7)).await);
                // None where the key has no state, or the provider fails.
                let Some(asked) = self.kinds.asked.take(&Key::from_static(key)) else { continue };
                let wanted = (number, BreakerSettings::new(3, cooldown));
                assert_eq!(asked, wanted, "the breaker of {key} that was asked; {name} is new: {is_new}");
                self.tally.breakers_followed += 1;
            }
        }
    }
}
