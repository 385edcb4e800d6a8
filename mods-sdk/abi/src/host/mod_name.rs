//! The validated name of a mod.

use std::{borrow::Borrow, fmt, ops::Deref, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::{MOD_NAME_BYTES_MAX, QUOTED_CHARS_MAX};

/// The name of a mod: 1 to 64 characters of `a-z`, `0-9`, `_` and `-`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModName(Arc<str>);

impl ModName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that cannot name a mod.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} cannot name a mod: expected 1 to {MOD_NAME_BYTES_MAX} characters of a-z, 0-9, _ and -")]
pub struct ModNameError {
    /// The refused text, shortened if long.
    pub found: String,
}

impl TryFrom<&str> for ModName {
    type Error = ModNameError;

    fn try_from(text: &str) -> Result<Self, ModNameError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        if (1..=MOD_NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            let found = text.chars().take(QUOTED_CHARS_MAX).collect();
            Err(ModNameError { found })
        }
    }
}

impl TryFrom<String> for ModName {
    type Error = ModNameError;

    fn try_from(text: String) -> Result<Self, ModNameError> {
        Self::try_from(text.as_str())
    }
}

impl FromStr for ModName {
    type Err = ModNameError;

    fn from_str(text: &str) -> Result<Self, ModNameError> {
        Self::try_from(text)
    }
}

impl Deref for ModName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for ModName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for ModName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for ModName {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for ModName {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for ModName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for ModName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, formatter)
    }
}

impl Serialize for ModName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ModName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::try_from(text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_lower_case() {
        for good in ["arena", "a", "mod-2_x", "0", &"x".repeat(64)] {
            assert!(ModName::try_from(good).is_ok(), "{good}");
        }
        for bad in ["", "Arena", "a b", "../up", "ä", "a\n", &"x".repeat(65)] {
            assert!(ModName::try_from(bad).is_err(), "{bad}");
        }
    }
}
