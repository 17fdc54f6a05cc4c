//! [`Summary`]: what can be answered without the circuit's lock.

use crate::count::{Count, Inbox};
use crate::state::Circuit;
use crate::sync::{AtomicU64, Ordering};
use recourse_core::{CircuitMode, CircuitState, Glance, Now};
use std::sync::Arc;

/// What the circuit is, for readers without its lock: a closed one admits, a healthy one hears of success, and an open
/// one rejects, by loads alone.
///
/// # Why that is right
///
/// It is stored only under the circuit's lock, so the word takes the values, in order, that the circuit has gone
/// through. The answers that are made from it change nothing, so each is what the circuit itself would have said when
/// it was as the loaded word says; a load that races with a change counts as before that change. Whoever has heard of a
/// change, from the lock or from the caller that made it, can't load an older word.
///
/// The window belongs to a word. It is stored before that word, so who has loaded the word sees no older window (hence
/// `Release` and `Acquire`). And a word that sends everybody to the lock is stored before it: who sees any of a younger
/// window sees, in the second look at the word, that the word has passed.
#[derive(Debug)]
pub(crate) struct Summary {
    /// Generation, and below it the standing.
    word: AtomicU64,
    /// Whoever asks from here ..
    from: AtomicU64,
    /// .. until just before here is rejected.
    until: AtomicU64,
    /// What is shown to those who only want to know whether it is closed.
    glance: Arc<Glance>,
}

const STANDING_BITS: u32 = 3;

/// The low bits of the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Closed, and a good vote tells it nothing.
    Healthy,
    /// Closed, and a good vote changes what it counts.
    Failing,
    /// Open.
    Open,
    /// Half-open with a free slot.
    HalfOpen,
    /// Half-open, and every slot is taken.
    Full,
    /// Open or half-open, observed only, or about to change: the circuit itself is asked about everything.
    Observed,
    /// Forced open: rejects everything.
    Shut,
    /// Disabled: admits everything and hears nothing.
    Disabled,
}

impl Summary {
    pub(crate) fn of<C: Count>(circuit: &Circuit<C>) -> Self {
        let summary = Summary {
            word: AtomicU64::new(0),
            from: AtomicU64::new(0),
            until: AtomicU64::new(0),
            glance: Arc::default(),
        };
        summary.follow(circuit);
        summary
    }

    /// To be called under the circuit's lock after each change.
    pub(crate) fn follow<C: Count>(&self, circuit: &Circuit<C>) {
        let window = circuit.rejecting();
        if let Some(window) = window.map(|(from, until)| (from.as_nanos(), until.as_nanos())) {
            if (self.from.load(Ordering::Relaxed), self.until.load(Ordering::Relaxed)) != window {
                self.store(circuit.generation(), Standing::Observed);
                self.from.store(window.0, Ordering::Release);
                self.until.store(window.1, Ordering::Release);
            }
        }
        let standing = match (circuit.mode(), circuit.state()) {
            (CircuitMode::Disabled, _) => Standing::Disabled,
            (CircuitMode::ForcedOpen, _) => Standing::Shut,
            (_, CircuitState::Closed) if circuit.minds_good_votes() => Standing::Failing,
            (_, CircuitState::Closed) => Standing::Healthy,
            (CircuitMode::Observing, _) => Standing::Observed,
            (_, CircuitState::Open) => Standing::Open,
            _ if window.is_some() => Standing::Full,
            _ => Standing::HalfOpen,
        };
        // Whether a success may go untold, where it is shown that the circuit is closed.
        let untold = match standing {
            Standing::Disabled => Some(true),
            Standing::Healthy | Standing::Failing if !circuit.times_attempts() => {
                Some(standing == Standing::Healthy && !C::Inbox::COUNTS)
            }
            _ => None,
        };
        if untold.is_none() {
            // Before the word rejects anybody: who was rejected must not see it closed after that.
            self.glance.show_nothing();
        }
        self.store(circuit.generation(), standing);
        match untold {
            Some(true) => self.glance.show_healthy(circuit.generation()),
            Some(false) => self.glance.show_closed(circuit.generation()),
            None => {}
        }
    }

    pub(crate) fn glance(&self) -> &Arc<Glance> {
        &self.glance
    }

    fn store(&self, generation: u64, standing: Standing) {
        self.word.store(generation << STANDING_BITS | standing as u64, Ordering::Release);
    }

    pub(crate) fn read(&self) -> (u64, Standing) {
        self.word().read()
    }

    pub(crate) fn word(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    /// Whether what this word says, an open circuit or a full one, rejects whoever asks now.
    pub(crate) fn rejects(&self, word: Word, now: &Now<'_>) -> bool {
        // First, so that the window needn't be kept while the clock is asked.
        let now = now.get().as_nanos();
        let window = self.from.load(Ordering::Acquire)..self.until.load(Ordering::Acquire);
        self.word() == word && window.contains(&now)
    }
}

/// What one load has found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(u64);

impl Word {
    /// The generation and the standing.
    pub(crate) fn read(self) -> (u64, Standing) {
        let standing = match self.0 & 0b111 {
            0 => Standing::Healthy,
            1 => Standing::Failing,
            2 => Standing::Open,
            3 => Standing::HalfOpen,
            4 => Standing::Full,
            5 => Standing::Observed,
            6 => Standing::Shut,
            _ => Standing::Disabled,
        };
        (self.0 >> STANDING_BITS, standing)
    }
}
