//! The host functions: implemented by the server, called by mods.

use tickswap_abi::PlayerId;

use crate::types::Position;

/// What the arena's mods may ask of the server.
#[tickswap_abi::host]
pub trait ArenaHost {
    /// How many players are connected.
    fn players_online(&self) -> u32;

    /// A place for a player to appear. The server draws it, since mods have no randomness of their own.
    fn spawn_position(&self, player: PlayerId) -> Position;

    /// Shows a line of text to every player.
    fn broadcast(&mut self, text: String);

    /// Credits a player's account with points.
    fn award(&mut self, player: PlayerId, points: u32);

    /// Tells all mods, with the next tick's hook `put_out`, that one player has put another out.
    fn put_out(&mut self, winner: PlayerId, loser: PlayerId);
}
