//! [`Timing`]: the time of a world. Virtual, with a clock that may be bent, or tokio's, paused.

use crate::dice::Dice;
use crate::mood::Mood;
use recourse::{Clock, Component, ExecutorBuilder, Moment, Sleeper, Timer};
use recourse_test::VirtualTime;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant, SystemTime};

/// A wait, whoever's.
pub(crate) type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Clone)]
pub(crate) enum Timing {
    Virtual(BentTime),
    #[cfg(feature = "tokio")]
    Tokio,
}

impl Timing {
    pub(crate) fn wait(&self, duration: Duration) -> Wait {
        match self {
            Timing::Virtual(bent) => Box::pin(bent.time.wait(duration)),
            #[cfg(feature = "tokio")]
            Timing::Tokio => recourse::TokioSleeper.sleep(duration),
        }
    }

    /// Runs to its end whatever the world does.
    pub(crate) fn run<F: Future>(&self, future: F) -> F::Output {
        match self {
            Timing::Virtual(bent) => bent.time.run(future),
            #[cfg(feature = "tokio")]
            Timing::Tokio => {
                let mut builder = tokio::runtime::Builder::new_current_thread();
                let runtime = builder.enable_time().start_paused(true).build();
                runtime.unwrap().block_on(future)
            }
        }
    }

    /// The executor's clock and sleeper.
    pub(crate) fn equip(&self, builder: ExecutorBuilder) -> ExecutorBuilder {
        match self {
            Timing::Virtual(bent) => builder.clock(bent.clone()).sleeper(bent.clone()),
            #[cfg(feature = "tokio")]
            Timing::Tokio => builder.clock(recourse::TokioClock::new()).sleeper(recourse::TokioSleeper),
        }
    }

    pub(crate) fn bent(&self) -> Option<&BentTime> {
        match self {
            Timing::Virtual(bent) => Some(bent),
            #[cfg(feature = "tokio")]
            Timing::Tokio => None,
        }
    }

    /// Timers that nobody has dropped; unknown on tokio.
    pub(crate) fn timers(&self) -> usize {
        self.bent().map_or(0, |bent| bent.time.pending_sleeps())
    }
}

/// Virtual time whose clock may be set, stopped, or panic, and whose timers may come late.
#[derive(Clone)]
pub(crate) struct BentTime {
    pub(crate) time: VirtualTime,
    dice: Dice,
    mood: Mood,
    stopped_at: Arc<Mutex<Option<Moment>>>,
    /// Sleeps come late now and then.
    is_lazy: bool,
    /// Sleeps can be set again.
    sets_again: bool,
}

impl BentTime {
    pub(crate) fn new(dice: &Dice, mood: &Mood, is_lazy: bool) -> Self {
        BentTime {
            time: VirtualTime::starting_at(Moment::from_nanos(dice.number(0, 1 << 40))),
            dice: dice.clone(),
            mood: mood.clone(),
            stopped_at: Arc::default(),
            is_lazy,
            sets_again: dice.chance(0.5),
        }
    }

    /// Makes the clock jump, go back, stop or go on.
    pub(crate) fn bend(&self) {
        let now = self.time.now();
        let nanos = match self.dice.below(6) {
            0 => now.as_nanos().saturating_add(self.dice.number(0, 60_000_000_000)),
            1 => now.as_nanos().saturating_sub(self.dice.number(0, 60_000_000_000)),
            2 => self.dice.number(0, u64::MAX),
            3 => self.dice.pick(&[0, u64::MAX]),
            4 => {
                self.stop(Some(now));
                return;
            }
            _ => {
                self.stop(None);
                return;
            }
        };
        self.time.set(Moment::from_nanos(nanos));
    }

    pub(crate) fn stop(&self, at: Option<Moment>) {
        *self.stopped_at.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }

    /// No sleep of zero is ever asked for.
    fn asked(&self, duration: Duration) {
        if duration.is_zero() {
            self.mood.fault("a sleep of zero was asked for".to_owned());
        }
    }

    fn late(&self, duration: Duration) -> Duration {
        match self.is_lazy && self.dice.chance(0.1) {
            true => duration.saturating_add(self.dice.ms(0, 50)),
            false => duration,
        }
    }
}

impl Clock for BentTime {
    fn now(&self) -> Moment {
        self.mood.swings(Component::Clock);
        let stopped = *self.stopped_at.lock().unwrap_or_else(PoisonError::into_inner);
        stopped.unwrap_or_else(|| self.time.now())
    }
    fn calendar(&self, moment: Moment) -> Option<SystemTime> {
        self.mood.swings(Component::Clock);
        self.time.calendar(moment)
    }
}

impl Sleeper for BentTime {
    fn sleep<'s, 'f>(&'s self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
        Self: 'f,
    {
        self.mood.swings(Component::Sleeper);
        self.asked(duration);
        Box::pin(Sleep { bent: self.clone(), below: Box::pin(self.time.wait(self.late(duration))) })
    }
    fn timer<'s, 'f>(
        &'s self,
        duration: Duration,
        _: Option<Instant>,
    ) -> Option<Pin<Box<dyn Timer + Send + 'f>>>
    where
        's: 'f,
        Self: 'f,
    {
        self.mood.swings(Component::Sleeper);
        self.asked(duration);
        let below = Box::pin(self.time.wait(self.late(duration)));
        self.sets_again.then(|| Box::pin(Sleep { bent: self.clone(), below }) as Pin<Box<dyn Timer + Send>>)
    }
}

/// Panics now and then when it is polled, set or dropped.
struct Sleep {
    bent: BentTime,
    below: Wait,
}

impl Future for Sleep {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.bent.mood.swings(Component::Sleeper);
        self.below.as_mut().poll(context)
    }
}

impl Timer for Sleep {
    fn set(mut self: Pin<&mut Self>, duration: Duration, _: Option<Instant>) {
        self.bent.mood.swings(Component::Sleeper);
        self.bent.asked(duration);
        let late = self.bent.late(duration);
        self.below = Box::pin(self.bent.time.wait(late));
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.bent.mood.swings(Component::Sleeper);
    }
}
