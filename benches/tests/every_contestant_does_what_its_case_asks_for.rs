//! Every contestant does what its case asks for: a runner panics if its calls end otherwise.

use recourse_benches::{CONTESTANTS, Case};

#[test]
fn every_runner_makes_its_calls() {
    for case in Case::ALL {
        let mut ran = 0;
        for contestant in CONTESTANTS {
            if let Some(mut run) = (contestant.prepare)(case) {
                run(1_000);
                ran += 1;
            }
        }
        assert!(ran > 0, "nobody does {}", case.name());
    }
}

#[test]
fn recourse_does_every_case() {
    for case in Case::ALL {
        let recourse = CONTESTANTS.iter().find(|contestant| contestant.name == "recourse");
        assert!(recourse.is_some_and(|recourse| (recourse.prepare)(case).is_some()), "{}", case.name());
    }
}

#[test]
fn a_case_is_found_by_its_name() {
    for case in Case::ALL {
        assert_eq!(Case::named(case.name()), Some(case));
    }
}
