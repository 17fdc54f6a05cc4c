//! What repeats exactly and needs no valgrind: the lists of rows and columns, allocations and bytes a call by a counting
//! allocator, the size of a call's future, memory per key.

use allocation_counter::{AllocationInfo, measure};
use recourse_benches::contestants::recourse::{Tracking, call_keys, future_overhead};
use recourse_benches::operation::{PendingOnce, Ready, Wide};
use recourse_benches::{CASES, COLUMNS, Case, Runner, Selection, column};

const CALLS: u64 = 1_000;
/// As many as an executor keeps by default.
const KEYS: usize = 10_000;

fn main() {
    let selection = Selection::of_command_line();
    for case in CASES {
        println!("case\t{}\t{}", case.name, case.title);
    }
    for column in COLUMNS {
        println!("column\t{}\t{}\t{}", column.name, column.does, column.does_not);
    }
    for case in CASES.into_iter().filter(|case| selection.has_case(*case)) {
        let bare = column("bare").and_then(|bare| bare.prepare(case)).and_then(|bare| bare.future_size());
        for column in COLUMNS.iter().filter(|column| selection.has_column(column.name)) {
            if let Some(runner) = column.prepare(case) {
                calls(case, column.name, runner, bare);
            }
        }
    }
    futures("ready at once", future_overhead(Ready));
    futures("pending once", future_overhead(PendingOnce));
    futures("of a kilobyte", future_overhead(Wide));
    for (name, tracking) in Tracking::ALL {
        println!("memory\t{name}\t{}", bytes_per_key(tracking));
    }
}

fn calls(case: Case, column: &str, mut runner: Runner, bare: Option<usize>) {
    runner.run(CALLS);
    let AllocationInfo { count_total, bytes_total, .. } = measure(|| runner.run(CALLS));
    println!("allocations\t{}\t{column}\t{}\t{}", case.name, per_call(count_total), per_call(bytes_total));
    if let Some((size, bare)) = runner.future_size().zip(bare) {
        println!("beyond\t{}\t{column}\t{}", case.name, size.saturating_sub(bare));
    }
}

fn futures(operation: &str, (run, captured): (usize, usize)) {
    println!("future\t{operation}\t{run}\t{captured}");
}

/// Live bytes of a key that has been called once, the first key aside: that one pays for tables too.
fn bytes_per_key(tracking: Tracking) -> i64 {
    let executor = tracking.executor();
    call_keys(&executor, 0, 1);
    let kept = measure(|| call_keys(&executor, 1, KEYS)).bytes_current;
    kept / (KEYS as i64 - 1)
}

/// What was counted in [`CALLS`] calls, for one of them.
fn per_call(counted: u64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    let exact = counted as f64 / CALLS as f64;
    exact
}
