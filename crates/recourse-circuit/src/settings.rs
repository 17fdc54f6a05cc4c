//! [`SettingsError`]: settings that no policy can hold.

use recourse_core::BreakerSettings;
use recourse_core::policy::limits;
use std::fmt;

/// A breaker setting outside its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettingsError {
    /// The setting, by its path in a policy.
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

pub(crate) fn check(settings: &BreakerSettings) -> Result<(), SettingsError> {
    if settings.threshold < limits::MIN_THRESHOLD {
        return Err(SettingsError {
            field: "circuit.threshold",
            value: settings.threshold.to_string(),
            allowed: format!("at least {}", limits::MIN_THRESHOLD),
        });
    }
    if settings.cooldown < limits::MIN_COOLDOWN {
        return Err(SettingsError {
            field: "circuit.cooldown",
            value: format!("{:?}", settings.cooldown),
            allowed: format!("at least {:?}", limits::MIN_COOLDOWN),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_error_names_field_value_and_what_is_allowed() {
        let error = |threshold, millis| {
            check(&BreakerSettings::new(threshold, Duration::from_millis(millis)))
                .map_err(|error| error.to_string())
        };
        assert_eq!(error(0, 100), Err("circuit.threshold = 0 is not allowed: at least 1".to_owned()));
        assert_eq!(error(1, 99), Err("circuit.cooldown = 99ms is not allowed: at least 100ms".to_owned()));
        assert_eq!(error(1, 100), Ok(()));
    }
}
