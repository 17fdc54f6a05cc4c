//! Any cost, any moment, any order: no overflow, and what `would_deny` says comes true.

use crate::attempts::{Attempt, Done, adaptive, one_of_each, play, play_asking, script};
use proptest::prelude::*;
use recourse_core::AttemptKind;

fn costs() -> impl Strategy<Value = u32> + Clone {
    prop_oneof![Just(0), 1..10u32, Just(u32::MAX), any::<u32>()]
}

fn times() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![Just(0), 0..200_000_000_000u64, Just(u64::MAX), any::<u64>()]
}

proptest! {
    #[test]
    fn every_budget_bears_every_script(lines in script(costs(), times())) {
        for budget in one_of_each() {
            play(&budget, &lines, |_, _| {});
        }
        play_asking(Attempt::ask_for_a_lot, &adaptive(), &lines, |_, _| {});
    }

    #[test]
    fn refunds_and_ends_that_belong_to_nothing_are_borne(
        attempts in prop::collection::vec((any::<u32>(), any::<bool>(), costs(), any::<bool>()), 0..50),
        how in crate::attempts::how(),
    ) {
        for budget in one_of_each().into_iter().chain([adaptive()]) {
            for &(index, hedge, cost, refund) in &attempts {
                let kind = if hedge { AttemptKind::Hedge } else { AttemptKind::Retry };
                let attempt = Attempt { index, kind, cost, after_timeout: refund };
                let nothing = recourse_core::Decision::allow();
                if refund { attempt.refund(&budget, nothing) } else { attempt.end(&budget, nothing, how) }
            }
            Attempt::RETRY.ask_for_a_lot(&budget, u64::MAX);
        }
    }
}

#[test]
fn first_attempts_are_denied_by_the_budgets_that_gate_them_alone() {
    for (place, budget) in [adaptive()].into_iter().chain(one_of_each()).enumerate() {
        let mut denied = false;
        for nanos in 0..2_000 {
            denied |= !Attempt::FIRST.costing(u32::MAX).ask_for_a_lot(&budget, nanos).allowed;
        }
        // The adaptive throttle and the gated bucket.
        assert_eq!(denied, [0, 2].contains(&place), "{place}");
    }
}

#[test]
fn a_script_that_only_asks_ends_with_everything_told() {
    for budget in one_of_each() {
        let (mut allowed, mut ended) = (0, 0);
        let lines: Vec<_> = (0..40)
            .map(|turn| if turn % 2 == 0 { Attempt::FIRST } else { Attempt::HEDGE })
            .map(crate::attempts::Line::Ask)
            .collect();
        play(&budget, &lines, |done, _| match done {
            Done::Allowed(_) => allowed += 1,
            Done::Ended(..) => ended += 1,
            _ => {}
        });
        assert_eq!(allowed, ended);
    }
}
