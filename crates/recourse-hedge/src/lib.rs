//! Hedge triggers for recourse, and the latency window that they read.
