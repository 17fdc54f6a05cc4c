//! Timelines of any content, printed in each way that there is.

mod drawing;
mod line;
mod made;

use self::made::Made;
use arbitrary::{Arbitrary, Unstructured};

/// Makes a timeline of the input and prints it.
pub fn check(input: &[u8]) {
    let Ok(made) = Made::arbitrary_take_rest(Unstructured::new(input)) else {
        return;
    };
    let timeline = made.timeline();
    drawing::check(&timeline);
    line::check(&timeline);
}
