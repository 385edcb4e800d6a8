//! Answers of the console as values. How they look as text is in `text.rs`; as JSON they are what serde makes of them.

use serde::{Deserialize, Serialize};
use tickswap_abi::PlayerId;

use crate::{
    control::{Status, SubmissionStatus},
    swap::{ModStatus, WorldStatus},
    world::SwapRecord,
};

/// The answer to a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Answer {
    /// To `help`.
    Help {
        /// The verbs, in the order in which they are worth knowing; one, if it was asked for.
        verbs: Vec<VerbHelp>,
    },
    /// To `status`.
    Status {
        /// Mods, worlds and submissions.
        status: Status,
        /// Players in the game.
        players: usize,
    },
    /// To `mods`.
    Mods {
        /// Mods with their generations.
        mods: Vec<ModStatus>,
    },
    /// To `worlds`.
    Worlds {
        /// Worlds with what runs in them.
        worlds: Vec<WorldStatus>,
    },
    /// To `players`.
    Players {
        /// Players, as the game lists them.
        players: Vec<PlayerInfo>,
    },
    /// To `submit`, `activate` and `rollback`: how far it came in the time that was waited.
    Submission(SubmissionStatus),
    /// To `log`.
    Log {
        /// The newest records, oldest first.
        records: Vec<SwapRecord>,
        /// Records before these that would have been shown too.
        earlier: usize,
    },
    /// To `say`.
    Said {
        /// How many players are told.
        players: usize,
    },
    /// To `json`.
    Json {
        /// Whether every line is answered with JSON from now on.
        on: bool,
    },
    /// To a verb of the game.
    Game {
        /// Its words.
        text: String,
    },
    /// To `quit`: whoever holds the server stops it now.
    Quit,
}

/// A verb and how it is typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerbHelp {
    /// `activate MOD GENERATION [--world WORLD]`.
    pub usage: String,
    /// What it does.
    pub about: String,
}

/// A player, as the game lists them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlayerInfo {
    /// The number that mods know.
    pub id: PlayerId,
    /// The name, as the player chose it.
    pub name: String,
    /// The world.
    pub world: String,
    /// What else the game has to say of the player.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}
