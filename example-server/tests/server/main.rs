//! The server over real sockets, with the arena's real rules: what clients are promised, what bad input does, and a short soak.
//!
//! Waiting times here only end a test that hangs; no verdict depends on the clock.

#![allow(clippy::unwrap_used)]

mod bad_candidates;
mod bad_clients;
mod client;
mod faults;
mod http;
mod onlookers;
mod play;
mod restarts;
mod swaps;

use std::{sync::OnceLock, time::Duration};

use example_server::{
    ARENA_MOD, Server, ServerConfig, bind,
    mods::{ModFile, ModsFolder},
};
use tickswap_abi::ModName;

/// After this a test has hung.
const PATIENCE: Duration = Duration::from_secs(120);

fn arena() -> ModName {
    ModName::try_from(ARENA_MOD).unwrap()
}

/// The example's mods, built once.
fn mods() -> Vec<ModFile> {
    static MODS: OnceLock<Vec<ModFile>> = OnceLock::new();
    let build = || ModsFolder::of_the_example().build(None, &(std::sync::Arc::new(|_: &str| ()) as _)).unwrap();
    MODS.get_or_init(build).clone()
}

fn server(worlds: usize) -> Server {
    let config = ServerConfig { worlds, ..ServerConfig::default() };
    Server::start(bind("127.0.0.1", 0).unwrap(), &config, mods()).unwrap()
}
