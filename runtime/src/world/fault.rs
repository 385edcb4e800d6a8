//! A mod that trapped.

use std::fmt;

use serde::{Deserialize, Serialize};
use tickswap_abi::{ModName, PlayerId};
use tickswap_linker::GenerationId;

use crate::engine::TrapFrame;

/// A trap or panic inside a mod. The mod is paused in the world from then on: its state is suspect, because what the
/// faulted call had changed is not undone. It goes on when another generation of it is activated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fault {
    /// The mod.
    pub mod_name: ModName,
    /// The generation that was called.
    pub generation: GenerationId,
    /// The world.
    pub world: String,
    /// The tick.
    pub tick: u64,
    /// The hook, such as `ArenaHooks::input`.
    pub hook: String,
    /// The player the hook was called for, if it was for one.
    pub player: Option<PlayerId>,
    /// The panic's words with file and line, or the machine's.
    pub message: String,
    /// WebAssembly frames, innermost first.
    pub backtrace: Vec<TrapFrame>,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mod_name, generation, world, tick, hook, message, .. } = self;
        write!(formatter, "mod {mod_name} {generation} faulted in world {world:?}, tick {tick}, {hook}")?;
        if let Some(player) = self.player {
            write!(formatter, " for {player}")?;
        }
        write!(
            formatter,
            ": {message}\nThe mod is paused in this world and its state is suspect; activate another generation of it."
        )?;
        for frame in &self.backtrace {
            write!(formatter, "\n  in {frame}")?;
        }
        Ok(())
    }
}
