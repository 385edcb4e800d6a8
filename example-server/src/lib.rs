//! The arena as a networked game: players over WebSockets, worlds that tick on threads of their own, rules in mods that are
//! swapped while players stay connected.
//!
//! Floors, lowest first: limits, log, browser, bulletin, protocol, pacer, flood, seat; hall; session, room; web; door, mods; server; bots; soak; cli. The game's rules
//! are not here but in `developer_mods`, and what a swap is is the business of `tickswap`.

pub mod bots;
pub mod browser;
pub mod bulletin;
pub mod cli;
mod door;
mod flood;
mod hall;
pub mod limits;
pub mod log;
pub mod mods;
mod pacer;
pub mod protocol;
mod room;
mod seat;
mod server;
mod session;
pub mod soak;
mod web;

pub use door::{AddressError, bind};
pub use room::{ARENA_MOD, Flip, RoomCommands, RoomError, RoomReport, TickSample};
pub use server::{RoomHandle, Server, ServerConfig, ServerError};
