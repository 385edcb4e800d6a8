//! What a server shows of itself.

use serde::{Deserialize, Serialize};

use crate::{
    ids::SubmissionId,
    swap::{ModStatus, SubmissionState, WorldStatus},
};

/// Mods, worlds and submissions at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Status {
    /// Mods by name.
    pub mods: Vec<ModStatus>,
    /// Worlds in the order in which they were made.
    pub worlds: Vec<WorldStatus>,
    /// Submissions that are remembered, oldest first.
    pub submissions: Vec<SubmissionStatus>,
}

/// A submission and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SubmissionStatus {
    /// Its number.
    pub id: SubmissionId,
    /// How far it is.
    #[serde(flatten)]
    pub state: SubmissionState,
}
