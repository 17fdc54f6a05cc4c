//! What a server says of when to come back, from its header to the call that obeys.

#![cfg_attr(fuzzing, no_main)]

recourse_fuzz::program!(recourse_fuzz::retry_after::check);
