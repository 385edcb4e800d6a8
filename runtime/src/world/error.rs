//! Errors of a world.

use tickswap_abi::{CallError, ModName};
use tickswap_linker::GenerationId;

use super::Fault;
use crate::engine::EngineError;

/// Why a tick did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TickError {
    /// The closure returned an error. Its effects are dropped, and what mods did is undone where their mode allows it.
    #[error("the tick's closure failed: {error}")]
    Closure {
        /// What it returned.
        #[source]
        error: CallError,
        /// What mods faulted with in this tick, the runs that were undone included.
        faults: Vec<Fault>,
    },
}

/// Why a world cannot be made or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WorldError {
    /// A name that cannot name a world.
    #[error("{found:?} cannot name a world: expected 1 to {limit} bytes (limit WORLD_NAME_BYTES_MAX)")]
    Name {
        /// The name given.
        found: String,
        /// The limit.
        limit: usize,
    },
    /// Another world has the name.
    #[error("a world named {name:?} exists; choose another name, or drop that world first")]
    NameTaken {
        /// The name given.
        name: String,
    },
    /// The process has as many worlds as it may.
    #[error("there are {limit} worlds, which is the limit WORLDS_MAX")]
    TooManyWorlds {
        /// The limit.
        limit: usize,
    },
    /// A host trait of the contract with queries has nothing that answers them.
    #[error("nothing answers {interface}; pass `answering(host)` of its generated module to create_world")]
    Unanswered {
        /// The host trait.
        interface: &'static str,
    },
    /// What answers a trait that the contract does not have, or that something answers already.
    #[error("{interface} cannot be answered here: {reason}")]
    NotAsked {
        /// The host trait.
        interface: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// The world has no such mod.
    #[error("world {world:?} has no mod named {mod_name}; its mods are {known:?}")]
    UnknownMod {
        /// The world.
        world: String,
        /// The name asked for.
        mod_name: ModName,
        /// Mods of the world.
        known: Vec<ModName>,
    },
    /// The process has no such generation of the mod.
    #[error("mod {mod_name} has no generation {generation}")]
    UnknownGeneration {
        /// The mod.
        mod_name: ModName,
        /// The number asked for.
        generation: GenerationId,
    },
    /// Code could not be put into the world.
    #[error("mod {mod_name}: {error}")]
    Stage {
        /// The mod.
        mod_name: ModName,
        /// What happened.
        #[source]
        error: EngineError,
    },
}
