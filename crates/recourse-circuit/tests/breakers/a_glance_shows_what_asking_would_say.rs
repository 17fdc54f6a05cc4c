//! Whatever happens, in whatever order: a breaker whose attempts look before they ask is as one that is always asked and told.

use crate::a_reference_breaker_agrees::{Step, kind, options, steps};
use crate::by_hand::at;
use crate::reference::{Millis, Options, Window};
use proptest::prelude::*;
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerFactory, BreakerSettings, CircuitBreaker, CircuitMode,
    CircuitState, Glance, Health, Key, Now, Ticket,
};
use std::sync::Arc;
use std::time::Duration;

static KEY: Key = Key::from_static("a.b");

/// Two breakers of one seed that the same happens to.
struct Twins {
    /// Attempts and successes look at its glance first.
    glanced: Arc<dyn CircuitBreaker>,
    glance: Arc<Glance>,
    /// Knows nothing of glances.
    asked: Arc<dyn CircuitBreaker>,
    options: Options,
    now: Millis,
    live: Vec<Ticket>,
    spent: Vec<Ticket>,
    back: bool,
}

impl Twins {
    fn new(options: Options, threshold: u32, cooldown: Millis) -> Self {
        let settings = BreakerSettings::new(threshold, Duration::from_millis(cooldown));
        let [glanced, asked] = [(); 2].map(|()| kind(&options).expect("in range").breaker(&KEY, &settings));
        let glance = glanced.glance().expect("it gives one");
        let back = !matches!(options.window, Window::Tenths(_));
        Twins { glanced, glance, asked, options, now: 0, live: vec![], spent: vec![], back }
    }

    fn now(&self) -> Now<'static> {
        Now::at(at(self.now))
    }

    fn ask(&self, kind: AttemptKind) -> Result<Option<Ticket>, TestCaseError> {
        let shown = self.glance.look();
        let request = AdmissionRequest::new(kind, self.now());
        let answer = match shown.admits() {
            true => Admission::Admitted(Ticket::normal(shown.generation()), None),
            false => self.glanced.admit(&request),
        };
        prop_assert_eq!(&answer, &self.asked.admit(&request));
        Ok(if let Admission::Admitted(ticket, _) = answer { Some(ticket) } else { None })
    }

    /// A report, or (`None`) a giving up.
    fn end(&mut self, ticket: Ticket, health: Option<Health>) -> Result<(), TestCaseError> {
        let now = self.now();
        let tell = |breaker: &dyn CircuitBreaker| match health {
            Some(health) => breaker.report(ticket, health, &now),
            None => breaker.abandon(ticket, &now),
        };
        let untold = match health {
            Some(Health::Up) => self.glance.look().ignores_success(),
            Some(Health::None) => self.glance.look().admits(),
            _ => false,
        };
        let moved = if untold { None } else { tell(&*self.glanced) };
        prop_assert_eq!(moved, tell(&*self.asked));
        self.spent.push(ticket);
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Ask(kind) => {
                let admitted = self.ask(kind)?;
                self.live.extend(admitted);
            }
            Step::Vote(health) => {
                if let Some(ticket) = self.ask(AttemptKind::Retry)? {
                    self.end(ticket, Some(health))?;
                }
            }
            Step::Report(at, health) if !self.live.is_empty() => {
                let ticket = self.live.swap_remove(at.index(self.live.len()));
                self.end(ticket, Some(health))?;
            }
            Step::Abandon(at) if !self.live.is_empty() => {
                let ticket = self.live.swap_remove(at.index(self.live.len()));
                self.end(ticket, None)?;
            }
            Step::Report(..) | Step::Abandon(_) => {}
            Step::Wait(millis) => self.now += millis,
            Step::Back(millis) => self.now = self.now.saturating_sub(if self.back { millis } else { 0 }),
            Step::Reconfigure(threshold, cooldown) => {
                let settings = BreakerSettings::new(threshold, Duration::from_millis(cooldown));
                self.glanced.reconfigure(&settings);
                self.asked.reconfigure(&settings);
            }
            Step::Mode(mode) => {
                let [one, other] =
                    [&self.glanced, &self.asked].map(|breaker| breaker.change_mode(mode, &self.now()));
                prop_assert_eq!(one, other);
            }
        }
        self.are_alike()?;
        self.shows_what_is_so()?;
        self.are_alike()
    }

    /// Now and later: what a window forgets then it has to have counted before.
    fn are_alike(&self) -> Result<(), TestCaseError> {
        prop_assert_eq!(self.glanced.state(), self.asked.state());
        for later in [0, 150, 1_000, 4_000] {
            let then = Now::at(at(self.now + later));
            prop_assert_eq!(self.glanced.status(&then), self.asked.status(&then), "{} ms later", later);
        }
        Ok(())
    }

    fn shows_what_is_so(&self) -> Result<(), TestCaseError> {
        let shown = self.glance.look();
        let status = self.glanced.status(&self.now());
        let is_row = matches!(self.options.window, Window::Row);
        let admits = match status.mode {
            CircuitMode::Disabled => true,
            _ => status.state == CircuitState::Closed && self.options.slow.is_none(),
        };
        prop_assert_eq!(shown.admits(), admits, "{:?} shows {:?}", status, shown);
        // Windows count successes. A row of failures doesn't; but attempts that were given up are not in the status.
        let ignores = admits && (status.mode == CircuitMode::Disabled || is_row && status.failed == 0);
        match is_row && ignores && self.options.abandoned.is_some() {
            true => {}
            false => prop_assert_eq!(shown.ignores_success(), ignores, "{:?} shows {:?}", status, shown),
        }
        if shown.admits() {
            let usual = Admission::Admitted(Ticket::normal(shown.generation()), None);
            for kind in [AttemptKind::Retry, AttemptKind::Hedge] {
                prop_assert_eq!(&usual, &self.glanced.admit(&AdmissionRequest::new(kind, self.now())));
            }
        }
        if shown.ignores_success() {
            // One twin hears of them all the same, and is not to be told from the other ever after.
            let fresh = Ticket::normal(shown.generation());
            for ticket in [&fresh].into_iter().chain(&self.live).chain(&self.spent) {
                prop_assert_eq!(self.asked.report(*ticket, Health::Up, &self.now()), None);
            }
        }
        prop_assert_eq!(shown, self.glance.look(), "a look has changed something");
        Ok(())
    }
}

fn windows() -> impl Strategy<Value = Window> {
    prop_oneof![(1_u32..80).prop_map(Window::Attempts), (100_u64..500).prop_map(Window::Tenths)]
}

fn any_options() -> impl Strategy<Value = Options> {
    prop_oneof![
        3 => options(Just(Window::Row), false),
        3 => options(windows(), false),
        1 => options(windows(), true),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(384) })]

    #[test]
    fn a_breaker_that_is_looked_at_is_as_one_that_is_asked(
        options in any_options(),
        threshold in 1_u32..5,
        cooldown in 100_u64..1_000,
        steps in steps(),
    ) {
        let mut twins = Twins::new(options, threshold, cooldown);
        for step in steps {
            twins.step(step)?;
        }
    }
}
