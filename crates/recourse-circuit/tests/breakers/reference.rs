//! A breaker as one would explain it: it keeps everything that has happened, and looks it all through at each question.

use recourse_core::{AttemptKind, CircuitMode, CircuitState, Health};

/// Milliseconds.
pub(crate) type Millis = u64;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Window {
    /// Failures in a row.
    Row,
    /// The last so many.
    Attempts(u32),
    /// The last ten tenths of so many milliseconds each.
    Tenths(Millis),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) window: Window,
    /// Tenths of the attempts.
    pub(crate) failed: u64,
    /// Limit, and tenths of the attempts.
    pub(crate) slow: Option<(Millis, u64)>,
    pub(crate) minimum: u64,
    /// Halves of a failure.
    pub(crate) throttled: u64,
    pub(crate) abandoned: Option<u64>,
    pub(crate) probes: usize,
    pub(crate) successes: u64,
    pub(crate) lease: Millis,
    /// Cap, and after how long it is forgotten.
    pub(crate) growth: Option<(Millis, Millis)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id {
    /// How often the circuit had changed.
    pub(crate) changes: u64,
    pub(crate) probe: Option<u64>,
    pub(crate) start: Millis,
}

#[derive(Clone, Copy, Debug)]
struct Voted {
    at: Millis,
    health: Health,
    slow: bool,
}

#[derive(Clone, Copy, Debug)]
struct Out {
    probe: u64,
    since: Millis,
    lease: Millis,
}

#[derive(Debug)]
pub(crate) struct Reference {
    options: Options,
    pub(crate) threshold: u64,
    pub(crate) cooldown: Millis,
    pub(crate) mode: CircuitMode,
    state: CircuitState,
    changes: u64,
    /// Since the circuit was last closed.
    votes: Vec<Voted>,
    given_up: u64,
    since: Millis,
    succeeded: u64,
    out: Vec<Out>,
    expired: u32,
    probes_ever: u64,
    trips: u32,
    /// What had been counted when it opened.
    tripped_by: (u64, u64, u64),
    closed_at: Millis,
}

impl Reference {
    pub(crate) fn new(options: Options, threshold: u64, cooldown: Millis) -> Self {
        Reference {
            options,
            threshold,
            cooldown,
            mode: CircuitMode::Enforcing,
            state: CircuitState::Closed,
            changes: 0,
            votes: vec![],
            given_up: 0,
            since: 0,
            succeeded: 0,
            out: vec![],
            expired: 0,
            probes_ever: 0,
            trips: 0,
            tripped_by: (0, 0, 0),
            closed_at: 0,
        }
    }

    /// As many as the window holds, at most.
    fn threshold(&self) -> u64 {
        match self.options.window {
            Window::Attempts(size) => self.threshold.min(size.into()),
            _ => self.threshold,
        }
    }

    pub(crate) fn state(&self) -> CircuitState {
        if self.mode == CircuitMode::ForcedOpen { CircuitState::Open } else { self.state }
    }

    pub(crate) fn probes(&self) -> usize {
        self.out.len()
    }

    /// Counted, failed and slow.
    pub(crate) fn counts(&self, now: Millis) -> (u64, u64, u64) {
        if self.state != CircuitState::Closed {
            return self.tripped_by;
        }
        let window = self.window(now);
        let many = |test: &dyn Fn(&Voted) -> bool| window.iter().filter(|voted| test(voted)).count() as u64;
        (window.len() as u64, many(&|voted| voted.health != Health::Up), many(&|voted| voted.slow))
    }

    fn window(&self, now: Millis) -> Vec<Voted> {
        match self.options.window {
            Window::Row => {
                let throttled = self.options.throttled > 0;
                let row = self.votes.iter().rev().take_while(|voted| voted.health != Health::Up);
                row.filter(|voted| throttled || voted.health == Health::Down).copied().collect()
            }
            Window::Attempts(size) => self.votes[self.votes.len().saturating_sub(size as usize)..].to_vec(),
            Window::Tenths(tenth) => {
                let inside = |voted: &&Voted| voted.at / tenth + 10 > now / tenth;
                self.votes.iter().filter(inside).copied().collect()
            }
        }
    }

    fn open_for(&self) -> Millis {
        match self.options.growth {
            Some((cap, _)) => (self.cooldown << (self.trips - 1).min(20)).min(cap.max(self.cooldown)),
            None => self.cooldown,
        }
    }

    fn go(&mut self, to: CircuitState) {
        self.state = to;
        self.changes += 1;
        (self.given_up, self.succeeded, self.expired) = (0, 0, 0);
        self.votes.clear();
        self.out.clear();
    }

    fn trip(&mut self, now: Millis) {
        if let Some((_, forgotten)) = self.options.growth {
            if self.state == CircuitState::Closed && now.saturating_sub(self.closed_at) >= forgotten {
                self.trips = 0;
            }
        }
        self.trips += 1;
        self.since = now;
        self.tripped_by = self.counts(now);
        self.go(CircuitState::Open);
    }

    pub(crate) fn set_mode(&mut self, mode: CircuitMode) {
        let uncounted = mode == CircuitMode::Disabled || self.mode == CircuitMode::Disabled;
        if uncounted || (mode == CircuitMode::ForcedClosed && self.state != CircuitState::Closed) {
            self.go(CircuitState::Closed);
            self.trips = 0;
        }
        if mode == CircuitMode::ForcedOpen {
            self.out.clear();
            self.expired = 0;
        }
        self.mode = mode;
    }

    /// `Err` has the state that rejects.
    pub(crate) fn ask(&mut self, kind: AttemptKind, now: Millis) -> Result<Id, CircuitState> {
        if self.mode == CircuitMode::ForcedOpen {
            return Err(CircuitState::Open);
        }
        let through = Id { changes: self.changes, probe: None, start: now };
        match self.probe(kind, now) {
            _ if self.state == CircuitState::Closed => Ok(through),
            Some(probe) => Ok(Id { changes: self.changes, probe: Some(probe), start: now }),
            None if self.mode == CircuitMode::Observing => Ok(through),
            None => Err(self.state),
        }
    }

    fn probe(&mut self, kind: AttemptKind, now: Millis) -> Option<u64> {
        if kind == AttemptKind::Hedge || self.state == CircuitState::Closed {
            return None;
        }
        if self.state == CircuitState::Open {
            self.since = self.since.min(now);
            if now < self.since + self.open_for() {
                return None;
            }
            self.go(CircuitState::HalfOpen);
        }
        if self.out.len() == self.options.probes {
            for out in &mut self.out {
                out.since = out.since.min(now);
            }
            self.out.sort_by_key(|out| (out.since + out.lease, out.probe));
            if now < self.out[0].since + self.out[0].lease {
                return None;
            }
            self.out.remove(0);
            self.expired += 1;
        }
        self.probes_ever += 1;
        let lease = self.options.lease << self.expired.min(20);
        self.out.push(Out { probe: self.probes_ever, since: now, lease });
        Some(self.probes_ever)
    }

    fn hears(&self, id: Id) -> bool {
        match self.state {
            CircuitState::Closed => {
                id.probe.is_none() && id.changes == self.changes && self.mode != CircuitMode::Disabled
            }
            CircuitState::HalfOpen => self.out.iter().any(|out| Some(out.probe) == id.probe),
            _ => false,
        }
    }

    fn is_slow(&self, id: Id, now: Millis) -> bool {
        self.options.slow.is_some_and(|(limit, _)| now.saturating_sub(id.start) > limit)
    }

    /// Whether the state has changed.
    pub(crate) fn report(&mut self, id: Id, health: Health, now: Millis) -> bool {
        if !self.hears(id) {
            return false;
        }
        if health == Health::None {
            self.out.retain(|out| Some(out.probe) != id.probe);
            return false;
        }
        self.given_up = 0;
        self.vote(id, Voted { at: now, health, slow: self.is_slow(id, now) })
    }

    pub(crate) fn abandon(&mut self, id: Id, now: Millis) -> bool {
        if !self.hears(id) {
            return false;
        }
        let slow = self.is_slow(id, now);
        self.given_up += 1;
        if self.options.abandoned.is_some_and(|limit| self.given_up > limit) {
            return self.vote(id, Voted { at: now, health: Health::Down, slow });
        }
        if slow {
            return self.vote(id, Voted { at: now, health: Health::Up, slow });
        }
        self.out.retain(|out| Some(out.probe) != id.probe);
        false
    }

    fn vote(&mut self, id: Id, voted: Voted) -> bool {
        if self.state == CircuitState::Closed {
            self.votes.push(voted);
            let good = voted.health == Health::Up && !voted.slow;
            let may = matches!(self.mode, CircuitMode::Enforcing | CircuitMode::Observing);
            let opens = !good && may && self.judge(voted.at);
            if opens {
                self.trip(voted.at);
            }
            return opens;
        }
        let harmless = voted.health == Health::Throttled && self.options.throttled == 0;
        if (voted.health != Health::Up && !harmless) || voted.slow {
            self.trip(voted.at);
            return true;
        }
        self.out.retain(|out| Some(out.probe) != id.probe);
        self.succeeded += u64::from(voted.health == Health::Up);
        if self.succeeded < self.options.successes {
            return false;
        }
        self.go(CircuitState::Closed);
        self.closed_at = voted.at;
        true
    }

    fn judge(&self, now: Millis) -> bool {
        let window = self.window(now);
        let total = window.len() as u64;
        let halves = |voted: &Voted| match voted.health {
            Health::Down => 2,
            Health::Throttled => self.options.throttled,
            _ => 0,
        };
        let failed: u64 = window.iter().map(halves).sum();
        let slow = window.iter().filter(|voted| voted.slow).count() as u64;
        let enough = failed >= 2 * self.threshold();
        if matches!(self.options.window, Window::Row) {
            // A throttled answer without weight is as if it weren't there: it repeats no verdict.
            let last = self.votes.last().is_some_and(|voted| halves(voted) > 0);
            return enough && last;
        }
        let fails = enough && failed * 5 >= self.options.failed * total;
        let drags = self
            .options
            .slow
            .is_some_and(|(_, tenths)| slow >= self.threshold() && slow * 10 >= tenths * total);
        total >= self.options.minimum && (fails || drags)
    }
}
