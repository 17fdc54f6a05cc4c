//! [`PolicySet`]: the policies of a file.

use crate::key::Key;
use crate::policy::Policy;
use ::serde::de::{DeserializeSeed, Error, MapAccess, Visitor};
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// The policies of a file: one a key, and optionally one for every other key.
///
/// An unknown field, a text that is no key, and a key given twice (also in two spellings) are errors.
///
/// ```
/// use recourse_core::{Key, policy::PolicySet};
///
/// let set: PolicySet = toml::from_str(
///     r#"
///     [policies."payments.Charge".retry]
///     max_attempts = 4
///     initial_backoff = "50ms"
///     "#,
/// )?;
/// let policy = &set.policies[&Key::new("payments.Charge")?];
/// assert_eq!(policy.retry.max_attempts, 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields, default)]
#[non_exhaustive]
pub struct PolicySet {
    /// The policy of every key that has none of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Policy>,
    /// The policies by key.
    #[serde(deserialize_with = "unique")]
    pub policies: BTreeMap<Key, Policy>,
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Key::new(&text).map_err(D::Error::custom)
    }
}

fn unique<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Key, Policy>, D::Error> {
    deserializer.deserialize_map(Unique)
}

struct Unique;

impl<'de> Visitor<'de> for Unique {
    type Value = BTreeMap<Key, Policy>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table of policies by key")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let (mut policies, mut spelled) = (BTreeMap::new(), BTreeMap::new());
        while let Some(key) = entries.next_key_seed(New(&mut spelled))? {
            let policy = entries.next_value()?;
            policies.insert(key, policy);
        }
        Ok(policies)
    }
}

/// A key that is not among these, which stand beside it as they are spelled. Checked while the key is read, so that the
/// error says where it stands; which of the two comes second is the format's affair.
struct New<'k>(&'k mut BTreeMap<Key, String>);

impl<'de> DeserializeSeed<'de> for New<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        let text = String::deserialize(deserializer)?;
        let key = Key::new(&text).map_err(D::Error::custom)?;
        match self.0.insert(key.clone(), text.clone()) {
            None => Ok(key),
            Some(before) if before == text => {
                Err(D::Error::custom(format_args!("the key {text:?} stands twice")))
            }
            Some(before) => {
                let key = key.as_str();
                Err(D::Error::custom(format_args!(
                    "the key {key:?} stands twice: as {before:?} and as {text:?}"
                )))
            }
        }
    }
}
