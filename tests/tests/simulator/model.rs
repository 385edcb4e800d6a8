//! What a world must be, said without a runtime: totals, active generations, probation, pauses.

use std::collections::HashMap;

use tickswap::FaultOutcome;

use crate::generations::{GENERATIONS, MODS, apply};

/// Ticks of probation, and faults in a row until a mod is paused, as the simulated server sets them.
pub(crate) const PROBATION_TICKS: u32 = 12;
pub(crate) const FAULTS_IN_A_ROW: u32 = 2;

/// An input of a player.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    pub(crate) player: u64,
    pub(crate) amount: u32,
}

/// A mod in a world.
#[derive(Clone, Debug)]
pub(crate) struct ModModel {
    pub(crate) active: u32,
    pub(crate) total: u64,
    /// What was active before, and ticks left; the active generation's last.
    probations: Vec<(u32, u32)>,
    faults_in_a_row: u32,
    /// The generation that was active when it was paused.
    pub(crate) paused: Option<u32>,
    pub(crate) players: HashMap<u64, u32>,
    left_out: bool,
}

/// A world.
#[derive(Clone, Debug)]
pub(crate) struct WorldModel {
    pub(crate) mods: [ModModel; 2],
}

/// What a tick must answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    /// By mod; `None` if it was left out or paused. Nothing at all if the closure failed.
    pub(crate) totals: Option<[Option<u64>; 2]>,
    pub(crate) outcomes: Vec<FaultOutcome>,
}

impl WorldModel {
    pub(crate) fn new() -> Self {
        let of = |position: usize| ModModel {
            active: GENERATIONS[position].len() as u32,
            total: 0,
            probations: Vec::new(),
            faults_in_a_row: 0,
            paused: None,
            players: HashMap::new(),
            left_out: false,
        };
        Self { mods: [of(0), of(1)] }
    }

    /// One tick with these inputs, whose closure fails at its end or does not.
    pub(crate) fn tick(&mut self, inputs: &[Input], fails: bool) -> Expected {
        let before = self.mods.each_ref().map(|m| m.total);
        let mut outcomes = Vec::new();
        let undo = |mods: &mut [ModModel; 2]| mods.iter_mut().zip(before).for_each(|(m, total)| m.total = total);
        while let Some((position, generation)) = self.run(inputs) {
            undo(&mut self.mods);
            outcomes.push(self.mods[position].repair(generation));
        }
        if fails {
            undo(&mut self.mods);
        }
        let totals = self.mods.each_mut().map(|m| m.end(fails));
        Expected { totals: (!fails).then_some(totals), outcomes }
    }

    /// Runs the inputs, and answers who faulted.
    fn run(&mut self, inputs: &[Input]) -> Option<(usize, u32)> {
        for input in inputs {
            for (position, m) in self.mods.iter_mut().enumerate().filter(|(_, m)| m.is_called()) {
                let generation = m.players.get(&input.player).copied().unwrap_or(m.active);
                let flaw = GENERATIONS[position][generation as usize - 1];
                match apply(flaw, generation, m.total, input.amount) {
                    Some(total) => m.total = total,
                    None => return Some((position, generation)),
                }
            }
        }
        None
    }

    pub(crate) fn shown(&self) -> String {
        let shown = self.mods.iter().zip(MODS).map(|(m, name)| format!("{name} {m:?}"));
        shown.collect::<Vec<_>>().join("\n")
    }
}

impl ModModel {
    pub(crate) fn activate(&mut self, generation: u32) {
        if generation == self.active {
            return;
        }
        self.probations.push((self.active, PROBATION_TICKS));
        if self.probations.len() > tickswap::limits::PROBATIONS_MAX {
            self.probations.remove(0);
        }
        self.faults_in_a_row = 0;
        self.active = generation;
        if self.paused != Some(generation) {
            self.paused = None;
        }
    }

    fn is_called(&self) -> bool {
        self.paused.is_none() && !self.left_out
    }

    fn repair(&mut self, generation: u32) -> FaultOutcome {
        if generation != self.active {
            self.players.retain(|_, assigned| *assigned != generation);
            return FaultOutcome::PlayersWentBack;
        }
        if let Some((before, _)) = self.probations.pop() {
            self.active = before;
            self.faults_in_a_row = 0;
            return FaultOutcome::WentBack;
        }
        self.left_out = true;
        self.faults_in_a_row += 1;
        if self.faults_in_a_row < FAULTS_IN_A_ROW {
            return FaultOutcome::LeftOut;
        }
        self.paused = Some(self.active);
        FaultOutcome::Paused
    }

    /// The tick is over; answers the total that a call of this run gave.
    fn end(&mut self, fails: bool) -> Option<u64> {
        let total = self.is_called().then_some(self.total);
        if total.is_some() && !fails {
            self.faults_in_a_row = 0;
            if let Some((_, left)) = self.probations.last_mut() {
                *left -= 1;
                if *left == 0 {
                    self.probations.clear();
                }
            }
        }
        self.left_out = false;
        total
    }
}
