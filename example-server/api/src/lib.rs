//! The arena's contract: what its mods implement, what they may call, and the types that cross between.
//!
//! Server and mods both compile against this crate. It holds no rules: those are the mods'.

mod hooks;
mod host;
mod types;

pub use hooks::*;
pub use host::*;
pub use tickswap_abi::PlayerId;
pub use types::*;

/// The contract, for `Runtime::builder().contract(..)`.
#[cfg(not(target_arch = "wasm32"))]
pub fn contract() -> tickswap_abi::Contract {
    tickswap_abi::Contract::new("arena").with_hooks(&arena_hooks::INTERFACE).with_host(&arena_host::INTERFACE)
}
