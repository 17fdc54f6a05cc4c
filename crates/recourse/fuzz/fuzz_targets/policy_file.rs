//! Texts as policy files.

#![cfg_attr(fuzzing, no_main)]

recourse_fuzz::program!(recourse_fuzz::policy_file::check);
