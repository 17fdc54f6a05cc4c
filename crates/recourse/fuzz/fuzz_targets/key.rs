//! Texts as keys.

#![cfg_attr(fuzzing, no_main)]

recourse_fuzz::program!(recourse_fuzz::key::check);
