//! [`Summary`]: what can be answered without the circuit's lock.

use crate::count::Count;
use crate::state::Circuit;
use crate::sync::{AtomicU64, Ordering};
use recourse_core::{CircuitMode, CircuitState, Now};

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
/// The window belongs to a generation. It is stored before the word that names this generation, so who has loaded the
/// word sees no older window (hence `Release` and `Acquire`); and who sees a younger one sees, in the second look at
/// the word, that the generation has passed.
#[derive(Debug)]
pub(crate) struct Summary {
    /// Generation, and below it the standing.
    word: AtomicU64,
    /// Whoever asks from here ..
    from: AtomicU64,
    /// .. until just before here is rejected.
    until: AtomicU64,
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
    /// Open or half-open, observed only: it asks the circuit about everything, and rejects nothing.
    Observed,
    /// Forced open: rejects everything.
    Shut,
    /// Disabled: admits everything and hears nothing.
    Disabled,
}

impl Summary {
    pub(crate) fn of<C: Count>(circuit: &Circuit<C>) -> Self {
        let summary = Summary { word: AtomicU64::new(0), from: AtomicU64::new(0), until: AtomicU64::new(0) };
        summary.follow(circuit);
        summary
    }

    /// To be called under the circuit's lock after each change.
    pub(crate) fn follow<C: Count>(&self, circuit: &Circuit<C>) {
        let window = circuit.rejecting();
        if let Some((from, until)) = window {
            self.from.store(from.as_nanos(), Ordering::Release);
            self.until.store(until.as_nanos(), Ordering::Release);
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
        self.word.store(circuit.generation() << STANDING_BITS | standing as u64, Ordering::Release);
    }

    pub(crate) fn read(&self) -> (u64, Standing) {
        unpack(self.word.load(Ordering::Acquire))
    }

    /// Whether the circuit is open, or all its probes are out, and it rejects whoever asks now.
    pub(crate) fn rejects(&self, now: &Now<'_>) -> bool {
        let word = self.word.load(Ordering::Acquire);
        if !matches!(unpack(word).1, Standing::Open | Standing::Full) {
            return false;
        }
        let window = self.from.load(Ordering::Acquire)..self.until.load(Ordering::Acquire);
        self.word.load(Ordering::Acquire) == word && window.contains(&now.get().as_nanos())
    }
}

fn unpack(word: u64) -> (u64, Standing) {
    let standing = match word & 0b111 {
        0 => Standing::Healthy,
        1 => Standing::Failing,
        2 => Standing::Open,
        3 => Standing::HalfOpen,
        4 => Standing::Full,
        5 => Standing::Observed,
        6 => Standing::Shut,
        _ => Standing::Disabled,
    };
    (word >> STANDING_BITS, standing)
}
