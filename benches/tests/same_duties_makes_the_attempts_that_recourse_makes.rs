//! What is written by hand for one row makes, polls and drops the same attempts as recourse, also where nothing goes as in
//! the bench: hedges are launched, attempts run out of their time, breakers open, budgets deny.

use recourse_benches::case::{Kind, Setup};
use recourse_benches::contestants::{Recourse, SameDuties};
use recourse_benches::operation::{Answer, Failed, FailingAttempt, Operation};
use recourse_benches::{Case, Contestant, Runner};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What an attempt does at its polls: `p` had to wait, `e` fails; the last one again and again.
type Script = &'static [&'static str];

thread_local! {
    static SCRIPT: Cell<Script> = const { Cell::new(&[]) };
    static STARTED: Cell<usize> = const { Cell::new(0) };
    static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

#[derive(Clone, Copy)]
struct Scripted {
    /// How many attempts the case wants to have failed.
    counted: usize,
}

struct Act {
    number: usize,
    polls: usize,
}

fn see(what: &str, number: usize) {
    SEEN.with_borrow_mut(|seen| seen.push(format!("{what}{number}")));
}

impl Operation for Scripted {
    type Attempt = Act;

    fn call(self) -> Act {
        let number = STARTED.replace(STARTED.get() + 1);
        if number < self.counted {
            let _ = Pin::new(&mut FailingAttempt).poll(&mut Context::from_waker(std::task::Waker::noop()));
        }
        see("start", number);
        Act { number, polls: 0 }
    }
}

impl Future for Act {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Answer> {
        see("poll", self.number);
        let script = SCRIPT.get();
        let acts = script[self.number % script.len()].as_bytes();
        let act = acts[self.polls.min(acts.len() - 1)];
        self.polls += 1;
        if act == b'p' { Poll::Pending } else { Poll::Ready(Err(Failed)) }
    }
}

impl Drop for Act {
    fn drop(&mut self) {
        see("drop", self.number);
    }
}

/// What a few calls do, one after the other.
fn trace<C: Contestant>(setup: Setup, script: Script) -> Vec<String> {
    let case = Case { name: "scripted", title: "scripted", setup, operation: Kind::Failing };
    let operation = Scripted { counted: usize::try_from(case.failing_attempts()).unwrap_or(0) };
    SCRIPT.set(script);
    STARTED.set(0);
    SEEN.take();
    // A runner that is made has made one call.
    let mut runner: Runner = C::prepare(case, operation).expect("a case that both can do");
    // A breaker has opened by then.
    for _ in 0..if setup == Setup::All { 0 } else { 3 } {
        STARTED.set(0);
        SEEN.with_borrow_mut(|seen| seen.push("call".to_owned()));
        runner.run(1);
    }
    SEEN.take()
}

fn alike(setup: Setup, script: Script) -> Vec<String> {
    let (ours, by_hand) = (trace::<Recourse>(setup, script), trace::<SameDuties>(setup, script));
    assert_eq!(ours, by_hand, "{setup:?} {script:?}");
    ours
}

#[test]
fn attempts_follow_each_other_alike() {
    for script in [&["e"][..], &["pe"], &["ppe", "e", "pe"]] {
        alike(Setup::Retry, script);
        alike(Setup::Timeout, script);
        alike(Setup::Budget, script);
    }
}

#[test]
fn attempts_run_out_of_their_time_alike() {
    for script in [&["p"][..], &["p", "e"], &["e", "p"]] {
        let seen = alike(Setup::Timeout, script);
        assert!(seen.contains(&"start2".to_owned()), "{seen:?}");
    }
}

#[test]
fn hedges_race_alike() {
    for script in [&["pe", "e", "e"][..], &["pppe", "ppe", "pe"], &["e", "pe"], &["ppe", "e", "pppe"]] {
        let seen = alike(Setup::Hedge, script);
        assert!(seen.contains(&"start3".to_owned()), "{seen:?}");
    }
}

#[test]
fn a_call_with_all_of_it_goes_alike() {
    for script in [&["pe", "e", "e"][..], &["p"], &["p", "pe"], &["pe", "p", "p"]] {
        let seen = alike(Setup::All, script);
        assert!(seen.contains(&"start1".to_owned()), "{seen:?}");
    }
}
