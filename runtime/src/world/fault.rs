//! A mod that trapped.

use std::fmt;

use serde::{Deserialize, Serialize};
use tickswap_abi::{ModName, PlayerId};
use tickswap_linker::GenerationId;

use crate::engine::TrapFrame;

/// A trap or panic inside a mod, and what became of the tick in which it happened.
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
    /// What the world did about it.
    pub outcome: FaultOutcome,
}

/// What a world does about a fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FaultOutcome {
    /// The tick was undone, the generation's submission went back, and the tick ran again on the code before.
    WentBack,
    /// The tick was undone, the players that this generation served went back to the active one, and the tick ran again.
    PlayersWentBack,
    /// The tick was undone and ran again with the mod left out.
    LeftOut,
    /// As `LeftOut`, and since it happened too often in a row, the mod is paused until another generation is activated.
    Paused,
    /// The server panicked below the mod's call. The tick was undone and did not happen.
    Cut,
    /// Nothing could be undone: the mod is paused until another generation is activated, and its state is suspect.
    Suspect,
}

impl fmt::Display for FaultOutcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::WentBack => {
                "The tick was undone and ran again on the generation before: what was activated with this one went back, too."
            }
            Self::PlayersWentBack => {
                "The tick was undone and ran again: the players of this generation are served by the active one."
            }
            Self::LeftOut => "The tick was undone and ran again without the mod; the next tick calls it again.",
            Self::Paused => {
                "The tick was undone and ran again without the mod. It is paused in this world; activate another generation of it."
            }
            Self::Cut => "The tick was undone and did not happen.",
            Self::Suspect => {
                "The mod is paused in this world and its state is suspect, because nothing could be undone; \
                 activate another generation of it."
            }
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mod_name, generation, world, tick, hook, message, .. } = self;
        write!(formatter, "mod {mod_name} {generation} faulted in world {world:?}, tick {tick}, {hook}")?;
        if let Some(player) = self.player {
            write!(formatter, " for {player}")?;
        }
        write!(formatter, ": {message}\n{}", self.outcome)?;
        for frame in &self.backtrace {
            write!(formatter, "\n  in {frame}")?;
        }
        Ok(())
    }
}
