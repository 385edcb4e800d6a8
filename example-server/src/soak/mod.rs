//! The soak: bots over loopback WebSockets, and code swapped under them again and again. Proves that nothing is lost and
//! measures what a swap costs.
//!
//! The server is the one that `serve` starts; only the bots are added. Prints nothing; progress goes to a listener.

mod candidates;
mod check;
mod phases;
mod report;
mod statistics;

use std::sync::Arc;

pub use self::{
    candidates::{Candidate, CandidateError, Candidates},
    check::Failure,
    phases::SoakError,
    report::{Distribution, Report},
};
use crate::mods::Listener;

/// What a soak does.
#[derive(Clone, Debug)]
pub struct SoakConfig {
    /// Bots, spread over the worlds.
    pub players: usize,
    /// Worlds.
    pub worlds: usize,
    /// Ticks per second of each world.
    pub tick_rate: u32,
    /// Frames per second that bots are sent.
    pub frame_rate: u32,
    /// Inputs per second of each bot.
    pub input_rate: u32,
    /// Seconds of the baseline, and again of the phase with swaps.
    pub seconds: u32,
    /// Swaps, each with a binary of its own.
    pub swaps: usize,
    /// Mebibytes of live state that each world's rules hold beside the game's.
    pub state_mib: u32,
}

impl Default for SoakConfig {
    fn default() -> Self {
        Self {
            players: 200,
            worlds: 1,
            tick_rate: 60,
            frame_rate: 10,
            input_rate: 20,
            seconds: 30,
            swaps: 100,
            state_mib: 0,
        }
    }
}

/// What came of a soak.
#[derive(Clone, Debug)]
pub struct SoakOutcome {
    /// The numbers.
    pub report: Report,
    /// Everything that went wrong. A soak passes if this is empty.
    pub failures: Vec<Failure>,
}

/// Runs a soak with candidates that are built already.
pub fn run(config: &SoakConfig, candidates: &Candidates, listener: &Listener) -> Result<SoakOutcome, SoakError> {
    phases::run(config, candidates, &Arc::clone(listener))
}
