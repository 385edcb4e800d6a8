//! The types that cross between server and mods. Lengths are in arena units, times in seconds.

use serde::{Deserialize, Serialize};
use tickswap_abi::{Payload, PlayerId};

/// Extent of the arena along x; positions lie in `0.0..=ARENA_WIDTH`.
pub const ARENA_WIDTH: f32 = 1600.0;

/// Extent of the arena along y; positions lie in `0.0..=ARENA_HEIGHT`.
pub const ARENA_HEIGHT: f32 = 900.0;

/// A place in the arena.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Payload)]
pub struct Position {
    /// From the left edge.
    pub x: f32,
    /// From the upper edge.
    pub y: f32,
}

/// A player's controls at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, Payload)]
pub struct Input {
    /// 1 for the first input of a connection, then one more each time.
    pub sequence: u64,
    /// Wanted direction along x, -1 to 1.
    pub dx: f32,
    /// Wanted direction along y, -1 to 1.
    pub dy: f32,
    /// Whether the trigger is held.
    pub fire: bool,
}

/// Everything players see at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Payload)]
pub struct Frame {
    /// Number of the current round, from 1.
    pub round: u32,
    /// How often `update` has run since the world started.
    pub updates: u64,
    /// The players, by id.
    pub players: Vec<PlayerView>,
    /// The shots in flight.
    pub shots: Vec<ShotView>,
    /// Things that act on players by themselves.
    pub hazards: Vec<HazardView>,
}

/// One player as others see them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub struct PlayerView {
    /// Who.
    pub player: PlayerId,
    /// Their name.
    pub name: String,
    /// Where they are.
    pub position: Position,
    /// Direction they look in, in radians.
    pub facing: f32,
    /// How they are.
    pub condition: Condition,
    /// Points in this round.
    pub score: u32,
    /// What to paint them with.
    pub color: Color,
    /// The last input that was applied: the server acknowledges it to the player.
    pub acknowledged: u64,
}

/// How a player is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub enum Condition {
    /// In the game.
    Alive {
        /// Hit points, 1 to 100.
        health: u32,
    },
    /// Out, and back after that many seconds.
    Respawning(f32),
}

/// A colour as `0xRRGGBB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Payload)]
pub struct Color(pub u32);

/// One shot in flight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub struct ShotView {
    /// Tells it from other shots, so that it can be followed from frame to frame.
    pub number: u32,
    /// Who fired it.
    pub owner: PlayerId,
    /// Where it is.
    pub position: Position,
    /// What to paint it with.
    pub color: Color,
}

/// A thing that acts on players by itself.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub struct HazardView {
    /// What it does.
    pub kind: HazardKind,
    /// Its centre.
    pub position: Position,
    /// How far it reaches.
    pub radius: f32,
}

/// What a hazard does to players within its reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Payload)]
#[serde(rename_all = "snake_case")]
pub enum HazardKind {
    /// Gives hit points.
    Heals,
    /// Moves them away.
    Pushes,
}

/// A table of players.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Payload)]
pub struct Standings {
    /// What the table tells.
    pub title: String,
    /// Its lines, best first.
    pub lines: Vec<Standing>,
}

/// One player's line in a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Payload)]
pub struct Standing {
    /// Who.
    pub player: PlayerId,
    /// Their name.
    pub name: String,
    /// How often they put others out.
    pub knockouts: u32,
    /// How often they were put out.
    pub outs: u32,
    /// Knockouts since they were last put out.
    pub streak: u32,
}

/// What became of all inputs since the world started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Payload)]
pub struct InputTotals {
    /// Inputs that took effect.
    pub applied: u64,
    /// Inputs whose number had been seen before; they took no effect.
    pub duplicated: u64,
    /// Numbers that were skipped.
    pub missing: u64,
    /// Inputs of players who had not joined; they took no effect.
    pub unknown_player: u64,
    /// The players who are here, by id.
    pub players: Vec<PlayerInputs>,
}

/// The inputs of one player since they joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Payload)]
pub struct PlayerInputs {
    /// Who.
    pub player: PlayerId,
    /// How many inputs took effect.
    pub applied: u64,
    /// The number of the last one.
    pub last_sequence: u64,
}

/// The state that was reserved for a measurement or soak run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Payload)]
pub struct ReservedState {
    /// How much there is.
    pub mebibytes: u32,
    /// The checksum kept while the state was changed.
    pub expected: u64,
    /// The checksum of the state as it is now.
    pub found: u64,
}
