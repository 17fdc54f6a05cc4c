//! Whatever happens, in whatever order: every kind does what a slow breaker does that is obviously right.

use crate::by_hand::at;
use crate::reference::{Id, Millis, Options, Reference, Window};
use proptest::prelude::*;
use recourse_circuit::{Breakers, ConsecutiveFailures, FailureRatio, Recovery, SettingsError, SlowCalls};
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerFactory, BreakerSettings, CircuitMode, CircuitState,
    Health, Key, ModeChange, Now, Ticket, Transition,
};
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Ask(AttemptKind),
    /// An attempt that ends at once.
    Vote(Health),
    Report(prop::sample::Index, Health),
    Abandon(prop::sample::Index),
    Wait(Millis),
    Back(Millis),
    Reconfigure(u32, Millis),
    Mode(CircuitMode),
}

fn health() -> impl Strategy<Value = Health> {
    prop_oneof![
        4 => Just(Health::Up),
        4 => Just(Health::Down),
        1 => Just(Health::Throttled),
        1 => Just(Health::None),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    use CircuitMode::{Disabled, Enforcing, ForcedClosed, ForcedOpen, Observing};
    let mode =
        prop::sample::select(vec![Enforcing, Enforcing, Observing, ForcedOpen, ForcedClosed, Disabled]);
    prop_oneof![
        8 => Just(Step::Ask(AttemptKind::Retry)),
        2 => Just(Step::Ask(AttemptKind::Hedge)),
        30 => health().prop_map(Step::Vote),
        8 => (any::<prop::sample::Index>(), health()).prop_map(|(at, health)| Step::Report(at, health)),
        5 => any::<prop::sample::Index>().prop_map(Step::Abandon),
        8 => (0_u64..400).prop_map(Step::Wait),
        2 => (0_u64..20_000).prop_map(Step::Wait),
        1 => (0_u64..5_000).prop_map(Step::Back),
        1 => (1_u32..5, 100_u64..1_000).prop_map(|(threshold, millis)| Step::Reconfigure(threshold, millis)),
        1 => mode.prop_map(Step::Mode),
    ]
}

pub(crate) fn options(window: impl Strategy<Value = Window>, slow: bool) -> impl Strategy<Value = Options> {
    let slow = if slow { (1_u64..300, 1_u64..=10).prop_map(Some).boxed() } else { Just(None).boxed() };
    let counting = (window, 1_u64..=10, slow, 1_u64..8, 0_u64..=2, prop::option::of(0_u64..4));
    let recovery = (1_usize..4, 1_u64..4, 100_u64..1_000, prop::option::of((100_u64..4_000, 0_u64..4_000)));
    (counting, recovery).prop_map(|(counting, recovery)| {
        let (window, failed, slow, minimum, throttled, abandoned) = counting;
        let (probes, successes, lease, growth) = recovery;
        let most = if let Window::Attempts(size) = window { u64::from(size) } else { minimum };
        let minimum = minimum.min(most);
        Options { window, failed, slow, minimum, throttled, abandoned, probes, successes, lease, growth }
    })
}

/// The breaker that is tested.
pub(crate) fn kind(options: &Options) -> Result<Breakers, SettingsError> {
    let millis = Duration::from_millis;
    let recovery = match options.growth {
        Some((cap, forgotten)) => Recovery::growing(millis(cap)).reset_after(millis(forgotten)).jitter(0.0),
        None => Recovery::fixed(),
    };
    let few = |number: u64| u32::try_from(number).expect("a few");
    let recovery = recovery
        .probes(u32::try_from(options.probes).expect("a few"))
        .successes(few(options.successes))
        .lease(millis(options.lease));
    let weight = [0.0, 0.5, 1.0][usize::try_from(options.throttled).expect("a few")];
    let tenths = |tenths: u64| f64::from(few(tenths)) / 10.0;
    let window = match options.window {
        Window::Row => {
            let row = ConsecutiveFailures::new().throttled_weight(weight).recovery(recovery);
            return match options.abandoned {
                Some(limit) => row.abandoned_limit(few(limit)),
                None => row.ignore_abandoned(),
            }
            .build();
        }
        Window::Attempts(size) => FailureRatio::over_attempts(size),
        Window::Tenths(tenth) => FailureRatio::over_time(millis(tenth * 10)),
    };
    let window = window
        .ratio(tenths(options.failed))
        .minimum_attempts(few(options.minimum))
        .throttled_weight(weight)
        .recovery(recovery);
    let window = match options.abandoned {
        Some(limit) => window.abandoned_limit(few(limit)),
        None => window.ignore_abandoned(),
    };
    match options.slow {
        Some((limit, ratio)) => {
            SlowCalls::longer_than(millis(limit)).slow_ratio(tenths(ratio)).beside(window).build()
        }
        None => window.build(),
    }
}

struct Pair {
    breaker: std::sync::Arc<dyn recourse_core::CircuitBreaker>,
    reference: Reference,
    now: Millis,
    live: Vec<(Ticket, Id)>,
    /// Tickets that were reported already.
    spent: Vec<(Ticket, Id)>,
    back: bool,
}

impl Pair {
    fn new(options: Options, threshold: u32, cooldown: Millis) -> Self {
        let settings = BreakerSettings::new(threshold, Duration::from_millis(cooldown));
        Pair {
            breaker: kind(&options).expect("in range").breaker(&Key::from_static("a.b"), &settings),
            reference: Reference::new(options, threshold.into(), cooldown),
            now: 0,
            live: vec![],
            spent: vec![],
            // A ring of tenths forgets what it has overwritten, which the reference doesn't.
            back: !matches!(options.window, Window::Tenths(_)),
        }
    }

    fn ask(&mut self, kind: AttemptKind) -> Result<Option<(Ticket, Id)>, TestCaseError> {
        let before = self.reference.state();
        let real = self.breaker.admit(&AdmissionRequest::new(kind, Now::at(at(self.now))));
        match (real, self.reference.ask(kind, self.now)) {
            (Admission::Admitted(ticket, moved), Ok(id)) => {
                let observing = self.reference.mode == CircuitMode::Observing;
                prop_assert_eq!(ticket.probe, id.probe.is_some() && !observing);
                prop_assert_eq!(moved.is_some(), before != self.reference.state());
                Ok(Some((ticket, id)))
            }
            (Admission::Rejected(why), Err(state)) => {
                prop_assert_eq!(why.state, state);
                Ok(None)
            }
            (real, reference) => {
                prop_assert!(false, "{:?} and {:?}", real, reference);
                Ok(None)
            }
        }
    }

    /// A report, or (`None`) a giving up.
    fn end(&mut self, (ticket, id): (Ticket, Id), health: Option<Health>) -> Result<(), TestCaseError> {
        let now = Now::at(at(self.now));
        let (real, expected) = match health {
            Some(health) => {
                (self.breaker.report(ticket, health, &now), self.reference.report(id, health, self.now))
            }
            None => (self.breaker.abandon(ticket, &now), self.reference.abandon(id, self.now)),
        };
        prop_assert_eq!(real.is_some(), expected, "{:?}", real);
        if let Some(moved) = real {
            prop_assert_eq!((moved.to, moved.at), (self.reference.state(), at(self.now)));
        }
        self.spent.push((ticket, id));
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Ask(kind) => {
                if let Some(admitted) = self.ask(kind)? {
                    self.live.push(admitted);
                }
            }
            Step::Vote(health) => {
                if let Some(admitted) = self.ask(AttemptKind::Retry)? {
                    self.end(admitted, Some(health))?;
                }
            }
            Step::Report(at, health) if !self.live.is_empty() => {
                let admitted = self.live.swap_remove(at.index(self.live.len()));
                self.end(admitted, Some(health))?;
            }
            Step::Abandon(at) if !self.live.is_empty() => {
                let admitted = self.live.swap_remove(at.index(self.live.len()));
                self.end(admitted, None)?;
            }
            Step::Report(..) | Step::Abandon(_) => {}
            Step::Wait(millis) => self.now += millis,
            Step::Back(millis) if self.back => self.now = self.now.saturating_sub(millis),
            Step::Back(_) => {}
            Step::Reconfigure(threshold, cooldown) => {
                self.breaker.reconfigure(&BreakerSettings::new(threshold, Duration::from_millis(cooldown)));
                (self.reference.threshold, self.reference.cooldown) = (threshold.into(), cooldown);
            }
            Step::Mode(mode) => {
                let (from, before) = (self.reference.state(), self.reference.mode);
                let change = self.breaker.change_mode(mode, &Now::at(at(self.now)));
                self.reference.set_mode(mode);
                let told = Transition::new(from, self.reference.state(), mode.as_str(), at(self.now));
                prop_assert_eq!(change, ModeChange::Set((mode != before).then_some(told)));
            }
        }
        let status = self.breaker.status(&Now::at(at(self.now)));
        prop_assert_eq!(self.breaker.state(), self.reference.state());
        prop_assert_eq!((status.state, status.mode), (self.reference.state(), self.reference.mode));
        prop_assert_eq!((status.counted, status.failed, status.slow), self.reference.counts(self.now));
        prop_assert_eq!(status.probes as usize, self.reference.probes());
        Ok(())
    }

    /// Nothing is in flight any more: however it stands, the circuit closes after enough good attempts.
    fn recovers(&mut self) -> Result<(), TestCaseError> {
        self.breaker.set_mode(CircuitMode::Enforcing);
        let later = Now::at(at(self.now + 1_000_000_000));
        for _ in 0..20 {
            let asked = AdmissionRequest::new(AttemptKind::Retry, Now::at(later.get()));
            let Admission::Admitted(ticket, _) = self.breaker.admit(&asked) else {
                return Err(TestCaseError::fail("stuck"));
            };
            self.breaker.report(ticket, Health::Up, &later);
        }
        prop_assert_eq!(self.breaker.state(), CircuitState::Closed);
        Ok(())
    }
}

fn agree(options: Options, threshold: u32, cooldown: Millis, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut pair = Pair::new(options, threshold, cooldown);
    for step in steps {
        pair.step(*step)?;
    }
    pair.recovers()
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 0..200)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn on_failures_in_a_row(
        options in options(Just(Window::Row), false),
        threshold in 1_u32..5,
        cooldown in 100_u64..1_000,
        steps in steps(),
    ) {
        agree(options, threshold, cooldown, &steps)?;
    }

    #[test]
    fn on_ratios_over_attempts(
        options in options((1_u32..80).prop_map(Window::Attempts), false),
        threshold in 1_u32..5,
        cooldown in 100_u64..1_000,
        steps in steps(),
    ) {
        agree(options, threshold, cooldown, &steps)?;
    }

    #[test]
    fn on_ratios_over_time(
        options in options((100_u64..500).prop_map(Window::Tenths), false),
        threshold in 1_u32..5,
        cooldown in 100_u64..1_000,
        steps in steps(),
    ) {
        agree(options, threshold, cooldown, &steps)?;
    }

    #[test]
    fn on_slow_calls_over_attempts(
        options in options((1_u32..80).prop_map(Window::Attempts), true),
        threshold in 1_u32..5,
        cooldown in 100_u64..1_000,
        steps in steps(),
    ) {
        agree(options, threshold, cooldown, &steps)?;
    }

    #[test]
    fn on_slow_calls_over_time(
        options in options((100_u64..500).prop_map(Window::Tenths), true),
        threshold in 1_u32..5,
        cooldown in 100_u64..1_000,
        steps in steps(),
    ) {
        agree(options, threshold, cooldown, &steps)?;
    }
}
