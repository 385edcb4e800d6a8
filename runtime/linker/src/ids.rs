//! The numbers by which a mod's generations, data pieces and table slots are known in one process.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One version of a mod's code, counted from 1 per mod and process in the order of linking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GenerationId(u32);

impl GenerationId {
    /// The generation of the given number. Numbers start at 1; 0 is treated as 1.
    pub fn new(number: u32) -> Self {
        Self(number.max(1))
    }

    /// The number itself, 1 for the first generation.
    pub fn number(self) -> u32 {
        self.0
    }

    /// Position in a list of all generations of a mod, 0 for the first.
    pub fn index(self) -> usize {
        self.0 as usize - 1
    }
}

impl fmt::Display for GenerationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "g{}", self.0)
    }
}

/// A run of bytes of a mod's data image. Unique per mod and process; the same piece serves every generation bound to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PieceId(pub u32);

/// An index of the function table. One per identity of an address-taken function, the same in every generation.
pub type SlotIndex = u32;
