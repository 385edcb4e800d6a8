//! A tick as one transaction over all mods of a world: what is kept, what is undone, and what changes before it runs again.
//!
//! A mod takes part from its first hook in the tick on, so a world at rest costs nothing. Running the closure again is
//! [`super::World::tick`]'s business.

use serde::{Deserialize, Serialize};

use super::{
    Fault, FaultOutcome, Mods,
    mods::ModSlot,
    probation::{self, WentBack},
};

/// Whether a mod's ticks can be undone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Transactions {
    /// Every tick.
    #[default]
    Always,
    /// Ticks on code that is on probation, and from staging on until idle time comes after it. Otherwise a fault pauses
    /// the mod with its state suspect, as with `Off`.
    Probation,
    /// Never: a fault pauses the mod with its state suspect.
    Off,
}

/// A fault that ended a run of the closure, all of which can be undone.
#[derive(Debug)]
pub(super) struct Broken {
    /// Number of the mod.
    pub(super) number: usize,
    /// Position of the generation that was called.
    pub(super) position: usize,
    pub(super) fault: Fault,
}

impl Mods {
    /// Keeps what the tick did.
    pub(super) fn commit(&mut self) {
        for slot in &mut self.slots {
            slot.guest.commit();
            if std::mem::take(&mut slot.is_touched) {
                slot.faults_in_a_row = 0;
                self.has_changed |= slot.probations.passed();
            }
            slot.left_out = None;
        }
        self.cannot_undo = false;
    }

    /// Undoes what the tick did, as far as it can be. Mods that were left out are called again in the next tick.
    pub(super) fn roll_back(&mut self) {
        self.undo();
        self.slots.iter_mut().for_each(|slot| slot.left_out = None);
    }

    /// Whether a tick ended in the middle, because the server panicked in it and caught that later.
    pub(super) fn is_in_tick(&self) -> bool {
        self.slots.iter().any(|slot| slot.is_touched || slot.left_out.is_some())
    }

    fn undo(&mut self) {
        for slot in &mut self.slots {
            if !slot.guest.roll_back() {
                let reason = "a tick could not be undone, and its state is suspect; the log of the server says why";
                slot.pause_with(reason.to_owned());
                self.has_changed = true;
            }
            slot.is_touched = false;
        }
        self.cannot_undo = false;
        if let Some(outside) = &mut self.outside {
            outside.effects.clear();
            outside.queries.clear();
        }
    }

    /// Undoes a run that a fault ended, and changes something, so that the next run does not meet the same fault: code that
    /// is on probation goes back with all that came with it; where there is nothing to go back to, the mod is left out.
    pub(super) fn undo_broken(&mut self, broken: Broken, faults: &mut Vec<Fault>, went_back: &mut Vec<WentBack>) {
        self.undo();
        self.has_changed = true;
        let Broken { number, position, mut fault } = broken;
        let faults_in_a_row = self.settings.faults_in_a_row.max(1);
        let Some(slot) = self.get_mut(number) else {
            return;
        };
        slot.faults += 1;
        let to_go_back = slot.probations.current().filter(|probation| probation.before.is_some());
        fault.outcome = if slot.active != Some(position) {
            slot.players.retain(|_, assigned| *assigned != position);
            FaultOutcome::PlayersWentBack
        } else if let Some(probation) = to_go_back {
            fault.outcome = FaultOutcome::WentBack;
            let submission = probation.submission;
            let swaps = self.slots.iter_mut().filter_map(|slot| slot.go_back(submission, &fault)).collect();
            went_back.push(WentBack { submission, mods: swaps, fault: fault.clone() });
            FaultOutcome::WentBack
        } else {
            slot.faults_in_a_row += 1;
            slot.left_out = Some(fault.message.as_str().into());
            if slot.faults_in_a_row >= faults_in_a_row {
                slot.pause(&fault, "its state is as before that tick");
                FaultOutcome::Paused
            } else {
                FaultOutcome::LeftOut
            }
        };
        faults.push(fault);
    }
}

impl ModSlot {
    /// Takes part in the tick from here on. Whether what it does can be undone.
    #[inline]
    pub(super) fn touch(&mut self) -> bool {
        self.is_touched = true;
        self.guest.begin_tick_budget();
        self.guest.begin()
    }

    /// Goes back to what was active before a submission, if it is on probation for it.
    fn go_back(&mut self, submission: crate::ids::SubmissionId, fault: &Fault) -> Option<super::ModSwap> {
        let probation = self.probations.current().filter(|probation| probation.submission == submission)?;
        let from = self.active_generation();
        let Some(before) = probation.before else {
            self.probations.clear();
            self.pause_with(format!("it came with {} of {}, which went back", fault.generation, fault.mod_name));
            return None;
        };
        self.probations.end();
        self.active = Some(before);
        self.faults_in_a_row = 0;
        probation::swap(&self.name, from, self.active_generation())
    }
}
