//! A program of `docs/guide/testing.md`, word for word, up to its test.

use recourse::{Executor, Policy};
use recourse_test::{Script, VirtualTime, expect};

fn main() {
    let time = VirtualTime::new();
    let executor = Executor::builder()
        .clock(time.clone())
        .sleeper(time.clone())
        .seed(1)
        .policy("reports.Export", Policy::new())
        .build()
        .unwrap();
    let export = Script::fails(2).then_ok(7).on(&time);
    let (_, timeline) =
        time.run(executor.call("reports.Export").run_captured(|attempt| export.call(attempt)));
    expect(&timeline).success().attempts(2);
}

#[test]
fn it_panics_what_its_page_says() {
    crate::it_panics("docs/guide/testing.md", file!(), main);
}
