//! Policies with any values.

#![cfg_attr(fuzzing, no_main)]

recourse_fuzz::program!(recourse_fuzz::policy_values::check);
