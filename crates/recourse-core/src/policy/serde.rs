//! Policies as data: durations are texts with a unit, numbers are checked, unknown fields are errors.

use crate::label::Label;
use crate::policy::{BudgetRef, CircuitPolicy, HedgePolicy, Jitter, Policy, PolicySet, RetryPolicy, limits};
use ::serde::de::value::MapAccessDeserializer;
use ::serde::de::{Error, MapAccess, Unexpected, Visitor};
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

/// One module a field, so that every error names the field and what is allowed there.
macro_rules! fields {
    ($($name:ident: $value:ty = $reader:ident, $writer:ident, $field:literal;)*) => {
        $(pub(super) mod $name {
            use super::*;

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<$value, D::Error> {
                deserializer.deserialize_any($reader($field))
            }

            pub(crate) fn serialize<S: Serializer>(value: &$value, serializer: S) -> Result<S::Ok, S::Error> {
                $writer(value, serializer)
            }
        })*
    };
}

fields! {
    max_attempts: u32 = Whole, write_plain, "retry.max_attempts";
    max_hedges: u32 = Whole, write_plain, "hedge.max_hedges";
    threshold: u32 = Whole, write_plain, "circuit.threshold";
    cost: u32 = Whole, write_plain, "retry.budget.cost";
    backoff_multiplier: f64 = Factor, write_plain, "retry.backoff_multiplier";
    jitter: Jitter = Name, write_name, "retry.jitter";
    initial_backoff: Duration = Timespan, write_time, "retry.initial_backoff";
    max_backoff: Duration = Timespan, write_time, "retry.max_backoff";
    max_server_delay: Duration = Timespan, write_time, "retry.max_server_delay";
    hedge_delay: Duration = Timespan, write_time, "hedge.hedge_delay";
    cooldown: Duration = Timespan, write_time, "circuit.cooldown";
    timeout_per_attempt: Option<Duration> = OrOff, write_timeout, "retry.timeout_per_attempt";
    overall_timeout: Option<Duration> = OrOff, write_timeout, "retry.overall_timeout";
    hedge_enabled: bool = Flag, write_plain, "hedge.enabled";
    circuit_enabled: bool = Flag, write_plain, "circuit.enabled";
    leave_to_outer: bool = Flag, write_plain, "retry.leave_to_outer";
    cancel_on_first_terminal: bool = Flag, write_plain, "hedge.cancel_on_first_terminal";
    classifier_name: Label = Text, write_plain, "retry.classifier_name";
    trigger_name: Label = Text, write_plain, "hedge.trigger_name";
    breaker_name: Label = Text, write_plain, "circuit.breaker_name";
    budget_name: Label = Text, write_plain, "retry.budget.name";
    id: Label = Text, write_plain, "id";
}

/// Reads and writes a part of a policy as a table of named fields. What `serde` derives would also read a list, in which
/// a value means what its place says.
macro_rules! tables {
    ($($part:ty = $what:literal;)*) => {$(
        impl Serialize for $part {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$part>::serialize(self, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $part {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Table;

                impl<'de> Visitor<'de> for Table {
                    type Value = $part;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!($what, " to be a table of named fields"))
                    }

                    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<$part, A::Error> {
                        <$part>::deserialize(MapAccessDeserializer::new(fields))
                    }
                }

                deserializer.deserialize_map(Table)
            }
        }
    )*};
}

tables! {
    Policy = "a policy";
    RetryPolicy = "retry";
    HedgePolicy = "hedge";
    CircuitPolicy = "circuit";
    BudgetRef = "budget";
    PolicySet = "a policy file";
}

fn write_plain<S: Serializer, V: Serialize>(value: &V, serializer: S) -> Result<S::Ok, S::Error> {
    value.serialize(serializer)
}

fn write_name<S: Serializer>(jitter: &Jitter, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(jitter.as_str())
}

fn write_time<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&humantime::format_duration(*duration))
}

fn write_timeout<S: Serializer>(timeout: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match timeout {
        Some(duration) => write_time(duration, serializer),
        None => serializer.serialize_str("off"),
    }
}

/// The field's own name, and what is allowed there.
fn expected(f: &mut fmt::Formatter<'_>, field: &str, what: &str) -> fmt::Result {
    let name = field.rsplit('.').next().unwrap_or(field);
    write!(f, "{name} to be {what} ({})", limits::allowed(field))
}

/// A whole number of 32 bits; its field says what is allowed.
struct Whole(&'static str);

impl Visitor<'_> for Whole {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expected(f, self.0, "a whole number")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<u32, E> {
        u32::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<u32, E> {
        u32::try_from(value).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))
    }
}

/// A number that may have a fraction.
struct Factor(&'static str);

#[allow(clippy::cast_precision_loss, reason = "no factor is that large")]
impl Visitor<'_> for Factor {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expected(f, self.0, "a number")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<f64, E> {
        Ok(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<f64, E> {
        Ok(value as f64)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<f64, E> {
        Ok(value as f64)
    }
}

/// Yes or no.
struct Flag(&'static str);

impl Visitor<'_> for Flag {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expected(f, self.0, "true or false")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        Ok(value)
    }
}

/// A name or another short text.
struct Text(&'static str);

impl Visitor<'_> for Text {
    type Value = Label;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expected(f, self.0, "a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Label, E> {
        Ok(Label::new(text))
    }
}

/// The name of a jitter.
struct Name(&'static str);

impl Visitor<'_> for Name {
    type Value = Jitter;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expected(f, self.0, "a name")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Jitter, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

/// Units of a policy's durations. `M`, `y` and `w` are not among them: who writes `1M` means a minute and gets a month.
/// What is written out is what the writer makes of the longest durations.
const UNITS: [&str; 29] = [
    "ns", "nsec", "us", "µs", "usec", "ms", "msec", "millis", "s", "sec", "secs", "second", "seconds", "m",
    "min", "mins", "minute", "minutes", "h", "hr", "hour", "hours", "d", "day", "days", "month", "months",
    "year", "years",
];

/// Reads a duration with its units.
fn parse_time(text: &str) -> Option<Duration> {
    let text = text.trim();
    let mut units = text.split(|c: char| !c.is_alphabetic()).filter(|unit| !unit.is_empty());
    if !units.all(|unit| UNITS.contains(&unit)) {
        return None;
    }
    humantime::parse_duration(text).ok()
}

/// A duration: a text with a unit, or a bare zero.
struct Timespan(&'static str);

impl Visitor<'_> for Timespan {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expected(f, self.0, "a duration with its unit (ns, us, ms, s, min, h or d), such as \"250ms\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        parse_time(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Duration, E> {
        if value == 0 { Ok(Duration::ZERO) } else { Err(E::invalid_type(Unexpected::Unsigned(value), &self)) }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Duration, E> {
        if value == 0 { Ok(Duration::ZERO) } else { Err(E::invalid_type(Unexpected::Signed(value), &self)) }
    }
}

/// A timeout: `"off"` or a duration.
struct OrOff(&'static str);

impl Visitor<'_> for OrOff {
    type Value = Option<Duration>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        expected(
            f,
            self.0,
            "\"off\" or a duration with its unit (ns, us, ms, s, min, h or d), such as \"250ms\"",
        )
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<Duration>, E> {
        if text.trim() == "off" {
            return Ok(None);
        }
        parse_time(text).map(Some).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Option<Duration>, E> {
        if value == 0 {
            Ok(Some(Duration::ZERO))
        } else {
            Err(E::invalid_type(Unexpected::Unsigned(value), &self))
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Option<Duration>, E> {
        if value == 0 {
            Ok(Some(Duration::ZERO))
        } else {
            Err(E::invalid_type(Unexpected::Signed(value), &self))
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Option<Duration>, E> {
        Ok(None)
    }
}
