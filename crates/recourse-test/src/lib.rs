//! Test kit for recourse: virtual time, scripted operations, recording observer, timeline expectations.
