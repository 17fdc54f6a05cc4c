//! [`Progress`]: a bar on a terminal, one plain line anywhere else. Both go to standard error.

use crate::load::PER_SECOND;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::Write;

pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn start(title: &'static str, requests: u32) -> anyhow::Result<Self> {
        let bar = ProgressBar::new(requests.into()).with_message(title);
        bar.set_style(ProgressStyle::with_template("{msg:<9}{wide_bar} {pos} of {len} requests")?);
        if bar.is_hidden() {
            writeln!(std::io::stderr(), "{title}: {requests} requests, {PER_SECOND} per second")?;
        }
        Ok(Progress(bar))
    }

    pub(crate) fn sent_one(&self) {
        self.0.inc(1);
    }

    pub(crate) fn finish(&self) {
        self.0.finish();
        if !self.0.is_hidden() {
            // What is printed next starts on a line of its own, however wide the terminal is.
            let _ = writeln!(std::io::stderr());
        }
    }
}
