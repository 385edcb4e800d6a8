//! Bots: clients like any other, over real sockets. The soak measures with them, and `--bots` fills the arena with them.
//!
//! A bot knows the protocol and nothing else of the server. What the soak makes of their reports is its own business.

mod bot;
mod crowd;
mod hunter;

pub use self::crowd::{Bots, BotsError};
pub(crate) use self::{
    bot::{BotReport, Order},
    crowd::Crew,
};
