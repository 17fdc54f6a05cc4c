//! [`Tally`]: what was met, so that a soak which meets nothing can't pass.

use std::collections::BTreeMap;
use std::fmt;

macro_rules! tally {
    ($($field:ident: $text:literal, $least_in_ten_thousand:literal;)*) => {
        /// Counts of one world, or of many.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub(crate) struct Tally {
            $(pub(crate) $field: u64,)*
            /// Why calls ended with an error.
            pub(crate) stops: BTreeMap<&'static str, u64>,
        }

        impl Tally {
            pub(crate) fn add(&mut self, other: &Tally) {
                $(self.$field += other.$field;)*
                for (stop, count) in &other.stops {
                    *self.stops.entry(stop).or_default() += count;
                }
            }

            /// Everything was met often enough.
            pub(crate) fn assert_varied(&self) {
                $(assert!(
                    self.$field * 10_000 >= self.calls * $least_in_ten_thousand,
                    "too few {}: {self}", $text
                );)*
            }
        }

        impl fmt::Display for Tally {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut comma = "";
                $(
                    write!(f, "{comma}{} {}", self.$field, $text)?;
                    comma = ", ";
                )*
                write!(f, "; ends: {:?}", self.stops)
            }
        }
    };
}

tally! {
    calls: "calls", 10_000;
    attempts: "attempts", 10_000;
    hedges: "hedges", 200;
    values: "ended with a value", 1_000;
    errors: "ended with an error", 1_000;
    dropped: "dropped", 500;
    hung: "dropped because they hung", 10;
    unwound_by_operations: "unwound by their operation", 50;
    unwound_by_plugins: "unwound by a plugin", 20;
    plugin_panics: "panics of plugins", 200;
    policies_replaced: "policies replaced", 100;
    plugins_replaced: "plugins replaced", 100;
    clocks_bent: "clocks bent", 30;
    modes_set: "circuits overridden", 100;
    trips: "circuits opened", 20;
    breakers_followed: "breakers that followed a change", 100;
    capped: "calls past the cap of keys", 50;
    nested: "calls inside attempts", 500;
    nested_twice: "calls two deep", 50;
    told: "calls that were told where they run", 100;
    moved: "calls left behind and polled elsewhere", 50;
    left: "calls that left retrying to the outer one", 20;
    denied: "attempts denied by a budget", 50;
}
