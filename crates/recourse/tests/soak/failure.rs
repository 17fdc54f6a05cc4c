//! [`Broken`]: the errors of the operations here, some of which misbehave.

use crate::mood::OnPurpose;
use recourse::{Cancelled, GrpcCode, GrpcFailure, HttpFailure};
use std::error::Error;
use std::fmt;

/// What an operation fails with; it carries the number of the result.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) number: u32,
    pub(crate) how: How,
}

#[derive(Debug)]
pub(crate) enum How {
    Plain,
    Http(HttpFailure),
    Grpc(GrpcFailure),
    Cancelled(Cancelled),
    /// Its `Display` panics.
    Unspeakable,
    /// Its `source` panics.
    Sourceless,
    /// Its drop panics, unless something unwinds already.
    Undroppable,
}

impl Broken {
    pub(crate) fn http(number: u32, status: u16, retry_after_ms: Option<u64>) -> Self {
        let failure = HttpFailure::new(status, "GET");
        let failure = match retry_after_ms {
            Some(millis) => failure.retry_after(std::time::Duration::from_millis(millis)),
            None => failure,
        };
        Broken { number, how: How::Http(failure) }
    }

    pub(crate) fn grpc(number: u32, code: GrpcCode) -> Self {
        Broken { number, how: How::Grpc(GrpcFailure::new(code)) }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.how {
            How::Unspeakable => OnPurpose::Operation.panic(),
            _ => write!(f, "failure {}", self.number),
        }
    }
}

impl Error for Broken {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.how {
            How::Http(failure) => Some(failure),
            How::Grpc(failure) => Some(failure),
            How::Cancelled(cancelled) => Some(cancelled),
            How::Sourceless => OnPurpose::Operation.panic(),
            _ => None,
        }
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        if matches!(self.how, How::Undroppable) && !std::thread::panicking() {
            OnPurpose::Operation.panic();
        }
    }
}
