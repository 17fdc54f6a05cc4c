//! The project's own tasks. `cargo xtask` lists them; each is a module here.
//!
//! | module | what lives there |
//! |---|---|
//! | `task` | the list of tasks, the command line, exit codes |
//! | `ci`, `test`, `model`, `msrv`, `api`, `graph` | one task or step each |
//! | `fuzz` | the fuzz targets, each for some seconds |
//! | `bench` | what a call costs: measured, written to a page, compared |
//! | `tidy` | the house rules, one a file |
//! | `reference` | the generated pages of `docs/reference` |
//! | `verdict`, `cargo`, `toolchain` | what a task says in the end; running cargo, also another version's |
//! | `repo`, `floors`, `rust_code`, `diff` | the project's files, crates and source as data; texts compared |

// A task talks on the terminal and measures real time; the libraries may do neither.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

mod api;
mod bench;
mod cargo;
mod ci;
mod diff;
mod floors;
mod fuzz;
mod graph;
mod model;
mod msrv;
mod reference;
mod repo;
mod rust_code;
mod task;
mod test;
mod tidy;
mod toolchain;
mod verdict;

fn main() -> std::process::ExitCode {
    task::main(std::env::args().skip(1).collect())
}
