//! The one id that crosses the boundary between server and mods.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A player, as the server numbers them. Mods receive it in hooks and hand it back in host calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PlayerId(pub u64);

impl fmt::Display for PlayerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "player {}", self.0)
    }
}

impl From<u64> for PlayerId {
    fn from(number: u64) -> Self {
        Self(number)
    }
}
