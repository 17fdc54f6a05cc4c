//! Allocations and bytes a call, by a counting allocator, and the size of the call's future.

use allocation_counter::measure;
use recourse_benches::contestants::recourse::future_overhead;
use recourse_benches::operation::{PendingOnce, Ready, Wide};
use recourse_benches::{CONTESTANTS, Case};

const CALLS: u64 = 1_000;

fn main() {
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    println!("{:<20} {:<22} {:>12} {:>12}", "case", "contestant", "allocations", "bytes");
    for case in Case::ALL.into_iter().filter(|case| case.name().contains(&wanted)) {
        for contestant in CONTESTANTS {
            let Some(mut run) = (contestant.prepare)(case) else {
                continue;
            };
            run(CALLS);
            let counted = measure(|| run(CALLS));
            let (count, bytes) = (per_call(counted.count_total), per_call(counted.bytes_total));
            println!("{:<20} {:<22} {count:>12} {bytes:>12}", case.name(), contestant.name);
        }
    }
    println!();
    println!("bytes of a call's future beyond the operation's own, by handle (run, run_captured):");
    println!("  an operation that is ready at once: {:?}", future_overhead(Ready));
    println!("  an operation that is pending once:  {:?}", future_overhead(PendingOnce));
    println!("  an operation of a kilobyte:         {:?}", future_overhead(Wide));
}

/// What was counted in [`CALLS`] calls, for one of them.
fn per_call(counted: u64) -> String {
    if counted.is_multiple_of(CALLS) {
        return (counted / CALLS).to_string();
    }
    #[allow(clippy::cast_precision_loss, reason = "small numbers, shown with three digits")]
    let exact = counted as f64 / CALLS as f64;
    format!("{exact:.3}")
}
