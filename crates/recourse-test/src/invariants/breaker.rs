//! What every breaker must keep to.

use super::unwinding::{survives, text};
use crate::random::SeededRandom;
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerFactory, BreakerSettings, CircuitBreaker, CircuitMode,
    CircuitState, Health, Key, Moment, Now, Ticket, Transition,
};
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Histories that a kind of breaker goes through.
const HISTORIES: u64 = 200;

/// Steps of each.
const STEPS: u64 = 80;

/// Lines of a history that went wrong which are shown: what the breaker was made with, and the last steps.
const SHOWN: usize = 32;

/// The clock jumps within 18 minutes, or within 146 years: a circuit that waits until a clock which was set back has caught
/// up isn't closed by a week of good attempts then.
const MINUTES: u64 = 1 << 40;
const DECADES: u64 = 1 << 62;

/// Attempts in a row that must go through a circuit which has recovered.
const HEALTHY: u32 = 50;

/// Asserts that no history leaves a breaker stuck. Each of 200 breakers of the factory is asked and told at random, with
/// settings that change, by a clock that jumps: some of its jumps are of years, and back. In the end every attempt has been
/// reported, and then it must [recover](circuit_recovers) and say that no probe is out. On the way it is asserted
///
/// - that no hedge is a probe, and that what a half-open circuit admits is one, unless its [mode](CircuitMode) is another
///   than enforcing;
/// - that a rejection which was foretold comes, also behind a wait of up to an hour;
/// - that each change of state is told with the states that it is between, so that new settings and peeks, which tell
///   nothing, change none;
/// - that a report of an attempt which was admitted before the last change moves nothing.
///
/// How many probes are out at once is the breaker's own affair.
///
/// ```
/// use recourse_core::{BreakerSettings, CircuitBreaker, Key};
/// use recourse_test::{ScriptedBreaker, invariants};
/// use std::sync::Arc;
///
/// let factory = |_: &Key, _: &BreakerSettings| Arc::new(ScriptedBreaker::admits(1)) as Arc<dyn CircuitBreaker>;
/// invariants::breaker_is_never_stuck(&factory);
/// ```
///
/// # Panics
///
/// If that is not so. The message ends with what the breaker was asked and told last. Every run makes the same histories,
/// so one that fails fails again, and there is no seed to set.
#[track_caller]
pub fn breaker_is_never_stuck(factory: &dyn BreakerFactory) {
    for seed in 0..HISTORIES {
        if let Some(fault) = fault(factory, seed) {
            panic!("{fault}");
        }
    }
}

/// What goes wrong in a history, with the way there. Its random numbers end with it and not in a panic, where they would
/// name a seed that nobody can set.
fn fault(factory: &dyn BreakerFactory, seed: u64) -> Option<String> {
    let mut random = SeededRandom::new(seed);
    let settings = settings(&mut random);
    let mut told = Vec::new();
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let key = Key::from_static("invariants.Check");
        let breaker = survives("the factory", || factory.breaker(&key, &settings));
        let (now, out) = (Moment::ZERO, Vec::new());
        History { breaker, now, out, changes: 0, told: &mut told }.run(&mut random);
    }));
    let fault = text(&*ran.err()?);
    let (steps, last) = (told.len(), told.len().saturating_sub(SHOWN - 1));
    let way = [&[format!("made with {settings:?}")], &told[last..]].concat().join("\n  ");
    let history =
        format!("history {seed} of {HISTORIES}, the same in every run; the last of its {steps} steps");
    Some(format!("{fault}\n{history}:\n  {way}"))
}

/// Asserts that a circuit closes again when all is well: asked every ten minutes from this moment on, it must let fifty
/// attempts in a row through within a week, if each is reported as good.
///
/// # Panics
///
/// If that is not so.
#[track_caller]
pub fn circuit_recovers(breaker: &dyn CircuitBreaker, from: Moment) {
    let (mut now, mut healthy) = (from, 0);
    for _ in 0..1_000 {
        now = now + Duration::from_secs(600);
        match breaker.admit(&AdmissionRequest::new(AttemptKind::Retry, Now::at(now))) {
            Admission::Admitted(ticket, _) => {
                breaker.report(ticket, Health::Up, &Now::at(now));
                healthy += 1;
            }
            Admission::Rejected(_) => healthy = 0,
            _ => {}
        }
        if healthy == HEALTHY {
            return;
        }
    }
    panic!("it is stuck: a week of good attempts has not closed it; {:?}", breaker.status(&Now::at(now)));
}

fn settings(random: &mut SeededRandom) -> BreakerSettings {
    let cooldown = random.duration(Duration::from_millis(100)..=Duration::from_secs(1));
    BreakerSettings::new(u32::try_from(random.number(1..=5)).unwrap_or(1), cooldown)
}

/// One breaker and what it has been through.
struct History<'a> {
    breaker: Arc<dyn CircuitBreaker>,
    now: Moment,
    /// Attempts that are out, with the number of changes before their admission.
    out: Vec<(Ticket, u64)>,
    changes: u64,
    /// What it was asked and told, and said.
    told: &'a mut Vec<String>,
}

impl History<'_> {
    fn run(&mut self, random: &mut SeededRandom) {
        for _ in 0..STEPS {
            self.step(random);
        }
        self.tell_the_rest(random);
        let probes = self.breaker.status(&Now::at(self.now)).probes;
        assert!(probes == 0, "every attempt was reported, and it says that {probes} probe(s) are out");
        circuit_recovers(&*self.breaker, self.now);
    }

    /// Whether it has said this since it last was told something or admitted anybody.
    fn rejected(&self, said: &str) -> bool {
        let mut rejections = self.told.iter().rev().take_while(|step| step.contains(": Rejected("));
        rejections.any(|step| step.ends_with(said))
    }

    fn note(&mut self, what: impl Display) {
        self.told.push(format!("{:?}: {what}", self.now));
    }

    #[track_caller]
    fn step(&mut self, random: &mut SeededRandom) {
        match random.number(0..=9) {
            0..=3 if random.chance(0.2) => self.ask(AttemptKind::Hedge, Duration::ZERO),
            0..=3 => {
                // A backoff now and then, some longer than any that a policy has.
                let longest = if random.chance(0.8) { 0 } else { *random.pick(&[2, 2, 3600]) };
                let wait = random.duration(Duration::ZERO..=Duration::from_secs(longest));
                self.ask(AttemptKind::Retry, wait);
            }
            4..=6 => self.tell(random),
            7 => self.now = self.now + random.duration(Duration::ZERO..=Duration::from_secs(2)),
            8 if random.chance(0.2) => {
                let latest = *random.pick(&[MINUTES, DECADES]);
                self.now = Moment::from_nanos(random.number(0..=latest));
            }
            9 if random.chance(0.3) => {
                let settings = settings(random);
                self.note(format_args!("reconfigure: {settings:?}"));
                let before = self.breaker.state();
                survives("reconfigure", || self.breaker.reconfigure(&settings));
                self.changed(before, None);
            }
            _ => {}
        }
    }

    /// Peeks ahead of a wait, as before a backoff, and asks behind it.
    #[track_caller]
    fn ask(&mut self, kind: AttemptKind, wait: Duration) {
        let breaker = self.breaker.clone();
        let before = breaker.state();
        let peek = || breaker.would_reject(&Now::at(self.now), wait);
        let foretold = survives(format_args!("would_reject, in {wait:?}"), peek);
        self.changed(before, None);
        if wait > Duration::ZERO && foretold.is_some() {
            self.note(format_args!("would_reject, in {wait:?}: {foretold:?}"));
        }
        self.now = self.now + wait;
        let request = AdmissionRequest::new(kind, Now::at(self.now));
        let admission = survives("admit", || breaker.admit(&request));
        let said = format!("admit: {kind:?}: {admission:?}");
        // Of rejections in a row the first tells enough.
        if !(matches!(admission, Admission::Rejected(_)) && self.rejected(&said)) {
            self.note(&said);
        }
        let Admission::Admitted(ticket, change) = admission else { return };
        assert!(
            foretold.is_none() || kind == AttemptKind::Hedge,
            "it foretold the rejection {foretold:?} in {wait:?}, and the attempt was admitted"
        );
        assert!(!ticket.probe || kind == AttemptKind::Retry, "it admitted a hedge as a probe: {ticket:?}");
        self.changed(before, change.as_ref());
        self.is_probe_if_half_open(kind, ticket);
        self.out.push((ticket, self.changes));
    }

    /// The group of an attempt that isn't told to be a probe is hedged.
    #[track_caller]
    fn is_probe_if_half_open(&self, kind: AttemptKind, ticket: Ticket) {
        let status = self.breaker.status(&Now::at(self.now));
        if (status.state, status.mode) == (CircuitState::HalfOpen, CircuitMode::Enforcing) {
            assert!(ticket.probe, "half-open, it admitted a {kind} as no probe: {ticket:?}");
        }
    }

    #[track_caller]
    fn tell(&mut self, random: &mut SeededRandom) {
        if self.out.is_empty() {
            return;
        }
        let at = usize::try_from(random.number(0..=self.out.len() as u64 - 1)).unwrap_or(0);
        let (ticket, changes) = self.out.swap_remove(at);
        let health = *random.pick(&[Health::Up, Health::Down, Health::Down, Health::Throttled, Health::None]);
        let (breaker, now) = (self.breaker.clone(), Now::at(self.now));
        let before = breaker.state();
        let abandoned = random.chance(0.2);
        let change = match abandoned {
            true => survives("abandon", || breaker.abandon(ticket, &now)),
            false => survives(format_args!("report: {health:?}"), || breaker.report(ticket, health, &now)),
        };
        let told = if abandoned { "abandon".to_owned() } else { format!("report: {health:?}") };
        self.note(format_args!("{told}, {ticket:?}: {change:?}"));
        let late = changes < self.changes;
        assert!(
            !late || (change.is_none() && breaker.state() == before),
            "a report of {ticket:?}, which was admitted before the last change, moved it: {change:?}"
        );
        self.changed(before, change.as_ref());
    }

    /// A change of state is told if and only if there is one.
    #[track_caller]
    fn changed(&mut self, before: CircuitState, change: Option<&Transition>) {
        let after = self.breaker.state();
        match change {
            Some(change) => {
                assert!(
                    (change.from, change.to) == (before, after) && before != after,
                    "it told of a change from {} to {}, and went from {before} to {after}",
                    change.from,
                    change.to
                );
                self.changes += 1;
            }
            None => assert!(before == after, "it went from {before} to {after} and told nobody"),
        }
    }

    #[track_caller]
    fn tell_the_rest(&mut self, random: &mut SeededRandom) {
        while !self.out.is_empty() {
            self.tell(random);
        }
    }
}
