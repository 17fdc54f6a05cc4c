//! Budgets for recourse: gates that keep retries and hedges from becoming a storm.
