//! The process-wide executor that was set before its first use: a process of its own, for it is set once a process.
#![allow(clippy::unwrap_used, reason = "a test may")]

use recourse::{Executor, Policy, StopReason};
use recourse_test::{RecordingObserver, VirtualTime};
use std::future::ready;
use std::io;

#[test]
fn it_works_once_and_from_then_on_every_call_goes_there() {
    let (time, observer) = (VirtualTime::new(), RecordingObserver::new());
    let build = |attempts| {
        let builder =
            Executor::builder().clock(time.clone()).sleeper(time.clone()).observer(observer.clone());
        builder.policy("payments.Charge", Policy::new().max_attempts(attempts)).build().unwrap()
    };
    recourse::set_default(build(4)).unwrap();

    let down = || ready(Err::<u32, _>(io::Error::other("down")));
    let error = time.run(recourse::run("payments.Charge", |_| down())).unwrap_err();
    assert_eq!((error.stop_reason(), error.attempts()), (StopReason::AttemptsExhausted, 4));
    let (result, timeline) =
        time.run(recourse::call("payments.Charge").run_captured(|_| ready(Ok::<_, io::Error>(7))));
    assert_eq!((result.unwrap(), timeline.attributes.get("policy_source")), (7, Some("static")));
    assert_eq!(observer.starts().len(), 2);

    // Its own modes hold: nothing falls back to the default policy here.
    let error = time.run(recourse::run("another.Key", |_| down())).unwrap_err();
    assert_eq!(error.stop_reason(), StopReason::NoPolicy);

    let back = recourse::set_default(build(5)).unwrap_err().into_executor();
    assert_eq!(back.explain("payments.Charge").unwrap().worst_case_attempts, 5);
    assert_eq!(recourse::default_executor().explain("payments.Charge").unwrap().worst_case_attempts, 4);
}
