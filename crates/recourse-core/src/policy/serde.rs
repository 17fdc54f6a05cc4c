//! Policies as data: durations are texts with a unit, numbers are checked, unknown fields are errors.

use crate::label::Label;
use crate::policy::limits;
use ::serde::de::{Error, Unexpected, Visitor};
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::time::Duration;

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Label {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Label::from)
    }
}

macro_rules! whole_numbers {
    ($($function:ident: $field:literal;)*) => {
        $(pub(super) fn $function<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
            deserializer.deserialize_u64(Whole($field))
        })*
    };
}

whole_numbers! {
    max_attempts: "retry.max_attempts";
    max_hedges: "hedge.max_hedges";
    threshold: "circuit.threshold";
    cost: "retry.budget.cost";
}

/// A whole number of 32 bits; its field says what is allowed.
struct Whole(&'static str);

impl Visitor<'_> for Whole {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number ({})", limits::allowed(self.0))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u32, E> {
        u32::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<u32, E> {
        u32::try_from(value).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
    }
}

/// A duration: a text with a unit, or a bare zero.
struct Timespan;

impl Visitor<'_> for Timespan {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration with its unit, such as \"250ms\", \"2s\" or \"5min\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        humantime::parse_duration(text.trim()).map_err(|error| {
            E::custom(format_args!("{text:?} is not a duration: {error}; write one like \"250ms\""))
        })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Duration, E> {
        if value == 0 { Ok(Duration::ZERO) } else { Err(E::invalid_type(Unexpected::Unsigned(value), &self)) }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Duration, E> {
        if value == 0 { Ok(Duration::ZERO) } else { Err(E::invalid_type(Unexpected::Signed(value), &self)) }
    }
}

fn write<S: Serializer>(duration: Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_duration(duration))
}

pub(super) mod duration {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        write(*duration, serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        deserializer.deserialize_any(Timespan)
    }
}

/// A timeout: `"off"` or a duration.
pub(super) mod timeout {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        timeout: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match timeout {
            Some(duration) => write(*duration, serializer),
            None => serializer.serialize_str("off"),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        deserializer.deserialize_any(OrOff)
    }

    struct OrOff;

    impl Visitor<'_> for OrOff {
        type Value = Option<Duration>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "\"off\" or ")?;
            Timespan.expecting(f)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Option<Duration>, E> {
            if text.trim() == "off" { Ok(None) } else { Timespan.visit_str(text).map(Some) }
        }

        fn visit_u64<E: Error>(self, value: u64) -> Result<Option<Duration>, E> {
            Timespan.visit_u64(value).map(Some)
        }

        fn visit_i64<E: Error>(self, value: i64) -> Result<Option<Duration>, E> {
            Timespan.visit_i64(value).map(Some)
        }

        fn visit_unit<E: Error>(self) -> Result<Option<Duration>, E> {
            Ok(None)
        }
    }
}
