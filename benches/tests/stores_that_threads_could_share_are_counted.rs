//! Stores are counted that fall on memory which is not a thread's own.

use recourse_benches::lackey::foreign_stores;

const TRACE: &str = "\
==7== Lackey, an example Valgrind tool
I  0401ab70,3
 S 04036438,8
stores: own 1ffeffe000-1fff001000 4b28018-4b282c0
 S 04036438,8
stores: recourse 8
I  0401ab70,3
 S 1fff000ff8,8
 L 04036438,8
 S 1fff000ffc,8
 M 04036438,8
 S 04b28018,1
 S 04b28017,1
 M 04b282b8,8
 S 04b282c0,4
the program has something to say
stores: over
I  0401ab70,3
==7==
";

#[test]
fn a_store_counts_if_any_of_it_is_outside_of_all_ranges() {
    let found = foreign_stores(TRACE.as_bytes()).unwrap();
    // One over the stack's end, the one that reads too, and one before and one behind the thread-locals.
    let told = [("own 1ffeffe000-1fff001000 4b28018-4b282c0", 1), ("recourse 8", 4), ("over", 0)];
    assert_eq!(found.stretches, told.map(|(told, stores)| (told.to_owned(), stores)));
    assert_eq!(found.rest, "the program has something to say\n");
}

#[test]
fn without_ranges_every_store_counts() {
    let found = foreign_stores(&b"stores: few\n S 1fff000ff8,8\n"[..]).unwrap();
    assert_eq!(found.stretches, [("few".to_owned(), 1)]);
    assert_eq!(foreign_stores(&b""[..]).unwrap().stretches, []);
}
