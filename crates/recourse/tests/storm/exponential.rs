//! Exponential times, the same on every machine: no function of the machine's own library is called.

use recourse_test::SeededRandom;
use std::time::Duration;

/// A time that is exponential with this mean.
pub(crate) fn exponential(random: &mut SeededRandom, mean: Duration) -> Duration {
    // From 2^-53 to 1, so that the logarithm is finite.
    let uniform = (random.number(0..=(1 << 53) - 1) + 1) as f64 / (1u64 << 53) as f64;
    mean.mul_f64(-logarithm(uniform))
}

/// The natural logarithm of a number in (0, 1].
fn logarithm(number: f64) -> f64 {
    // number = part * 2^-halvings, with a part in (1/2, 1].
    let (mut part, mut halvings) = (number, 0.0);
    while part <= 0.5 {
        part *= 2.0;
        halvings += 1.0;
    }
    // ln(part) = 2 artanh(y), whose series ends quickly: |y| <= 1/3.
    let y = (part - 1.0) / (part + 1.0);
    let (mut power, mut sum) = (y, 0.0);
    for odd in (1..60).step_by(2) {
        sum += power / f64::from(odd);
        power *= y * y;
    }
    2.0 * sum - halvings * std::f64::consts::LN_2
}

#[test]
fn the_logarithm_is_one_and_the_mean_is_the_mean() {
    for number in [1.0, 0.9, 0.5, 0.3, 0.01, 1e-9, 1.0 / (1u64 << 53) as f64] {
        assert!((logarithm(number) - f64::ln(number)).abs() < 1e-12, "{number}");
    }
    let (mut random, mean) = (SeededRandom::new(1), Duration::from_millis(10));
    let sum: Duration = (0..100_000).map(|_| exponential(&mut random, mean)).sum();
    let found = sum.as_secs_f64() / 100_000.0;
    assert!((0.0098..0.0102).contains(&found), "{found}");
}
