//! The hooks: implemented by mods, called by the server.

use tickswap_abi::PlayerId;

use crate::types::{Frame, Input, InputTotals, ReservedState};

/// The rules of the arena.
#[tickswap_abi::hooks]
pub trait ArenaHooks {
    /// A player has connected. Their input sequence starts anew.
    fn joined(&mut self, player: PlayerId, name: String);

    /// A player has disconnected.
    fn left(&mut self, player: PlayerId);

    /// A player's controls. Numbered from 1 per connection, without gaps.
    fn input(&mut self, player: PlayerId, input: Input);

    /// Time passes: `dt` seconds.
    fn update(&mut self, dt: f32);

    /// What players see.
    fn frame(&self) -> Frame;

    /// Which inputs were applied since the world started: the proof that none was lost or doubled.
    fn inputs(&self) -> InputTotals;

    /// Fills that much memory with live state, for measurements and soak runs. Adds to what is there.
    #[optional]
    fn reserve_state(&mut self, mebibytes: u32);

    /// Reads all reserved state again and compares it with the checksum kept beside it. Takes time with its size.
    #[optional]
    fn reserved_state(&self) -> ReservedState;
}
