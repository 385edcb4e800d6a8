//! The hooks: implemented by mods, called by the server.

use tickswap_abi::PlayerId;

use crate::types::{Frame, Input, InputTotals, ReservedState, Standings};

/// What a mod of the arena may do. Hooks without a value go to every mod that has them, in the server's order, the mod `arena` first.
#[tickswap_abi::hooks]
pub trait ArenaHooks {
    /// A player has connected. Their input sequence starts anew.
    fn joined(&mut self, player: PlayerId, name: String);

    /// A player has disconnected.
    fn left(&mut self, player: PlayerId);

    /// A player's controls. Numbered from 1 per connection, without gaps.
    #[optional]
    fn input(&mut self, player: PlayerId, input: Input);

    /// One player has put another out: what a mod told the server in the tick before with `arena_host::put_out`.
    /// Mods share no memory, so this is how they hear of each other.
    #[optional]
    fn put_out(&mut self, winner: PlayerId, loser: PlayerId);

    /// Time passes: `dt` seconds.
    #[optional]
    fn update(&mut self, dt: f32);

    /// What players see. Asked of the mod `arena` only.
    #[optional]
    fn frame(&self) -> Frame;

    /// A table to show beside the arena. Asked of every mod that has one, twice a second.
    #[optional]
    fn standings(&self) -> Standings;

    /// Which inputs were applied since the world started: the proof that none was lost or doubled. Asked of the mod `arena` only.
    #[optional]
    fn inputs(&self) -> InputTotals;

    /// Fills that much memory with live state, for measurements and soak runs. Adds to what is there.
    #[optional]
    fn reserve_state(&mut self, mebibytes: u32);

    /// Reads all reserved state again and compares it with the checksum kept beside it. Takes time with its size.
    #[optional]
    fn reserved_state(&self) -> ReservedState;
}
