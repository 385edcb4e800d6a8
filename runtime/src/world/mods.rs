//! The mods of one world in the server's order, and what they share: the outside that is lent to one of them at a time.

use std::{collections::HashMap, sync::Arc};

use tickswap_abi::{ModName, PlayerId};
use tickswap_linker::GenerationId;

use super::{
    ChangeKind, Effects, Fault, FaultOutcome, Outside, RecordedQueries, Transactions, WorldError, probation::Probations,
};
use crate::{
    engine::{Guest, GuestTrap, Signatures},
    ids::SubmissionId,
};

/// The mods of one world.
pub(crate) struct Mods {
    pub(super) slots: Vec<ModSlot>,
    /// Away only while a hook runs, or after a host function panicked in the middle of one.
    pub(super) outside: Option<Box<Outside>>,
    pub(super) signatures: Arc<Signatures>,
    /// Encoded arguments of the hook call that is being made; reused.
    pub(super) encoded: Vec<u8>,
    /// Whether a mod that cannot be undone was called in this tick.
    pub(super) cannot_undo: bool,
    /// Whether a tick changed what a status shows.
    pub(super) has_changed: bool,
    pub(super) settings: WorldSettings,
    world: Arc<str>,
}

/// What a server chose for all its worlds.
#[derive(Clone, Debug, Default)]
pub(crate) struct WorldSettings {
    /// Mods stand in this order, those it does not name after it by name.
    pub(crate) order: Arc<[ModName]>,
    /// Of mods that have no mode of their own.
    pub(crate) transactions: Transactions,
    /// By mod.
    pub(crate) transactions_of: Arc<HashMap<ModName, Transactions>>,
    pub(crate) probation_ticks: u32,
    pub(crate) faults_in_a_row: u32,
}

/// One mod of a world. Present as soon as its first generation is being staged; called once one is active.
pub(crate) struct ModSlot {
    /// Number of the mod in its world, never used again.
    number: usize,
    pub(super) name: ModName,
    pub(super) guest: Guest<Outside>,
    /// Position of the active generation in the guest.
    pub(super) active: Option<usize>,
    /// Players served by another generation than the active one.
    pub(super) players: HashMap<PlayerId, usize>,
    paused: Option<Paused>,
    pub(super) faults: u64,
    pub(super) transactions: Transactions,
    pub(super) probations: Probations,
    /// Ticks one after the other that ran without it because it faulted.
    pub(super) faults_in_a_row: u32,
    /// Whether it was called in this tick.
    pub(super) is_touched: bool,
    /// Whether it was called in this tick and may be called again without a further look.
    pub(super) is_ready: bool,
    /// Why this tick runs without it, if it does.
    pub(super) left_out: Option<Box<str>>,
}

/// A pause lasts until another generation is activated.
struct Paused {
    reason: String,
    generation: Option<GenerationId>,
}

/// Why a generation becomes active.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Activation {
    pub(crate) submission: SubmissionId,
    pub(crate) kind: ChangeKind,
    /// Ticks that it has to prove itself; 0 if there is nothing to prove.
    pub(crate) probation_ticks: u32,
}

impl Mods {
    /// No mods yet.
    pub(crate) fn new(world: Arc<str>, outside: Outside, signatures: Arc<Signatures>, settings: WorldSettings) -> Self {
        Self {
            slots: Vec::new(),
            outside: Some(Box::new(outside)),
            signatures,
            encoded: Vec::new(),
            cannot_undo: false,
            has_changed: false,
            settings,
            world,
        }
    }

    /// Adds a mod without an active generation, and answers its number.
    pub(crate) fn add(&mut self, name: ModName, guest: Guest<Outside>) -> usize {
        let names = self.outside.as_mut().map(|outside| &mut outside.names);
        let number = names.map_or(usize::MAX, |names| {
            names.push(name.clone());
            names.len() - 1
        });
        let order = &self.settings.order;
        let rank = |name: &ModName| order.iter().position(|known| known == name).unwrap_or(usize::MAX);
        let place = self.slots.partition_point(|slot| (rank(&slot.name), &slot.name) < (rank(&name), &name));
        let own = self.settings.transactions_of.get(&name).copied();
        let slot = ModSlot {
            number,
            name,
            guest,
            active: None,
            players: HashMap::new(),
            paused: None,
            faults: 0,
            transactions: own.unwrap_or(self.settings.transactions),
            probations: Probations::default(),
            faults_in_a_row: 0,
            is_touched: false,
            is_ready: false,
            left_out: None,
        };
        self.slots.insert(place, slot);
        number
    }

    /// Takes a mod out again whose start failed.
    pub(crate) fn remove(&mut self, number: usize) {
        self.slots.retain(|slot| slot.number != number);
    }

    /// Runs the mod's `Default` on a staged generation.
    pub(crate) fn start(&mut self, number: usize, position: usize, tick: u64) -> Result<(), GuestTrap> {
        let Some(outside) = &mut self.outside else {
            return Err(GuestTrap::of_host(
                "a host function of the server panicked before; tick the world first".to_owned(),
            ));
        };
        outside.caller = number;
        outside.tick = tick;
        // A world that never idles starts mods within a boundary: the tick that follows takes effects as before.
        let takes_effects = std::mem::take(&mut outside.takes_effects);
        let started = match self.slots.iter_mut().find(|slot| slot.number == number) {
            Some(slot) => {
                let started = slot.guest.start(position, &mut self.outside);
                // From here on; a start that fails takes the whole mod with it.
                slot.guest.set_transactional(slot.transactions == Transactions::Always);
                started
            }
            None => Ok(()),
        };
        if let Some(outside) = &mut self.outside {
            outside.takes_effects = takes_effects;
        }
        started
    }

    /// All mods in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &ModSlot> {
        self.slots.iter()
    }

    /// The mod of a number.
    pub(crate) fn get_mut(&mut self, number: usize) -> Option<&mut ModSlot> {
        self.slots.iter_mut().find(|slot| slot.number == number)
    }

    /// The mod of a name.
    pub(crate) fn named(&self, name: &str) -> Option<&ModSlot> {
        self.slots.iter().find(|slot| slot.name == name)
    }

    pub(super) fn begin_tick(&mut self, tick: u64, faults: &mut Vec<Fault>) {
        if self.outside.is_none() {
            self.recover_outside(tick, faults);
        }
        if let Some(outside) = &mut self.outside {
            outside.begin_tick(tick);
        }
    }

    /// A host function panicked in an earlier tick, and the server caught it: the mod that had called it was cut off in
    /// the middle of its hook. If that tick could not be undone, it is as suspect as after a trap of its own.
    fn recover_outside(&mut self, tick: u64, faults: &mut Vec<Fault>) {
        for slot in &mut self.slots {
            let Some(outside) = slot.guest.recover_host() else {
                continue;
            };
            self.outside = Some(outside);
            let position = slot.active.unwrap_or_default();
            if let Some(generation) = slot.guest.generation(position) {
                let is_undone = slot.guest.is_transactional();
                let message = "a host function of the server panicked while this mod called it";
                let trap = GuestTrap::of_host(message.to_owned());
                let mut fault = Fault::new(slot.name.clone(), generation, &self.world, tick, trap);
                fault.hook = "the hook it was in".to_owned();
                if is_undone {
                    fault.outcome = FaultOutcome::Cut;
                }
                slot.faults += 1;
                if !is_undone {
                    slot.pause(&fault, "its state is suspect");
                }
                faults.push(fault);
            }
        }
    }

    pub(super) fn effects(&self) -> Effects<'_> {
        let outside = self.outside.as_deref();
        let (list, names) = (outside.map(|o| &o.effects), outside.map(|o| &o.names[..]));
        Effects::new(list, names.unwrap_or_default(), &self.signatures)
    }

    pub(super) fn queries(&self) -> RecordedQueries<'_> {
        let outside = self.outside.as_deref();
        let (list, names) = (outside.map(|o| &o.queries), outside.map(|o| &o.names[..]));
        RecordedQueries::new(list, names.unwrap_or_default(), &self.signatures)
    }

    pub(super) fn assign_player(
        &mut self,
        player: PlayerId,
        mod_name: &ModName,
        generation: Option<GenerationId>,
    ) -> Result<(), WorldError> {
        let known = || self.slots.iter().map(|slot| slot.name.clone()).collect();
        let Some(index) = self.slots.iter().position(|slot| slot.name == *mod_name) else {
            return Err(WorldError::UnknownMod {
                world: self.world.to_string(),
                mod_name: mod_name.clone(),
                known: known(),
            });
        };
        let slot = &mut self.slots[index];
        match generation {
            None => {
                slot.players.remove(&player);
            }
            Some(generation) => {
                let position = slot.guest.position(generation);
                let position =
                    position.ok_or_else(|| WorldError::UnknownGeneration { mod_name: mod_name.clone(), generation })?;
                slot.players.insert(player, position);
            }
        }
        Ok(())
    }

    /// In idle time, when nothing is staged: gives up transactions where they are no longer wanted.
    pub(crate) fn settle(&mut self) {
        self.slots.iter_mut().for_each(ModSlot::settle);
    }

    /// Whether the status has changed since this was last asked.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        self.slots.iter().map(|slot| slot.guest.memory_bytes()).sum()
    }
}

impl ModSlot {
    /// The mod's name.
    pub(crate) fn name(&self) -> &ModName {
        &self.name
    }

    /// Number of the mod in its world.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// Its memory and staged generations.
    pub(crate) fn guest(&self) -> &Guest<Outside> {
        &self.guest
    }

    /// Its memory and staged generations, to stage more.
    pub(crate) fn guest_mut(&mut self) -> &mut Guest<Outside> {
        &mut self.guest
    }

    /// The generation that hooks go to.
    pub(crate) fn active_generation(&self) -> Option<GenerationId> {
        self.active.and_then(|position| self.guest.generation(position))
    }

    /// Why it is not called, if it is paused.
    pub(crate) fn pause_reason(&self) -> Option<&str> {
        self.paused.as_ref().map(|paused| paused.reason.as_str())
    }

    /// How often it faulted in this world.
    pub(crate) fn fault_count(&self) -> u64 {
        self.faults
    }

    /// Players served by a chosen generation.
    pub(crate) fn assigned_players(&self) -> usize {
        self.players.len()
    }

    /// The flip: hooks go to the staged generation at `position` from now on. Changes an index, cannot fail.
    ///
    /// Ends a pause if the generation is another one than that which faulted. Answers what was active.
    pub(crate) fn activate(&mut self, position: usize, change: Activation) -> Option<GenerationId> {
        let before = self.active_generation();
        let replaced = self.active.replace(position);
        if replaced != self.active {
            self.faults_in_a_row = 0;
            match change.kind {
                ChangeKind::Patch | ChangeKind::Activate => {
                    self.probations.begin(change.submission, replaced, change.probation_ticks);
                }
                _ => self.probations.clear(),
            }
        }
        let now = self.guest.generation(position);
        if self.paused.as_ref().is_some_and(|paused| paused.generation != now) {
            self.paused = None;
        }
        before
    }

    /// Position of the generation that serves a call.
    #[inline]
    pub(super) fn position_for(&self, player: Option<PlayerId>) -> Option<usize> {
        match player {
            Some(player) if !self.players.is_empty() => self.players.get(&player).copied().or(self.active),
            _ => self.active,
        }
    }

    #[inline]
    pub(super) fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Pauses it after a fault; `state` says what is to be thought of its state.
    pub(super) fn pause(&mut self, fault: &Fault, state: &str) {
        self.pause_with(format!("it faulted in tick {} in {}, and {state}: {}", fault.tick, fault.hook, fault.message));
    }

    pub(super) fn pause_with(&mut self, reason: String) {
        self.is_ready = false;
        self.paused = Some(Paused { reason, generation: self.active_generation() });
    }

    /// Whether its active generation has yet to prove itself.
    pub(crate) fn is_on_probation(&self) -> bool {
        self.probations.current().is_some()
    }

    /// A generation is being staged: what it does from its first tick on can be undone, if the mod's mode says so.
    pub(crate) fn prepare_probation(&mut self) {
        self.guest.set_transactional(self.transactions != Transactions::Off);
    }

    /// In idle time: a proved mod in mode `Probation` does without transactions.
    pub(super) fn settle(&mut self) {
        if self.transactions == Transactions::Probation && !self.is_on_probation() && self.players.is_empty() {
            self.guest.set_transactional(false);
        }
    }
}
