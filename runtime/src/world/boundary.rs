//! What a world asks of the floor above, at its boundaries and in its idle time.

use std::time::Instant;

use tickswap_abi::ModName;
use tickswap_linker::GenerationId;

use super::{Fault, Mods, SwapRecord, WentBack, WorldError};

/// Changes what code is active. One per world, owned by it; dropping it takes the world out of the runtime.
pub(crate) trait Boundary: Send {
    /// Enters the boundary before tick `number`: activates what is staged. When it did so, if anything was activated.
    fn enter(&mut self, mods: &mut Mods, number: u64) -> Option<Instant>;

    /// The tick's closure has run: publishes what the boundary did, and appends it to `swapped`.
    fn leave(&mut self, mods: &mut Mods, report: TickReport<'_>, swapped: &mut Vec<SwapRecord>);

    /// Stages what waits, until nothing does or `until` has passed.
    fn idle(&mut self, mods: &mut Mods, number: u64, until: Instant);

    /// Sleeps until a change arrives (true) or `until` has passed or no change can arrive any more (false).
    fn wait(&mut self, until: Instant) -> bool;

    /// Stages one generation now.
    fn stage(&mut self, mods: &mut Mods, mod_name: &ModName, generation: GenerationId) -> Result<(), WorldError>;
}

/// What a tick tells its boundary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TickReport<'a> {
    /// The tick's number.
    pub(crate) number: u64,
    /// From entering the boundary to the first hook; 0 when nothing was activated.
    pub(crate) pause_ns: u64,
    /// Faults of this tick.
    pub(crate) faults: &'a [Fault],
    /// What went back by itself in this tick.
    pub(crate) went_back: &'a [WentBack],
}
