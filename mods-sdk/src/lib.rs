//! What a Tickswap mod links: the module macro, logging, panic reports.
//!
//! A mod implements a hooks trait of its game's contract crate and puts [`macro@module`] on the `impl`:
//!
//! ```
//! use std::collections::HashMap;
//!
//! use tickswap_sdk::PlayerId;
//!
//! # #[tickswap_abi::hooks]
//! # pub trait ArenaHooks {
//! #     fn joined(&mut self, player: PlayerId, name: String);
//! # }
//! #[derive(Default)]
//! struct Arena {
//!     players: HashMap<PlayerId, String>,
//! }
//!
//! #[tickswap_sdk::module]
//! impl ArenaHooks for Arena {
//!     fn joined(&mut self, player: PlayerId, name: String) {
//!         tickswap_sdk::info!("{name} is here");
//!         self.players.insert(player, name);
//!     }
//! }
//! # fn main() {}
//! ```
//!
//! The macro keeps one `Arena` in a static. `Default` runs once, at the first start of a world; a patch keeps the
//! state and replaces the code. A mod that forbids `unsafe_code` must `deny` it instead: the exports that
//! the macro writes need `#[unsafe(no_mangle)]`.
//!
//! On targets other than wasm32 the macro leaves the `impl` as it is and the logging macros do nothing, so
//! that a mod's rules can be tested natively. The server's side is not here: see tickswap-abi.

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod guest;

mod log;

pub use log::{Level, write};
#[doc(hidden)]
pub use tickswap_abi as abi;
pub use tickswap_abi::PlayerId;
pub use tickswap_macros::module;
