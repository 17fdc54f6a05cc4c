//! Breakers that wedge, admit hedges as probes, listen to old reports, or change behind everybody's back.

use crate::{assert_caught, message};
use recourse_core::{
    Admission, AdmissionRequest, AttemptKind, BreakerSettings, CircuitBreaker, CircuitMode, CircuitState,
    CircuitStatus, Health, Key, Moment, Now, Rejection, Ticket, Transition,
};
use recourse_test::invariants::breaker_is_never_stuck;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    None,
    /// A probe that says nothing keeps its slot: the classic way to be stuck for good.
    LosesProbes,
    ProbesHedges,
    HeedsOldReports,
    SaysNothing,
    LiesInAdvance,
    CountsProbesWrongly,
    ClosesWhenReconfigured,
    ClosesWhenPeekedAt,
    ForeseesNoEnd,
    WaitsForTheClock,
    HidesProbes,
    HidesHedges,
    ProbesWithoutEnd,
    /// Not one, in a breaker that says so.
    ObservesProbes,
}

const COOLDOWN: u64 = 1_000_000_000;

/// Opens at the first failure, for a second; then one probe.
struct Simple {
    flaw: Flaw,
    state: Mutex<State>,
}

#[derive(Clone, Copy)]
struct State {
    generation: u64,
    circuit: CircuitState,
    since: u64,
    probe: bool,
    /// Probes that were handed out, ever.
    handed_out: u32,
}

impl Simple {
    fn factory(flaw: Flaw) -> impl Fn(&Key, &BreakerSettings) -> Arc<dyn CircuitBreaker> {
        move |_: &Key, _: &BreakerSettings| {
            let (circuit, generation, since) = (CircuitState::Closed, 0, 0);
            let state = State { generation, circuit, since, probe: false, handed_out: 0 };
            Arc::new(Simple { flaw, state: Mutex::new(state) }) as Arc<dyn CircuitBreaker>
        }
    }

    fn go(&self, state: &mut State, to: CircuitState, now: &Now<'_>) -> Option<Transition> {
        let from = std::mem::replace(&mut state.circuit, to);
        (state.generation, state.since, state.probe) = (state.generation + 1, now.get().as_nanos(), false);
        (self.flaw != Flaw::SaysNothing).then(|| Transition::new(from, to, "", now.get()))
    }
}

impl CircuitBreaker for Simple {
    fn admit(&self, request: &AdmissionRequest<'_>) -> Admission {
        let mut state = self.state.lock().unwrap();
        let rejected = |circuit| Admission::Rejected(Rejection::new(circuit, "circuit_open"));
        let is_hedge = request.kind == AttemptKind::Hedge && self.flaw != Flaw::ProbesHedges;
        if state.circuit == CircuitState::Closed {
            return Admission::Admitted(Ticket::normal(state.generation), None);
        }
        let mut moved = None;
        if state.circuit == CircuitState::Open {
            // A clock that went back must not keep it open for longer than a second from now.
            let now = request.now.get().as_nanos();
            if self.flaw != Flaw::WaitsForTheClock {
                state.since = state.since.min(now);
            }
            if is_hedge || now.saturating_sub(state.since) < COOLDOWN {
                return rejected(CircuitState::Open);
            }
            moved = self.go(&mut state, CircuitState::HalfOpen, &request.now);
        }
        match self.flaw {
            Flaw::HidesHedges if is_hedge => {
                return Admission::Admitted(Ticket::normal(state.generation), None);
            }
            Flaw::ProbesWithoutEnd if !is_hedge => {}
            _ if is_hedge || state.probe => return rejected(CircuitState::HalfOpen),
            _ => {}
        }
        (state.probe, state.handed_out) = (true, state.handed_out + 1);
        let ticket = match self.flaw {
            Flaw::HidesProbes | Flaw::ObservesProbes => Ticket::normal(state.generation),
            _ => Ticket::probe(state.generation),
        };
        Admission::Admitted(ticket, moved)
    }

    fn report(&self, ticket: Ticket, health: Health, now: &Now<'_>) -> Option<Transition> {
        let mut state = self.state.lock().unwrap();
        if ticket.generation != state.generation && self.flaw != Flaw::HeedsOldReports {
            return None;
        }
        match (state.circuit, health) {
            (CircuitState::Closed, Health::Down) => self.go(&mut state, CircuitState::Open, now),
            (CircuitState::HalfOpen, Health::Down) => self.go(&mut state, CircuitState::Open, now),
            (CircuitState::HalfOpen, Health::Up) => self.go(&mut state, CircuitState::Closed, now),
            (CircuitState::HalfOpen, _) if self.flaw != Flaw::LosesProbes => {
                state.probe = false;
                None
            }
            _ => None,
        }
    }

    fn state(&self) -> CircuitState {
        self.state.lock().unwrap().circuit
    }

    fn would_reject(&self, now: &Now<'_>, wait: Duration) -> Option<Rejection> {
        if self.flaw == Flaw::ClosesWhenPeekedAt {
            self.go(&mut self.state.lock().unwrap(), CircuitState::Closed, now);
        }
        let (state, now) = (*self.state.lock().unwrap(), now.get());
        let open = state.circuit == CircuitState::Open;
        let start = if self.flaw == Flaw::ForeseesNoEnd { now } else { now + wait };
        let rejects = open && start.as_nanos() < state.since.min(now.as_nanos()) + COOLDOWN;
        (rejects || self.flaw == Flaw::LiesInAdvance)
            .then(|| Rejection::new(CircuitState::Open, "circuit_open"))
    }

    fn reconfigure(&self, _: &BreakerSettings) {
        if self.flaw == Flaw::ClosesWhenReconfigured {
            let mut state = self.state.lock().unwrap();
            self.go(&mut state, CircuitState::Closed, &Now::at(Moment::ZERO));
        }
    }

    fn status(&self, _: &Now<'_>) -> CircuitStatus {
        let state = self.state.lock().unwrap();
        let mut status = CircuitStatus::new(state.circuit);
        if self.flaw == Flaw::ObservesProbes {
            status.mode = CircuitMode::Observing;
        }
        status.probes = match self.flaw {
            Flaw::CountsProbesWrongly => state.handed_out,
            Flaw::LosesProbes => 0,
            _ => u32::from(state.probe),
        };
        status
    }
}

#[test]
fn a_good_one_passes() {
    breaker_is_never_stuck(&Simple::factory(Flaw::None));
}

#[test]
fn bad_ones_are_caught() {
    for (flaw, says) in [
        (Flaw::LosesProbes, "it is stuck"),
        (Flaw::ProbesHedges, "it admitted a hedge as a probe"),
        (Flaw::HeedsOldReports, "which was admitted before the last change, moved it"),
        (Flaw::SaysNothing, "and told nobody"),
        (Flaw::LiesInAdvance, "and the attempt was admitted"),
        (Flaw::CountsProbesWrongly, "every attempt was reported, and it says that"),
    ] {
        assert_caught(says, || breaker_is_never_stuck(&Simple::factory(flaw)));
    }
}

#[test]
fn a_change_behind_new_settings_or_a_peek_is_caught() {
    for flaw in [Flaw::ClosesWhenReconfigured, Flaw::ClosesWhenPeekedAt] {
        assert_caught(" to closed and told nobody", || {
            breaker_is_never_stuck(&Simple::factory(flaw));
        });
    }
}

#[test]
fn a_rejection_that_was_foretold_for_later_and_does_not_come_is_caught() {
    let says = "it foretold the rejection Some(Rejection { state: Open, reason: \"circuit_open\" }) in 1.";
    assert_caught(says, || {
        breaker_is_never_stuck(&Simple::factory(Flaw::ForeseesNoEnd));
    });
}

#[test]
fn a_circuit_that_waits_until_a_clock_that_was_set_back_has_caught_up_is_caught() {
    assert_caught("it is stuck: a week of good attempts has not closed it", || {
        breaker_is_never_stuck(&Simple::factory(Flaw::WaitsForTheClock));
    });
}

#[test]
fn an_attempt_that_a_half_open_circuit_admits_as_no_probe_is_caught() {
    for (flaw, kind) in [(Flaw::HidesProbes, "retry"), (Flaw::HidesHedges, "hedge")] {
        assert_caught(&format!("half-open, it admitted a {kind} as no probe"), || {
            breaker_is_never_stuck(&Simple::factory(flaw));
        });
    }
}

#[test]
fn a_half_open_circuit_that_only_observes_may_admit_what_is_no_probe() {
    breaker_is_never_stuck(&Simple::factory(Flaw::ObservesProbes));
}

#[test]
fn how_many_probes_are_out_at_once_is_the_breakers_own_affair() {
    breaker_is_never_stuck(&Simple::factory(Flaw::ProbesWithoutEnd));
}

#[test]
fn the_message_ends_with_the_way_there() {
    let message = message(|| breaker_is_never_stuck(&Simple::factory(Flaw::LosesProbes)));
    let (_, way) = message.split_once("of 200, the same in every run; the last of its ").unwrap();
    for says in [
        "made with BreakerSettings",
        "): admit: Retry: Admitted(Ticket",
        "): report: None, Ticket",
        "): reconfigure: ",
    ] {
        assert!(way.contains(says), "{says:?} is missing: {message}");
    }
    assert!(way.lines().count() <= 33, "{message}");
}

/// What a failing test prints is read from outside: the test runs itself.
#[test]
fn a_failing_check_names_no_seed_that_nobody_can_set() {
    const INSIDE: &str = "RECOURSE_TEST_FAILS_TO_BE_LOOKED_AT";
    if std::env::var_os(INSIDE).is_some() {
        return breaker_is_never_stuck(&Simple::factory(Flaw::LosesProbes));
    }
    let name = "bad_breakers_are_caught::a_failing_check_names_no_seed_that_nobody_can_set";
    let mut test = Command::new(std::env::current_exe().unwrap());
    let run = test.args([name, "--exact", "--nocapture"]).env(INSIDE, "1").output().unwrap();
    let printed = String::from_utf8(run.stderr).unwrap();
    assert!(!run.status.success() && printed.contains("of 200, the same in every run"), "{printed}");
    assert!(!printed.contains("SeededRandom"), "{printed}");
}
