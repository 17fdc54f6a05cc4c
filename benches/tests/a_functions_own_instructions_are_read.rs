//! A function's own instructions are read from callgrind's file, without those of what it calls.

use recourse_benches::callgrind::own_costs;

const FILE: &str = "\
# callgrind format
version: 1
cmd:  ./program --count plain recourse 1000
positions: line
events: Ir
summary: 1234

ob=/somewhere/program
fl=???
fn=judge
0 42
cob=/lib/libc.so.6
cfi=./malloc/malloc.c
cfn=malloc
calls=2 0
0 500
0 8

ob=/lib/libc.so.6
fl=./malloc/malloc.c
fn=malloc
10 400
fi=./malloc/arena.c
11 100

ob=/somewhere/program
fl=other.rs
fn=judge
7 5
calls=1 0
7 100

totals: 1234
";

fn own() -> Vec<(String, String, u64)> {
    let costs = own_costs(FILE).into_iter();
    costs.map(|(function, cost)| (function.name, function.object, cost)).collect()
}

#[test]
fn what_a_function_calls_is_not_its_own_and_its_parts_are_added_up() {
    assert_eq!(
        own(),
        [
            ("judge".to_owned(), "program".to_owned(), 42 + 8 + 5),
            ("malloc".to_owned(), "libc.so.6".to_owned(), 400 + 100),
        ]
    );
}

#[test]
fn what_is_no_profile_has_no_functions() {
    assert!(own_costs("").is_empty());
    assert!(own_costs("1 2\ntotals: 3\n").is_empty());
}
