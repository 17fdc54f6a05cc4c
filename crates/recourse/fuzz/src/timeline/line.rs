//! `logfmt`: one line, and what a log store reads in it is what the timeline says.

use crate::lines::{assert_one_line, breaks_a_line};
use crate::logfmt_reader::pairs;
use recourse_core::{AttemptRecord, Ending, Timeline};
use recourse_observe::logfmt;

pub(super) fn check(timeline: &Timeline) {
    let line = logfmt(timeline).to_string();
    assert_one_line(&line);
    let read = pairs(&line);
    let (durations, read): (Vec<_>, Vec<_>) = read
        .into_iter()
        .enumerate()
        .partition(|(at, (name, _))| name == "duration_ms" && *at == before_the_duration(timeline));
    let millis: f64 = durations[0].1.1.parse().expect("a duration is a number");
    assert!(
        (millis - timeline.duration().as_secs_f64() * 1e3).abs() <= 0.001_f64.max(millis / 1e12),
        "{line}"
    );
    let read: Vec<(String, String)> = read.into_iter().map(|(_, pair)| pair).collect();
    assert_eq!(read, said(timeline), "{line}");
}

/// How many pairs stand before the duration.
fn before_the_duration(timeline: &Timeline) -> usize {
    5 + usize::from(timeline.stop.is_some()) + usize::from(!timeline.policy_id.is_empty())
}

/// What the timeline says, but for its duration.
fn said(timeline: &Timeline) -> Vec<(String, String)> {
    let count = |which: &dyn Fn(&AttemptRecord) -> bool| {
        timeline.attempts().iter().filter(|record| which(record)).count().to_string()
    };
    let launched = |record: &AttemptRecord| record.ending != Ending::Denied;
    let mut said = vec![("key", timeline.key.to_string())];
    said.push(("outcome", if timeline.is_success() { "success" } else { "failure" }.to_owned()));
    said.extend(timeline.stop.map(|stop| ("stop", stop.to_string())));
    if !timeline.policy_id.is_empty() {
        said.push(("policy_id", timeline.policy_id.to_string()));
    }
    said.push(("attempts", count(&launched)));
    said.push(("hedges", count(&|record| launched(record) && record.is_hedge)));
    said.push(("denied", count(&|record| !launched(record))));
    let mut said: Vec<(String, String)> =
        said.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    said.extend(timeline.attributes.iter().map(|(name, value)| (plain(name), value.to_owned())));
    said.extend(timeline.error.iter().map(|error| ("error".to_owned(), error.to_string())));
    said
}

/// An attribute's name, with `_` for what could end it.
fn plain(name: &str) -> String {
    let ends = |c: char| breaks_a_line(c) || c.is_whitespace() || ['"', '=', '\\'].contains(&c);
    match name {
        "" => "_".to_owned(),
        name => name.replace(ends, "_"),
    }
}
