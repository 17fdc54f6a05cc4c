//! What is granted, less what is returned, is what is spent: for every budget, by random scripts and from many threads.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod attempts;
mod clocks_jump;
mod combined_budgets_give_partial_grants_back;
mod extremes_neither_panic_nor_mislead;
mod ratio_holds_at_every_grant;
mod threads_conserve_tokens;
mod tokens_are_conserved;
