//! [`SettingsError`]: settings that no breaker can have.

use crate::millionths::Millionths;
use recourse_core::BreakerSettings;
use recourse_core::policy::limits;
use std::fmt;
use std::ops::RangeInclusive;

/// A breaker setting outside its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingsError {
    /// The setting: its path in a policy, or the method that sets it.
    pub field: &'static str,
    /// The value as it was given.
    pub value: String,
    /// What is allowed there.
    pub allowed: String,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} is not allowed: {}", self.field, self.value, self.allowed)
    }
}

impl std::error::Error for SettingsError {}

/// What a policy says to its breaker.
pub(crate) fn check(settings: &BreakerSettings, most: u32) -> Result<(), SettingsError> {
    match most {
        u32::MAX => at_least("circuit.threshold", settings.threshold, limits::MIN_THRESHOLD)?,
        _ => within("circuit.threshold", settings.threshold, limits::MIN_THRESHOLD..=most)?,
    }
    at_least("circuit.cooldown", settings.cooldown, limits::MIN_COOLDOWN)
}

pub(crate) fn at_least<T>(field: &'static str, value: T, least: T) -> Result<(), SettingsError>
where
    T: PartialOrd + fmt::Debug,
{
    if value >= least {
        return Ok(());
    }
    Err(SettingsError { field, value: format!("{value:?}"), allowed: format!("at least {least:?}") })
}

pub(crate) fn within<T>(
    field: &'static str,
    value: T,
    allowed: RangeInclusive<T>,
) -> Result<(), SettingsError>
where
    T: PartialOrd + fmt::Debug,
{
    if allowed.contains(&value) {
        return Ok(());
    }
    let allowed = format!("{:?} to {:?}", allowed.start(), allowed.end());
    Err(SettingsError { field, value: format!("{value:?}"), allowed })
}

/// A part from 0 to 1.
pub(crate) fn part(field: &'static str, value: f64) -> Result<Millionths, SettingsError> {
    Millionths::of(value).ok_or_else(|| SettingsError {
        field,
        value: value.to_string(),
        allowed: "0 to 1".to_owned(),
    })
}

/// A part above 0, up to 1: of nothing there is always enough.
pub(crate) fn ratio(field: &'static str, value: f64) -> Result<Millionths, SettingsError> {
    Millionths::of(value).filter(|ratio| *ratio > Millionths::ZERO).ok_or_else(|| SettingsError {
        field,
        value: value.to_string(),
        allowed: "0.000001 to 1".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_error_names_field_value_and_what_is_allowed() {
        let error = |threshold, millis| {
            check(&BreakerSettings::new(threshold, Duration::from_millis(millis)), u32::MAX)
                .map_err(|error| error.to_string())
        };
        assert_eq!(error(0, 100), Err("circuit.threshold = 0 is not allowed: at least 1".to_owned()));
        assert_eq!(error(1, 99), Err("circuit.cooldown = 99ms is not allowed: at least 100ms".to_owned()));
        assert_eq!(error(1, 100), Ok(()));
        let error = check(&BreakerSettings::new(5, Duration::from_secs(1)), 4).unwrap_err();
        assert_eq!(error.to_string(), "circuit.threshold = 5 is not allowed: 1 to 4");
    }
}
