//! Circuit breakers for recourse.
