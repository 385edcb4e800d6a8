//! What happened at a boundary, as values for logs and tools.

use serde::{Deserialize, Serialize};
use tickswap_abi::ModName;
use tickswap_linker::GenerationId;

use super::Fault;
use crate::ids::SubmissionId;

/// One change of what is active in one world. All its mods changed at the same boundary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SwapRecord {
    /// What asked for it.
    pub submission: SubmissionId,
    /// Why.
    pub kind: ChangeKind,
    /// The world.
    pub world: String,
    /// The first tick on the new code.
    pub tick: u64,
    /// What changed, mod by mod.
    pub mods: Vec<ModSwap>,
    /// Nanoseconds from entering the boundary to the first hook of the tick (or the end of its closure, if it calls none).
    /// Changes that became active at one boundary share it.
    pub pause_ns: u64,
    /// Nanoseconds that this world spent on staging, before the boundary.
    pub stage_ns: u64,
    /// What made the world go back by itself.
    pub fault: Option<Box<Fault>>,
}

/// One mod of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModSwap {
    /// The mod.
    pub mod_name: ModName,
    /// What was active; `None` if the mod was new to the world.
    pub from: Option<GenerationId>,
    /// What is active now.
    pub to: GenerationId,
}

/// Why what is active changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// Mods that the world did not have.
    Start,
    /// New code over the same memory.
    Patch,
    /// A resident generation, chosen by number.
    Activate,
    /// The generation that was active before.
    RollBack,
    /// The same, by the world itself: the new generation faulted while it was on probation.
    AutomaticRollBack,
}

impl std::fmt::Display for ChangeKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Start => "start",
            Self::Patch => "patch",
            Self::Activate => "activate",
            Self::RollBack => "roll back",
            Self::AutomaticRollBack => "automatic roll back",
        })
    }
}
