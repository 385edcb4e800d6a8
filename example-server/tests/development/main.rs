//! Goal: saving a source brings it to players who go on playing; what cannot go live is said, and nobody else notices.
//! Method: a real server, a copy of the real mods, real saves, a player over a real socket, and the real program.
//!
//! Waiting times here only end a test that hangs; no verdict depends on the clock.

#![allow(clippy::unwrap_used)]

#[path = "../server/client.rs"]
mod client;
mod copy;
mod program;
mod saves;

use std::{
    sync::{Mutex, MutexGuard},
    time::Duration,
};

/// After this a test has hung. Builds on a busy machine take minutes.
const PATIENCE: Duration = Duration::from_secs(600);

/// The copy of the mods is one folder, so that cargo need not compile all dependencies for each run.
fn alone() -> MutexGuard<'static, ()> {
    static COPY: Mutex<()> = Mutex::new(());
    COPY.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
