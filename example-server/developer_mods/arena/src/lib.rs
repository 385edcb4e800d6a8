//! The arena's rules: movement inside bounds, shots that hit, score, respawn.
//!
//! All of it lives in the [`Arena`] that the SDK keeps: fighters in a map, hazards behind `dyn`, damage rules as boxed
//! closures. A hot-swap replaces the code below and leaves that state where it is.

mod ballast;
mod fighter;
mod hazard;
mod ledger;
mod rule_of_the_day;
mod shot;

use std::collections::HashMap;

use arena_api::*;

use crate::{
    ballast::Ballast,
    fighter::{Fighter, MAX_HEALTH},
    hazard::{Hazard, HealingZone, Whirlwind},
    ledger::Ledger,
    shot::Shot,
};

/// Points that end a round.
const ROUND_SCORE: u32 = 500;
/// Points for putting another player out.
const POINTS_PER_KILL: u32 = 100;

/// Damage rules at one time: the arena's own two, and the last few rules of the day.
const DAMAGE_RULES_MAX: usize = 6;

/// Changes the damage of a hit: the wounded fighter, and the damage so far.
type DamageRule = Box<dyn Fn(&Fighter, u32) -> u32>;

struct Arena {
    fighters: HashMap<PlayerId, Fighter>,
    shots: Vec<Shot>,
    shots_fired: u32,
    hazards: Vec<Box<dyn Hazard>>,
    damage_rules: Vec<DamageRule>,
    rule_of_the_day: u32,
    ledger: Ledger,
    ballast: Ballast,
    round: u32,
    updates: u64,
}

impl Default for Arena {
    fn default() -> Self {
        let mercy_below = MAX_HEALTH / 4;
        Self {
            fighters: HashMap::new(),
            shots: Vec::new(),
            shots_fired: 0,
            hazards: vec![
                Box::new(HealingZone::new(ARENA_WIDTH * 0.5, ARENA_HEIGHT * 0.5)),
                Box::new(Whirlwind::new()),
            ],
            damage_rules: vec![
                Box::new(move |fighter, damage| match fighter.health() < mercy_below {
                    true => damage / 2,
                    false => damage,
                }),
                Box::new(|fighter, damage| damage + fighter.score / 100),
            ],
            rule_of_the_day: rule_of_the_day::NUMBER,
            ledger: Ledger::default(),
            ballast: Ballast::default(),
            round: 1,
            updates: 0,
        }
    }
}

#[tickswap_sdk::module]
impl ArenaHooks for Arena {
    fn joined(&mut self, player: PlayerId, name: String) {
        let online = arena_host::players_online();
        tickswap_sdk::info!("{player} joined as {name}; {online} online");
        arena_host::broadcast(format!("{name} enters the arena"));
        let position = arena_host::spawn_position(player);
        self.ledger.joined(player);
        self.fighters.insert(player, Fighter::new(player, name, position));
    }

    fn left(&mut self, player: PlayerId) {
        self.ledger.left(player);
        self.shots.retain(|shot| shot.owner != player);
        if let Some(fighter) = self.fighters.remove(&player) {
            arena_host::broadcast(format!("{} has left the arena", fighter.name));
        }
    }

    fn input(&mut self, player: PlayerId, input: Input) {
        if !self.ledger.accepts(player, input.sequence) {
            return;
        }
        if let Some(fighter) = self.fighters.get_mut(&player) {
            fighter.steer(input.dx, input.dy, input.fire);
        }
    }

    fn update(&mut self, dt: f32) {
        self.updates += 1;
        self.ballast.touch(self.updates);
        self.keep_the_rule_of_the_day();
        rule_of_the_day::in_each_update(self.updates, self.fighters.len());
        self.move_fighters(dt);
        for hazard in &mut self.hazards {
            hazard.update(dt, &mut self.fighters);
        }
        self.move_shots(dt);
        if self.fighters.values().any(|fighter| fighter.score >= ROUND_SCORE) {
            self.next_round();
        }
    }

    fn frame(&self) -> Frame {
        let mut players: Vec<PlayerView> = self
            .fighters
            .iter()
            .map(|(&player, fighter)| PlayerView {
                player,
                name: fighter.name.clone(),
                position: fighter.position,
                facing: fighter.facing,
                condition: fighter.condition,
                score: fighter.score,
                color: fighter.color,
                acknowledged: self.ledger.last_sequence(player),
            })
            .collect();
        players.sort_by_key(|view| view.player);
        Frame {
            round: self.round,
            updates: self.updates,
            players,
            shots: self.shots.iter().map(Shot::view).collect(),
            hazards: self.hazards.iter().map(|hazard| hazard.view()).collect(),
        }
    }

    fn inputs(&self) -> InputTotals {
        self.ledger.totals()
    }

    fn reserve_state(&mut self, mebibytes: u32) {
        self.ballast.grow(mebibytes);
    }

    fn reserved_state(&self) -> ReservedState {
        self.ballast.check()
    }
}

impl Arena {
    /// Puts a new rule of the day into force. The rules of earlier days stay in the state for a while.
    fn keep_the_rule_of_the_day(&mut self) {
        if self.rule_of_the_day == rule_of_the_day::NUMBER {
            return;
        }
        self.rule_of_the_day = rule_of_the_day::NUMBER;
        if self.damage_rules.len() >= DAMAGE_RULES_MAX {
            drop(self.damage_rules.remove(2));
        }
        self.damage_rules.push(rule_of_the_day::rule());
        arena_host::broadcast(rule_of_the_day::announcement());
    }

    fn move_fighters(&mut self, dt: f32) {
        for (&player, fighter) in &mut self.fighters {
            if fighter.advance(dt) {
                fighter.revive(arena_host::spawn_position(player));
            }
            if fighter.takes_a_shot() {
                self.shots_fired = self.shots_fired.wrapping_add(1);
                self.shots.push(Shot::fired_by(player, fighter, self.shots_fired));
            }
        }
    }

    fn move_shots(&mut self, dt: f32) {
        let Self { fighters, shots, damage_rules, updates, .. } = self;
        shots.retain_mut(|shot| {
            if !shot.advance(dt) {
                return false;
            }
            let hit = fighters
                .iter_mut()
                .filter(|(player, _)| **player != shot.owner)
                .find(|(_, fighter)| shot.hits(fighter));
            let Some((&loser, wounded)) = hit else {
                return true;
            };
            let damage = shot::DAMAGE + rule_of_the_day::bonus(*updates);
            let damage = damage_rules.iter().fold(damage, |damage, rule| rule(wounded, damage));
            if wounded.wound(damage) {
                let loser_name = wounded.name.clone();
                if let Some(winner) = fighters.get_mut(&shot.owner) {
                    winner.score += POINTS_PER_KILL;
                    arena_host::broadcast(format!("{} puts {loser_name} out", winner.name));
                    arena_host::award(shot.owner, POINTS_PER_KILL);
                    arena_host::put_out(shot.owner, loser);
                }
            }
            false
        });
    }

    fn next_round(&mut self) {
        let winner = self.fighters.values().max_by_key(|fighter| fighter.score);
        if let Some(winner) = winner {
            arena_host::broadcast(format!("{} wins round {}", winner.name, self.round));
        }
        self.round += 1;
        self.shots.clear();
        for fighter in self.fighters.values_mut() {
            fighter.score = 0;
        }
    }
}
