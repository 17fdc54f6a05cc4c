//! What is taken for a thread's own memory: its stack and its thread-local variables, and nothing on the heap.

#![cfg(target_os = "linux")]

use recourse_benches::elf::place;
use recourse_benches::own::{own_memory, place_of_mark};
use std::cell::Cell;
use std::sync::atomic::AtomicU64;

thread_local! {
    static ANOTHER: Cell<[u64; 9]> = const { Cell::new([0; 9]) };
}

static SHARED: AtomicU64 = AtomicU64::new(0);

fn address<T>(of: &T) -> u64 {
    (&raw const *of).addr() as u64
}

#[test]
fn all_thread_locals_of_the_program_are_in_the_block_and_nothing_else_is() {
    let mark = place_of_mark();
    let [stack, block] = own_memory(mark);
    assert!(mark.at < mark.of && block.end - block.start == mark.of);
    assert!(block.contains(&ANOTHER.with(address)));
    assert!(stack.contains(&address(&mark)));
    assert!(!block.contains(&address(&mark)));
    assert!(!block.contains(&address(&*Box::new(0_u64))));
    assert!(!block.contains(&address(&SHARED)) && !stack.contains(&address(&SHARED)));
}

#[test]
fn the_place_is_where_the_variable_lies() {
    let mark = place_of_mark();
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let another = place(&program, "ANOTHER").unwrap();
    let [_, block] = own_memory(mark);
    assert_eq!(block.start + another.at, ANOTHER.with(address));
    assert_eq!(another.of, mark.of);
}

#[test]
fn a_name_that_none_or_several_have_has_no_place() {
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    assert_eq!(place(&program, "NOBODYS_NAME"), None);
    assert_eq!(place(&program, "RUST_STD_INTERNAL"), None);
    assert_eq!(place(b"no ELF file", "ANOTHER"), None);
}
