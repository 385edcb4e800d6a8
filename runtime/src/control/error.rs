//! Why a command is not carried out.

use tickswap_abi::ModName;
use tickswap_linker::GenerationId;

use crate::{
    ids::SubmissionId,
    swap::{Scope, Unsent},
};

/// Why a command is not carried out. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// A submission without a candidate.
    #[error("a submission needs at least one candidate")]
    Nothing,
    /// A submission of too many mods.
    #[error("a submission holds {found} mods, at most {limit} may go live together (limit MODS_PER_SUBMISSION_MAX)")]
    TooManyMods {
        /// Mods submitted.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A mod that is named twice in one submission.
    #[error("mod {mod_name} is in the submission twice; submit the file that shall run")]
    Twice {
        /// The mod.
        mod_name: ModName,
    },
    /// Too many submissions wait.
    #[error("{limit} submissions wait already (limit submissions_queued); try again when one has ended")]
    QueueFull {
        /// The limit.
        limit: usize,
    },
    /// Too many readers of events.
    #[error("{limit} readers follow the events already (limit EVENT_READERS_MAX); drop one, or share it")]
    TooManyReaders {
        /// The limit.
        limit: usize,
    },
    /// The submission waits for nobody.
    #[error("{id} does not wait for approval; `status` lists those that do")]
    NotWaiting {
        /// The submission.
        id: SubmissionId,
    },
    /// A name or reason that is empty or too long.
    #[error("{what} has {found} bytes, expected 1 to {limit} (limit APPROVAL_TEXT_BYTES_MAX)")]
    Text {
        /// What it is for.
        what: &'static str,
        /// Its bytes.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// The preparing thread is gone.
    #[error("the preparing thread has stopped, so nothing can be submitted; restart the server")]
    Stopped,
    /// No such mod.
    #[error("no mod named {mod_name} was ever loaded")]
    UnknownMod {
        /// The name.
        mod_name: ModName,
    },
    /// No such generation.
    #[error("mod {mod_name} has no generation {generation}; `status` lists those that can be activated")]
    UnknownGeneration {
        /// The mod.
        mod_name: ModName,
        /// The number.
        generation: GenerationId,
    },
    /// No such world, or the mod is not in it.
    #[error("world {world:?} {reason}")]
    World {
        /// The name.
        world: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// The first generation has nothing before it.
    #[error("mod {mod_name} has no earlier generation to go back to")]
    NothingBefore {
        /// The mod.
        mod_name: ModName,
    },
}

impl ControlError {
    pub(super) fn unsent(unsent: Unsent, mod_name: &ModName, generation: Option<GenerationId>, scope: &Scope) -> Self {
        let mod_name = mod_name.clone();
        let world = |reason| Self::World {
            world: match scope {
                Scope::World(name) => name.clone(),
                Scope::All => String::new(),
            },
            reason,
        };
        match (unsent, generation) {
            (Unsent::UnknownGeneration, Some(generation)) => Self::UnknownGeneration { mod_name, generation },
            (Unsent::UnknownMod | Unsent::UnknownGeneration, _) => Self::UnknownMod { mod_name },
            (Unsent::NothingBefore, _) => Self::NothingBefore { mod_name },
            (Unsent::UnknownWorld, _) => world("does not exist"),
            (Unsent::NotThere, _) => world("does not have this mod"),
            (Unsent::Busy(world), _) => Self::World {
                world,
                reason: "does not take changes: its channel is full (limit world_commands); tick or drop it",
            },
        }
    }
}
