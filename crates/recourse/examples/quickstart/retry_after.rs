//! [`retry_after()`]: when a server wants to be asked again.

use std::time::{Duration, SystemTime};

/// `Retry-After` is a number of seconds or a date (RFC 9110, section 10.2.3). The date is the server's, so it is
/// compared with the server's own `Date`: two clocks need not agree.
pub(crate) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than can be counted are a long wait, and not leave to come back at once.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let when = |text| -> Option<SystemTime> { httpdate::parse_http_date(text).ok() };
    when(value)?.duration_since(when(date?)?).ok()
}
