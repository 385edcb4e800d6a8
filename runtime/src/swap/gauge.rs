//! What a world shows of itself to others. Written by the world when the lock is free, read by whoever asks for status.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tickswap_abi::ModName;
use tickswap_linker::GenerationId;

use crate::world::{Fault, FaultLog, ModSlot, Mods};

/// The face of one world.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    tick: AtomicU64,
    memory_bytes: AtomicU64,
    shown: Mutex<Shown>,
}

#[derive(Debug, Default)]
struct Shown {
    mods: Vec<WorldModStatus>,
    faults: FaultLog,
}

/// A world as its last boundary left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorldStatus {
    /// Its name.
    pub name: String,
    /// Its last tick.
    pub tick: u64,
    /// Bytes of linear memory of all its mods, as of the last idle time or change.
    pub memory_bytes: u64,
    /// Its mods in the server's order.
    pub mods: Vec<WorldModStatus>,
    /// Its last faults, repeats folded and counted, newest last.
    pub faults: Vec<Fault>,
}

/// A mod in one world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorldModStatus {
    /// The mod.
    pub mod_name: ModName,
    /// The generation that hooks go to; `None` before its first boundary.
    pub active: Option<GenerationId>,
    /// Generations that can be activated without staging.
    pub resident_generations: usize,
    /// Why it is not called, if it is paused.
    pub paused: Option<String>,
    /// How often it faulted in this world.
    pub faults: u64,
    /// Whether the active generation has yet to prove itself: a fault would go back to the one before.
    pub on_probation: bool,
    /// Players served by a chosen generation.
    pub assigned_players: usize,
    /// Bytes of its linear memory.
    pub memory_bytes: u64,
}

impl Gauge {
    /// Shows the number of the last tick.
    #[inline]
    pub(crate) fn ticked(&self, number: u64) {
        self.tick.store(number, Ordering::Relaxed);
    }

    /// Shows the size of the memories.
    pub(crate) fn grown(&self, mods: &Mods) {
        self.memory_bytes.store(mods.memory_bytes(), Ordering::Relaxed);
    }

    /// Shows the mods and new faults, if nobody is looking. Whether it did.
    pub(crate) fn try_show(&self, mods: &Mods, faults: &mut Vec<Fault>) -> bool {
        let Some(mut shown) = self.shown.try_lock() else {
            return false;
        };
        shown.mods.clear();
        shown.mods.extend(mods.iter().map(WorldModStatus::of));
        for fault in faults.drain(..) {
            shown.faults.take(fault);
        }
        drop(shown);
        self.grown(mods);
        true
    }

    /// What is shown.
    pub(crate) fn read(&self, name: &str) -> WorldStatus {
        let shown = self.shown.lock();
        WorldStatus {
            name: name.to_owned(),
            tick: self.tick.load(Ordering::Relaxed),
            memory_bytes: self.memory_bytes.load(Ordering::Relaxed),
            mods: shown.mods.clone(),
            faults: shown.faults.iter().cloned().collect(),
        }
    }
}

impl WorldModStatus {
    fn of(slot: &ModSlot) -> Self {
        Self {
            mod_name: slot.name().clone(),
            active: slot.active_generation(),
            resident_generations: slot.guest().generations().count(),
            paused: slot.pause_reason().map(str::to_owned),
            faults: slot.fault_count(),
            on_probation: slot.is_on_probation(),
            assigned_players: slot.assigned_players(),
            memory_bytes: slot.guest().memory_bytes(),
        }
    }
}
