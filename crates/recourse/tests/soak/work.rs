//! [`Work`]: the operation of one call, and what became of its attempts.

use crate::around::Around;
use crate::calls::Way;
use crate::failure::{Broken, How};
use crate::mood::OnPurpose;
use crate::nest::{DEEPEST, Inside, Nest};
use crate::timing::Wait;
use recourse::{Attempt, Cancelled, GrpcCode};
use std::future::Future;
use std::panic::resume_unwind;
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
    /// Attempts make calls of their own.
    pub(crate) nests: f64,
}

/// The operation of one call. Clones share its log.
#[derive(Clone)]
pub(crate) struct Work<'w> {
    pub(crate) nest: Arc<Nest<'w>>,
    way: Way,
    /// In how many calls this one stands.
    depth: u32,
    log: Arc<Mutex<Log>>,
}

/// What an attempt returned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Returned {
    pub(crate) group: u32,
    pub(crate) hedge: u32,
    pub(crate) number: u32,
    pub(crate) is_value: bool,
}

/// What became of the attempts of a call.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) launched: Vec<Attempt>,
    /// When each was, in the world's own time; nothing on tokio.
    pub(crate) launched_at: Vec<Duration>,
    /// How many results there were by then.
    pub(crate) launched_after: Vec<usize>,
    /// What runs round the call, as soon as it was polled.
    pub(crate) around: Option<Around>,
    /// For a while nobody polled it.
    pub(crate) was_left: bool,
    pub(crate) in_flight: u32,
    pub(crate) most_in_flight: u32,
    /// Attempts that are pending for ever.
    pub(crate) hanging: u32,
    /// What each attempt returned, in order.
    pub(crate) results: Vec<Returned>,
    /// A drop has panicked: one a call, because two at once end the process.
    dropped_badly: bool,
    pub(crate) panicked: bool,
    /// The call is over: nothing may be launched any more.
    pub(crate) over: bool,
    pub(crate) faults: Vec<String>,
}

impl<'w> Work<'w> {
    pub(crate) fn new(nest: &Arc<Nest<'w>>, way: Way, depth: u32) -> Self {
        Work { nest: nest.clone(), way, depth, log: Arc::default() }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn shared_log(&self) -> Arc<Mutex<Log>> {
        self.log.clone()
    }

    /// Something is not as it must be.
    pub(crate) fn fault(&self, what: String) {
        self.log().faults.push(what);
    }

    /// The call is about to be polled here, and was told of this.
    pub(crate) fn is_polled(&self, told: Around) {
        let here = self.nest.around().and(told);
        let mut log = self.log();
        // It takes note of that once.
        log.around.get_or_insert(here);
    }

    /// An attempt is launched; panics now and then.
    pub(crate) fn attempt(&self, attempt: Attempt) -> Job<'w> {
        let nest = &self.nest;
        let policy = nest.policies.of(attempt.policy_id());
        let mut log = self.log();
        if log.over {
            log.faults.push(format!("launched after the end of the call: {attempt:?}"));
        }
        let around = log.around.unwrap_or(Around::NOTHING);
        let inside = around.inside(attempt, policy.as_ref(), self.way.may_hedge());
        let inside = inside.unwrap_or_else(|wrong| {
            log.faults.push(format!("{attempt:?} {wrong}; round its call is {around:?}"));
            around
        });
        nest.is_launched(attempt);
        let results = log.results.len();
        log.launched.push(attempt);
        log.launched_after.push(results);
        log.launched_at.extend(nest.timing.bent().map(|bent| bent.time.elapsed()));
        if nest.dice.chance(nest.manner.panics) {
            log.panicked = true;
            drop(log);
            OnPurpose::Operation.panic();
        }
        log.in_flight += 1;
        log.most_in_flight = log.most_in_flight.max(log.in_flight);
        drop(log);
        let dice = &nest.dice;
        let to_make = self.depth < DEEPEST && dice.chance(nest.manner.nests);
        let mut job = Job {
            work: self.clone(),
            attempt,
            inside,
            yields: if dice.chance(0.3) { dice.small(1, 3) } else { 0 },
            waits: if dice.chance(0.6) { dice.small(1, 2) } else { 0 },
            wait: None,
            to_make,
            awaits: dice.chance(0.7),
            errand: None,
            hangs: dice.chance(nest.manner.hangs),
            hanging: false,
            ended: false,
        };
        if to_make && dice.chance(0.5) {
            job.make();
        }
        job
    }
}

/// One attempt.
pub(crate) struct Job<'w> {
    work: Work<'w>,
    attempt: Attempt,
    /// What runs round calls in it.
    inside: Around,
    yields: u32,
    waits: u32,
    wait: Option<Wait>,
    /// It makes a call of its own as soon as it is polled.
    to_make: bool,
    /// It doesn't return before that is over.
    awaits: bool,
    /// A call inside of it.
    errand: Option<Inside<'w>>,
    hangs: bool,
    hanging: bool,
    ended: bool,
}

/// Puts back what ran round the code before.
struct Before<'n, 'w>(&'n Nest<'w>, Around);

impl Drop for Before<'_, '_> {
    fn drop(&mut self) {
        self.0.set_around(self.1);
    }
}

impl Future for Job<'_> {
    type Output = Result<u32, Broken>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let nest = self.work.nest.clone();
        let _before = Before(&nest, nest.set_around(self.inside));
        self.look_around();
        let polled = self.go_on(cx);
        self.look_around();
        polled
    }
}

impl Job<'_> {
    fn go_on(&mut self, cx: &mut Context<'_>) -> Poll<Result<u32, Broken>> {
        let job = self;
        let (nest, manner) = (job.work.nest.clone(), job.work.nest.manner);
        let dice = &nest.dice;
        if job.ended {
            job.work.fault(format!("polled after its end: {:?}", job.attempt));
            return Poll::Pending;
        }
        if dice.chance(manner.panics) {
            job.panics();
            OnPurpose::Operation.panic();
        }
        if let Some(bent) = nest.timing.bent().filter(|_| manner.is_busy && dice.chance(0.02)) {
            // It keeps its thread busy.
            bent.time.advance(dice.ms(0, 30));
        }
        if job.to_make {
            job.make();
        }
        if job.run_errand(cx).is_pending() {
            return Poll::Pending;
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
            job.wait = Some(nest.timing.wait(dice.ms(0, manner.slowest_ms)));
        }
        if job.hangs {
            job.hang(true);
            return Poll::Pending;
        }
        job.end();
        Poll::Ready(job.result())
    }

    /// The library knows what runs round this code.
    fn look_around(&self) {
        if let Some(mistake) = self.work.nest.mistakes_around() {
            self.work.fault(format!("in {:?}: {mistake}", self.attempt));
        }
    }

    /// Makes the call inside of this attempt, or takes over one that was left behind.
    fn make(&mut self) {
        self.to_make = false;
        self.errand = self.work.nest.inside(self.work.depth + 1);
    }

    /// Pending where the call inside of this attempt is to be waited for.
    fn run_errand(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(errand) = &mut self.errand else { return Poll::Ready(()) };
        let dice = self.work.nest.dice.clone();
        if self.work.log().was_left {
            errand.work.log().was_left = true;
        }
        let polled = errand.poll(cx);
        let hangs = errand.work.log().hanging > 0;
        self.look_around();
        match polled {
            Poll::Pending if dice.chance(0.05) => self.leave_errand(),
            Poll::Pending if self.awaits => {
                self.hang(hangs);
                return Poll::Pending;
            }
            Poll::Pending => {}
            Poll::Ready(ended) => {
                self.errand = None;
                if let Err(panic) = ended {
                    // Its caller goes down with it, or takes it for a failure.
                    if !OnPurpose::is(&*panic) || dice.chance(0.5) {
                        self.panics();
                        resume_unwind(panic);
                    }
                }
            }
        }
        self.hang(false);
        Poll::Ready(())
    }

    fn leave_errand(&mut self) {
        if let Some(errand) = self.errand.take() {
            self.work.nest.leave(errand);
        }
    }

    /// Whether it is pending for ever.
    fn hang(&mut self, hangs: bool) {
        let before = std::mem::replace(&mut self.hanging, hangs);
        let mut log = self.work.log();
        log.hanging = log.hanging + u32::from(hangs) - u32::from(before);
    }

    fn panics(&mut self) {
        self.end();
        self.work.log().panicked = true;
    }

    fn end(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            self.hang(false);
            self.work.log().in_flight -= 1;
        }
    }

    fn result(&self) -> Result<u32, Broken> {
        let (dice, manner) = (&self.work.nest.dice, self.work.nest.manner);
        let fails = dice.chance(manner.fails);
        let mut log = self.work.log();
        let number = log.results.len() as u32;
        let (group, hedge) = (self.attempt.index(), self.attempt.hedge_index());
        log.results.push(Returned { group, hedge, number, is_value: !fails });
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
        match self.work.nest.dice.below(3) {
            0 => How::Unspeakable,
            1 => How::Sourceless,
            _ if std::mem::replace(&mut self.work.log().dropped_badly, true) => How::Plain,
            _ => How::Undroppable,
        }
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        self.end();
        self.leave_errand();
        let (dice, panics) = (&self.work.nest.dice, self.work.nest.manner.panics);
        let panics = !std::thread::panicking() && dice.chance(panics);
        if panics && !std::mem::replace(&mut self.work.log().dropped_badly, true) {
            self.work.log().panicked = true;
            OnPurpose::Operation.panic();
        }
    }
}
