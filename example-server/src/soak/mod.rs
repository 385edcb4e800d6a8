//! The soak: bots over loopback WebSockets, and code swapped under them again and again. Proves that nothing is lost and
//! measures what a swap costs.
//!
//! The server is the one that `serve` starts; only the bots are added. Prints nothing; progress goes to a listener.

mod candidates;
mod check;
mod large;
mod phases;
mod report;
mod statistics;

use std::sync::Arc;

pub use self::{
    candidates::{Candidate, CandidateError, Candidates},
    check::Failure,
    large::{LARGE_FUNCTIONS, LargeCompiles, LargeMod},
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
    /// Seconds of the phase with swaps.
    pub seconds: u32,
    /// Seconds of the baseline before it, with which it is compared.
    pub baseline_seconds: u32,
    /// Binaries to swap in, each another one.
    pub swaps: usize,
    /// Seconds from one swap to the next. When all binaries are in, the swaps go on among them. None spreads each binary's one
    /// swap evenly over the phase.
    pub swap_every: Option<f64>,
    /// One swap of so many is to a faulty generation, which every world has to take back by itself.
    pub faulty_every: Option<usize>,
    /// Port of the server; 0 for any.
    pub port: u16,
    /// Real browsers that watch.
    pub browsers: usize,
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
            baseline_seconds: 30,
            swaps: 100,
            swap_every: None,
            faulty_every: None,
            port: 0,
            browsers: 0,
            state_mib: 0,
        }
    }
}

impl SoakConfig {
    /// Seconds from one swap to the next, and how many there are.
    fn schedule(&self) -> (f64, usize) {
        let seconds = f64::from(self.seconds);
        match self.swap_every {
            Some(every) if every > 0.0 && self.swaps > 0 => (every, (seconds / every) as usize),
            _ => (seconds / self.swaps.max(1) as f64, self.swaps),
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
