//! The numbers by which submissions and worlds are known in one process. Mods are known by name, generations by the linker's numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One change of what runs, in the order in which changes were asked for: candidates submitted together, an activation or a going back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubmissionId(pub u64);

impl fmt::Display for SubmissionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "submission {}", self.0)
    }
}

/// One world of this process. Unlike names, numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorldId(pub(crate) u64);
