//! `tidy`: the house rules that a program can check, one a file. [`run()`] prints what each finds.

mod clocks;
mod cycles;
mod dependency_page;
mod leftovers;
mod links;
mod manifests;
mod module_graph;
mod rules;
mod shape;
mod weight;
mod words;

pub(crate) use self::rules::run;
