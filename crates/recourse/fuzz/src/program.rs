//! [`program!`](crate::program): the program of a target, with a fuzzer or without.

use crate::Check;
use std::process::ExitCode;

/// The program of a target. Built by `cargo fuzz`, it is the fuzzer; otherwise it tries the files that are named on its
/// command line, so that what a fuzzer has found can be looked at with any toolchain.
#[macro_export]
macro_rules! program {
    ($check:path) => {
        #[cfg(fuzzing)]
        use $crate::libfuzzer_sys;

        #[cfg(fuzzing)]
        $crate::libfuzzer_sys::fuzz_target!(|input: &[u8]| $check(input));

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::replay($check)
        }
    };
}

/// Tries each file that is named on the command line.
#[must_use]
pub fn replay(check: Check) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for path in std::env::args().skip(1) {
        match std::fs::read(&path) {
            Ok(input) => check(&input),
            Err(error) => {
                eprintln!("{path}: {error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
