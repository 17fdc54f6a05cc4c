//! [`own_memory`]: which memory is a thread's own, so that no other thread can wait for what it stores there.

use crate::elf::{Place, place};
use crate::lackey::range;
use std::cell::Cell;
use std::ops::Range;
use std::{env, fs};

thread_local! {
    /// Says where the thread-locals of a thread lie.
    static OWN_MEMORY_MARK: Cell<u8> = const { Cell::new(0) };
}

/// Where the mark lies among the thread-locals of this program.
///
/// # Panics
///
/// If the program's file doesn't say it.
pub fn place_of_mark() -> Place {
    let program = env::current_exe().and_then(fs::read).expect("a program can be read");
    place(&program, "OWN_MEMORY_MARK").expect("an ELF file with its symbols")
}

/// The main thread's stack as far as it has grown, and its block of the program's thread-locals, to the byte: beside that
/// lies what others may share.
///
/// # Panics
///
/// If the kernel doesn't list what is mapped.
pub fn own_memory(mark: Place) -> [Range<u64>; 2] {
    let mapped = fs::read_to_string("/proc/self/maps").expect("the kernel lists what is mapped");
    let local = 0_u8;
    let local = (&raw const local).addr() as u64;
    let mut mapped = mapped.lines().filter_map(|line| range(line.split(' ').next()?));
    let stack = mapped.find(|range| range.contains(&local)).expect("a stack is mapped");
    let thread_locals = OWN_MEMORY_MARK.with(|mark| (&raw const *mark).addr() as u64) - mark.at;
    [stack, thread_locals..thread_locals + mark.of]
}
