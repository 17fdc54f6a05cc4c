//! `bench`: what a call costs, measured by the programs of `benches/`, a workspace of its own.
//!
//! | file | what lives there |
//! |---|---|
//! | `run` | the task: measure all and write the page, show some rows, check, render |
//! | `programs` | building and running the programs of `benches/`, and reading what they print |
//! | `machine`, `weight` | where it ran; what compiling recourse takes and adds |
//! | `figures` | what was found, as data, and as the committed `benches/baseline.json` |
//! | `goals`, `judge` | the list of goals; a goal against the figures of one run |
//! | `spent`, `names` | which functions a call's instructions are in; what those are called, and whose they are |
//! | `page` | the page: its sections, in their order |
//! | `call_tables`, `tables`, `markdown`, `numbers` | its tables, how a table and a number are written |
//! | `check` | figures of now against the committed ones |

mod call_tables;
mod check;
mod figures;
mod goals;
mod judge;
mod machine;
mod markdown;
mod names;
mod numbers;
mod page;
mod programs;
mod run;
mod spent;
mod tables;
mod weight;

pub(crate) use run::run;
