//! What travels to worlds: generations that are ready to be staged, and which of them shall become active.

use std::sync::Arc;

use tickswap_abi::ModName;
use tickswap_linker::GenerationId;

use super::PreparedMod;
use crate::{engine::Compiled, ids::SubmissionId, world::ChangeKind};

/// Code of one mod that any world can stage. Stays for as long as the process runs.
#[derive(Debug)]
pub(crate) struct Generation {
    /// What brought it.
    pub(crate) submission: SubmissionId,
    /// Machine code and data.
    pub(crate) compiled: Arc<Compiled>,
    /// What is told about it.
    pub(crate) facts: PreparedMod,
}

impl Generation {
    /// The mod.
    pub(crate) fn mod_name(&self) -> &ModName {
        &self.facts.mod_name
    }

    /// Its number.
    pub(crate) fn id(&self) -> GenerationId {
        self.facts.generation
    }
}

/// A change of what is active. All its steps flip together.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) submission: SubmissionId,
    pub(crate) kind: ChangeKind,
    pub(crate) steps: Vec<Step>,
}

/// One mod of a change.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) generation: Arc<Generation>,
    /// Which other generations lend it bodies, the nearest first.
    pub(crate) lenders: Arc<[GenerationId]>,
}
