//! Resilience for Rust services: a policy for each key decides retries, timeouts, budgets, hedging and circuit breaking.
