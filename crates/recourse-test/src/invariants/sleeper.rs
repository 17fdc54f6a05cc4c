//! What every sleeper must keep to.

use super::unwinding::survives;
use recourse_core::Sleeper;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

/// How long it is asked to sleep.
const SLEEP: Duration = Duration::from_millis(100);

/// Asserts that a sleep is over when its time has passed and no earlier, that whoever polled it last is woken then, once,
/// and that nobody is once it is dropped. If it has [timers](Sleeper::timer) that are set again, the same goes for each
/// setting: one that is set to a later time does not go off at the earlier one.
///
/// `pass` lets so much time pass, and whatever wakes sleepers have its turn.
///
/// ```
/// use recourse_test::{VirtualTime, invariants};
///
/// let time = VirtualTime::new();
/// invariants::sleeper_wakes_in_time(&time, |time_to_pass| time.advance(time_to_pass));
/// ```
///
/// # Panics
///
/// If that is not so. Sleeps last a tenth of a second, and time is let pass in steps of no less than half of that: a sleeper
/// that goes by the clock on the wall is taken for early if the machine is busy for that long. Paused time is not.
#[track_caller]
pub fn sleeper_wakes_in_time(sleeper: &dyn Sleeper, mut pass: impl FnMut(Duration)) {
    let asked = |what: &str| format!("{what} of {SLEEP:?}");
    let mut sleep = survives("sleep", || sleeper.sleep(SLEEP));
    goes_off_once(sleep.as_mut(), &asked("a sleep"), &mut pass);
    drop(sleep);

    let mut dropped = survives("sleep", || sleeper.sleep(SLEEP));
    let wakes = Wakes::default();
    assert!(wakes.polls(dropped.as_mut()).is_pending(), "{} was over at once", asked("a sleep"));
    survives("the drop of a sleep", || drop(dropped));
    pass(SLEEP * 2);
    assert!(wakes.count() == 0, "{} that was dropped woke somebody all the same", asked("a sleep"));

    let Some(mut timer) = survives("timer", || sleeper.timer(SLEEP, None)) else { return };
    goes_off_once(timer.as_mut(), &asked("a timer"), &mut pass);
    survives("set", || timer.as_mut().set(SLEEP, None));
    goes_off_once(timer.as_mut(), &asked("a timer that had gone off and was set again,"), &mut pass);
    survives("set", || timer.as_mut().set(SLEEP / 2, None));
    assert!(wakes.polls(timer.as_mut()).is_pending(), "a timer that was set again was over at once");
    survives("set", || timer.as_mut().set(SLEEP, None));
    goes_off_once(timer.as_mut(), &asked("a timer that was set to a later time,"), &mut pass);
}

/// From its making to its end; half of its time is let pass before the rest.
#[track_caller]
fn goes_off_once<F>(mut sleep: Pin<&mut F>, what: &str, pass: &mut impl FnMut(Duration))
where
    F: Future<Output = ()> + ?Sized,
{
    let (first, last) = (Wakes::default(), Wakes::default());
    assert!(first.polls(sleep.as_mut()).is_pending(), "{what} was over at once");
    pass(SLEEP / 2);
    let half = SLEEP / 2;
    assert!(first.count() == 0, "{what} woke somebody after {half:?}");
    assert!(last.polls(sleep.as_mut()).is_pending(), "{what} was over after {half:?}");
    pass(SLEEP);
    let (woken, told) = (last.count(), first.count());
    assert!(woken > 0, "{what} never woke who polled it last; who polled it before was woken {told} time(s)");
    assert!(woken == 1, "{what} woke who polled it last {woken} times");
    assert!(last.polls(sleep).is_ready(), "{what} woke who polled it last, and was not over");
}

/// Counts how often it was woken.
#[derive(Default)]
struct Wakes(Arc<Count>);

#[derive(Default)]
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Wakes {
    #[track_caller]
    fn polls<F: Future<Output = ()> + ?Sized>(&self, sleep: Pin<&mut F>) -> Poll<()> {
        let waker = Waker::from(self.0.clone());
        survives("the poll of a sleep", || sleep.poll(&mut Context::from_waker(&waker)))
    }

    fn count(&self) -> u32 {
        self.0.0.load(SeqCst)
    }
}
