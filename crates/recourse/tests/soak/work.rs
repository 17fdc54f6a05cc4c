//! [`Work`]: the operation of one call, and what became of its attempts.

use crate::dice::Dice;
use crate::failure::{Broken, How};
use crate::mood::OnPurpose;
use crate::timing::{Timing, Wait};
use recourse::{Attempt, Cancelled, GrpcCode};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

/// How an operation is apt to behave.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    pub(crate) fails: f64,
    pub(crate) panics: f64,
    pub(crate) hangs: f64,
    /// Errors whose own code panics.
    pub(crate) odd_errors: f64,
    pub(crate) slowest_ms: u64,
    /// Polls keep their thread busy now and then.
    pub(crate) is_busy: bool,
}

/// The operation of one call. Clones share its log.
#[derive(Clone)]
pub(crate) struct Work {
    dice: Dice,
    timing: Timing,
    manner: Manner,
    log: Arc<Mutex<Log>>,
}

/// What became of the attempts of a call.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) launched: Vec<Attempt>,
    /// When each was, in the world's own time; nothing on tokio.
    pub(crate) launched_at: Vec<Duration>,
    pub(crate) in_flight: u32,
    pub(crate) most_in_flight: u32,
    /// Attempts that are pending for ever.
    pub(crate) hanging: u32,
    /// Group, number, and whether it was a value, of each result, in order.
    pub(crate) results: Vec<(u32, u32, bool)>,
    /// A drop has panicked: one a call, because two at once end the process.
    dropped_badly: bool,
    pub(crate) panicked: bool,
    /// The call is over: nothing may be launched any more.
    pub(crate) over: bool,
    pub(crate) faults: Vec<String>,
}

impl Work {
    pub(crate) fn new(dice: &Dice, timing: &Timing, manner: Manner) -> Self {
        Work { dice: dice.clone(), timing: timing.clone(), manner, log: Arc::default() }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt is launched; panics now and then.
    pub(crate) fn attempt(&self, attempt: Attempt) -> Job {
        let mut log = self.log();
        if log.over {
            log.faults.push(format!("launched after the end of the call: {attempt:?}"));
        }
        log.launched.push(attempt);
        log.launched_at.extend(self.timing.bent().map(|bent| bent.time.elapsed()));
        if self.dice.chance(self.manner.panics) {
            log.panicked = true;
            drop(log);
            OnPurpose::Operation.panic();
        }
        log.in_flight += 1;
        log.most_in_flight = log.most_in_flight.max(log.in_flight);
        drop(log);
        Job {
            work: self.clone(),
            attempt,
            yields: if self.dice.chance(0.3) { self.dice.small(1, 3) } else { 0 },
            waits: if self.dice.chance(0.6) { self.dice.small(1, 2) } else { 0 },
            wait: None,
            hangs: self.dice.chance(self.manner.hangs),
            hanging: false,
            ended: false,
        }
    }
}

/// One attempt.
pub(crate) struct Job {
    work: Work,
    attempt: Attempt,
    yields: u32,
    waits: u32,
    wait: Option<Wait>,
    hangs: bool,
    hanging: bool,
    ended: bool,
}

impl Future for Job {
    type Output = Result<u32, Broken>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let job = &mut *self;
        let (dice, manner) = (job.work.dice.clone(), job.work.manner);
        if job.ended {
            job.work.log().faults.push(format!("polled after its end: {:?}", job.attempt));
            return Poll::Pending;
        }
        if dice.chance(manner.panics) {
            job.end();
            job.work.log().panicked = true;
            OnPurpose::Operation.panic();
        }
        if let Some(bent) = job.work.timing.bent().filter(|_| manner.is_busy && dice.chance(0.02)) {
            // It keeps its thread busy.
            bent.time.advance(dice.ms(0, 30));
        }
        loop {
            if let Some(wait) = &mut job.wait {
                if wait.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                job.wait = None;
            }
            if job.yields > 0 {
                job.yields -= 1;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if job.waits == 0 {
                break;
            }
            job.waits -= 1;
            job.wait = Some(job.work.timing.wait(dice.ms(0, manner.slowest_ms)));
        }
        if job.hangs {
            if !std::mem::replace(&mut job.hanging, true) {
                job.work.log().hanging += 1;
            }
            return Poll::Pending;
        }
        job.end();
        Poll::Ready(job.result())
    }
}

impl Job {
    fn end(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            let mut log = self.work.log();
            log.in_flight -= 1;
            log.hanging -= u32::from(self.hanging);
        }
    }

    fn result(&self) -> Result<u32, Broken> {
        let (dice, manner) = (&self.work.dice, self.work.manner);
        let fails = dice.chance(manner.fails);
        let mut log = self.work.log();
        let number = log.results.len() as u32;
        log.results.push((self.attempt.index(), number, !fails));
        drop(log);
        if !fails {
            return Ok(number);
        }
        Err(match dice.below(12) {
            _ if dice.chance(manner.odd_errors) => Broken { number, how: self.odd() },
            0..=5 => Broken { number, how: How::Plain },
            6 => Broken::http(number, dice.pick(&[0, 200, 400, 404, 408, 425, 429, 500, 503]), None),
            7 | 8 => Broken::http(number, dice.pick(&[429, 503]), Some(dice.pick(&[0, 1, 20, 300, 90_000]))),
            9 => Broken::grpc(number, dice.pick(&[GrpcCode::Unavailable, GrpcCode::ResourceExhausted])),
            10 => Broken::grpc(number, dice.pick(&[GrpcCode::DeadlineExceeded, GrpcCode::NotFound])),
            _ => Broken { number, how: How::Cancelled(Cancelled) },
        })
    }

    fn odd(&self) -> How {
        match self.work.dice.below(3) {
            0 => How::Unspeakable,
            1 => How::Sourceless,
            _ if std::mem::replace(&mut self.work.log().dropped_badly, true) => How::Plain,
            _ => How::Undroppable,
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.end();
        let panics = !std::thread::panicking() && self.work.dice.chance(self.work.manner.panics);
        if panics && !std::mem::replace(&mut self.work.log().dropped_badly, true) {
            self.work.log().panicked = true;
            OnPurpose::Operation.panic();
        }
    }
}
