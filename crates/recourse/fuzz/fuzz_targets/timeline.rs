//! Timelines of any content, printed.

#![cfg_attr(fuzzing, no_main)]

recourse_fuzz::program!(recourse_fuzz::timeline::check);
