//! [`Service`]: ten workers behind one queue, which stand still during the outage.

use crate::exponential::exponential;
use crate::storm::{OUTAGE_FROM, OUTAGE_UNTIL};
use crate::town::Town;
use recourse_test::SeededRandom;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

const WORKERS: u64 = 10;

/// So that ten workers answer 300 requests a second.
const SERVICE_TIME: Duration = Duration::from_nanos(33_333_333);

#[derive(Default)]
pub(crate) struct Service {
    queue: RefCell<VecDeque<Rc<Request>>>,
    idle: RefCell<Vec<Waker>>,
}

#[derive(Default)]
struct Request {
    answered: Cell<bool>,
    caller: RefCell<Option<Waker>>,
}

impl Service {
    /// Opens, in this town.
    pub(crate) fn open(town: &Town, seed: u64) -> Rc<Self> {
        let service = Rc::new(Service::default());
        for worker in 0..WORKERS {
            let random = SeededRandom::new(seed.wrapping_mul(1_000).wrapping_add(worker));
            town.spawn(work(service.clone(), town.clone(), random));
        }
        service
    }

    /// Queues a request. It stays there when its caller gives up.
    pub(crate) fn ask(&self) -> impl Future<Output = Result<(), Infallible>> + use<> {
        let request = Rc::new(Request::default());
        self.queue.borrow_mut().push_back(request.clone());
        if let Some(worker) = self.idle.borrow_mut().pop() {
            worker.wake();
        }
        poll_fn(move |cx| {
            if request.answered.get() {
                return Poll::Ready(Ok(()));
            }
            *request.caller.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    /// Requests that no worker has begun with.
    pub(crate) fn backlog(&self) -> usize {
        self.queue.borrow().len()
    }
}

async fn work(service: Rc<Service>, town: Town, mut random: SeededRandom) {
    loop {
        let request = poll_fn(|cx| match service.queue.borrow_mut().pop_front() {
            Some(request) => Poll::Ready(request),
            None => {
                service.idle.borrow_mut().push(cx.waker().clone());
                Poll::Pending
            }
        })
        .await;
        let now = town.time.elapsed();
        if (OUTAGE_FROM..OUTAGE_UNTIL).contains(&now) {
            town.time.wait(OUTAGE_UNTIL - now).await;
        }
        town.time.wait(exponential(&mut random, SERVICE_TIME)).await;
        request.answered.set(true);
        if let Some(caller) = request.caller.borrow_mut().take() {
            caller.wake();
        }
    }
}
