//! [`Town`]: many tasks on one thread, in virtual time. Each is polled when something has woken it.

use recourse_test::VirtualTime;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};

/// A task, and what wakes it.
type Task = (Pin<Box<dyn Future<Output = ()>>>, Arc<Bell>);

/// Clones share the tasks.
#[derive(Clone, Default)]
pub(crate) struct Town {
    pub(crate) time: VirtualTime,
    inner: Rc<Inner>,
}

#[derive(Default)]
struct Inner {
    tasks: RefCell<Vec<Option<Task>>>,
    free: RefCell<Vec<usize>>,
    ready: Arc<Mutex<VecDeque<usize>>>,
    over: Cell<bool>,
}

/// Puts its task among those that are ready, once.
struct Bell {
    task: usize,
    rings: AtomicBool,
    ready: Arc<Mutex<VecDeque<usize>>>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if !self.rings.swap(true, Ordering::Relaxed) {
            self.ready.lock().unwrap().push_back(self.task);
        }
    }
}

impl Town {
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let (mut tasks, mut free) = (self.inner.tasks.borrow_mut(), self.inner.free.borrow_mut());
        let number = free.pop().unwrap_or_else(|| {
            tasks.push(None);
            tasks.len() - 1
        });
        let bell = Bell { task: number, rings: AtomicBool::new(true), ready: self.inner.ready.clone() };
        tasks[number] = Some((Box::pin(task), Arc::new(bell)));
        self.inner.ready.lock().unwrap().push_back(number);
    }

    /// Runs everybody until somebody calls [`end`](Self::end).
    pub(crate) fn run(&self) {
        while !self.inner.over.get() {
            let next = self.inner.ready.lock().unwrap().pop_front();
            match next {
                Some(number) => self.poll(number),
                None => assert!(self.time.advance_to_next(), "nobody waits for anything"),
            }
        }
        // Tasks hold the town, and the town its tasks.
        self.inner.tasks.borrow_mut().clear();
    }

    pub(crate) fn end(&self) {
        self.inner.over.set(true);
    }

    fn poll(&self, number: usize) {
        // Taken out while it is polled, because it may spawn another.
        let Some((mut task, bell)) = self.inner.tasks.borrow_mut()[number].take() else { return };
        bell.rings.store(false, Ordering::Relaxed);
        let waker = Waker::from(bell.clone());
        match task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            true => self.inner.free.borrow_mut().push(number),
            false => self.inner.tasks.borrow_mut()[number] = Some((task, bell)),
        }
    }
}
