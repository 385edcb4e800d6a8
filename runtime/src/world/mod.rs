//! One world: its mods, its tick, and what a tick leaves behind. Knows how to call code that is staged, not where code
//! comes from: changing what is active is the business of the floor above, which implements [`Boundary`].
//!
//! **Invariant:** nothing in [`World::tick`] waits for a lock that is held across compilation, I/O or verification.

mod boundary;
mod done;
mod effects;
mod error;
mod fault;
mod mods;
mod outside;
mod probation;
mod queries;
mod record;
mod tick;
mod transaction;

use std::{sync::Arc, time::Instant};

use tickswap_abi::{CallError, ModName, PlayerId};
use tickswap_linker::GenerationId;

pub(crate) use boundary::{Boundary, TickReport};
pub use done::TickDone;
pub use effects::{EffectIter, Effects};
pub use error::{TickError, WorldError};
pub(crate) use fault::FaultLog;
pub use fault::{Fault, FaultOutcome};
pub(crate) use mods::{Activation, ModSlot, Mods, WorldSettings};
pub(crate) use outside::Outside;
pub(crate) use probation::WentBack;
pub use queries::{QueryRef, RecordedQueries};
pub use record::{ChangeKind, ModSwap, SwapRecord};
pub use tick::{PlayerTick, Tick};
pub use transaction::Transactions;

use crate::clock;

/// One isolated set of mod memories that tick together: a room, match, zone or shard.
///
/// Owned by whoever ticks it. Different worlds tick on different threads. Dropping a world takes it out of the runtime,
/// and lets submissions that wait for it finish.
pub struct World {
    name: Arc<str>,
    number: u64,
    mods: Mods,
    faults: Vec<Fault>,
    fault_log: FaultLog,
    went_back: Vec<WentBack>,
    boundary: Box<dyn Boundary>,
}

impl World {
    /// A world of mods that have started.
    pub(crate) fn new(name: Arc<str>, mods: Mods, boundary: Box<dyn Boundary>) -> Self {
        Self {
            name,
            number: 0,
            mods,
            faults: Vec::new(),
            fault_log: FaultLog::default(),
            went_back: Vec::new(),
            boundary,
        }
    }

    /// The world's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of the last tick, 0 before the first.
    pub fn tick_number(&self) -> u64 {
        self.number
    }

    /// One step of the game loop, and one transaction over all mods of the world: it happens entirely or not at all.
    ///
    /// First the boundary: code that is staged becomes active. Then `closure` runs, and with it the hooks it calls. What
    /// it queued as effects is handed out with its value, if it succeeds.
    ///
    /// The closure draws from inputs and touches nothing outside, for it may run more than once: when a mod faults, everything that
    /// the run did is undone, code on probation goes back to what ran before (or the mod is left out, if there is nothing to
    /// go back to), and the closure runs again. Value, effects and queries are those of the run that was kept; the faults
    /// of all runs are handed out.
    ///
    /// # Errors
    ///
    /// [`TickError::Closure`] if the closure fails: effects are dropped and the mods' memories are as before the tick. Not
    /// undone is what mods did whose mode is not to be undone ([`Transactions`]).
    pub fn tick<T>(
        &mut self,
        mut closure: impl FnMut(&mut Tick<'_>) -> Result<T, CallError>,
    ) -> Result<TickDone<'_, T>, TickError> {
        self.end_cut_tick();
        self.number += 1;
        self.faults.clear();
        self.went_back.clear();
        self.mods.begin_tick(self.number, &mut self.faults);
        let mut entered = self.boundary.enter(&mut self.mods, self.number);
        let mut pause_ns = 0;
        let run = loop {
            let mut tick = Tick::new(&self.name, &mut self.mods, &mut self.faults, entered);
            let run = closure(&mut tick);
            // The first run's first hook ended the pause.
            if entered.take().is_some() {
                pause_ns = tick.pause_ns();
            }
            match tick.broken() {
                // Every turn takes a generation back or leaves a mod out, so there is a last one.
                Some(broken) => self.mods.undo_broken(broken, &mut self.faults, &mut self.went_back),
                None => break run,
            }
        };
        match &run {
            Ok(_) => self.mods.commit(),
            Err(_) => self.mods.roll_back(),
        }
        self.faults.iter().for_each(|fault| self.fault_log.report(fault));
        let mut swapped = Vec::new();
        let report = TickReport { number: self.number, pause_ns, faults: &self.faults, went_back: &self.went_back };
        self.boundary.leave(&mut self.mods, report, &mut swapped);
        let faults = std::mem::take(&mut self.faults);
        match run {
            Ok(value) => Ok(TickDone {
                number: self.number,
                value,
                effects: self.mods.effects(),
                queries: self.mods.queries(),
                faults,
                swapped,
            }),
            Err(error) => Err(TickError::Closure { error, faults }),
        }
    }

    /// The server panicked within a tick, and caught it: that tick did not happen.
    fn end_cut_tick(&mut self) {
        if self.mods.is_in_tick() {
            self.mods.roll_back();
        }
    }

    /// Does what waits to be done between ticks: staging new code, publishing records. Returns as soon as nothing waits or
    /// `until` has passed; one step that has begun is finished. Never sleeps.
    pub fn idle(&mut self, until: Instant) {
        self.end_cut_tick();
        self.boundary.idle(&mut self.mods, self.number, until);
    }

    /// Like [`World::idle`], but stays until `until`, asleep while nothing waits, awake for every change that arrives.
    pub fn idle_until(&mut self, until: Instant) {
        loop {
            self.idle(until);
            if clock::now() >= until || !self.boundary.wait(until) {
                break;
            }
        }
        // A change whose channel is gone cannot arrive any more, but the time is the caller's all the same.
        if let Some(rest) = until.checked_duration_since(clock::now()) {
            std::thread::sleep(rest);
        }
    }

    /// Serves a player with a chosen generation of a mod, whatever is active in the world; `None` ends that.
    ///
    /// Concerns hooks called through [`Tick::for_player`]. A generation that this world has not staged yet is staged
    /// now, on this thread.
    ///
    /// # Errors
    ///
    /// Unknown mod or generation, or a generation that cannot be staged here.
    pub fn assign_player(
        &mut self,
        player: PlayerId,
        mod_name: &ModName,
        generation: Option<GenerationId>,
    ) -> Result<(), WorldError> {
        self.end_cut_tick();
        if let Some(generation) = generation {
            self.boundary.stage(&mut self.mods, mod_name, generation)?;
        }
        self.mods.assign_player(player, mod_name, generation)
    }

    /// The generation of a mod that hooks of this world go to; `None` if the mod is not here.
    pub fn active_generation(&self, mod_name: &str) -> Option<GenerationId> {
        self.mods.named(mod_name).and_then(ModSlot::active_generation)
    }

    /// The mods of this world in the server's order, each with the generation that hooks go to and the reason if it is paused.
    pub fn mods(&self) -> impl Iterator<Item = (&ModName, Option<GenerationId>, Option<&str>)> {
        self.mods.iter().map(|slot| (slot.name(), slot.active_generation(), slot.pause_reason()))
    }

    /// Why a mod is paused in this world, if it is.
    pub fn pause_reason(&self, mod_name: &str) -> Option<&str> {
        self.mods.named(mod_name).and_then(ModSlot::pause_reason)
    }

    /// Bytes of linear memory of all mods of this world.
    pub fn memory_bytes(&self) -> u64 {
        self.mods.memory_bytes()
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("World").field("name", &self.name).field("tick", &self.number).finish_non_exhaustive()
    }
}

// A world is handed to the thread that ticks it.
const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<World>();
};
