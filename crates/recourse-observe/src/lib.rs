//! Observers for recourse: fan-out, capture and one-line rendering.
