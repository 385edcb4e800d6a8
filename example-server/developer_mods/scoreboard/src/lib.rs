//! A table beside the arena: knockouts, streaks, who leads. It knows no rules; what happens it hears from the server.
//!
//! The second mod of every world. Its memory is its own: it is swapped without the arena noticing, and the other way round.

use std::collections::HashMap;

use arena_api::*;

/// Knockouts in a row that are worth telling everybody.
const STREAKS_TOLD: [u32; 4] = [3, 5, 8, 13];

/// Lines of the table.
const LINES_MAX: usize = 10;

#[derive(Default)]
struct Scoreboard {
    tallies: HashMap<PlayerId, Tally>,
    leader: Option<PlayerId>,
}

#[derive(Default)]
struct Tally {
    name: String,
    knockouts: u32,
    outs: u32,
    streak: u32,
}

#[tickswap_sdk::module]
impl ArenaHooks for Scoreboard {
    fn joined(&mut self, player: PlayerId, name: String) {
        self.tallies.insert(player, Tally { name, ..Tally::default() });
    }

    fn left(&mut self, player: PlayerId) {
        self.tallies.remove(&player);
        if self.leader == Some(player) {
            self.leader = self.best();
        }
    }

    fn put_out(&mut self, winner: PlayerId, loser: PlayerId) {
        let mut ended = None;
        if let Some(tally) = self.tallies.get_mut(&loser) {
            tally.outs += 1;
            ended = (tally.streak >= STREAKS_TOLD[0]).then(|| (tally.name.clone(), tally.streak));
            tally.streak = 0;
        }
        let Some(tally) = self.tallies.get_mut(&winner) else {
            return;
        };
        tally.knockouts += 1;
        tally.streak += 1;
        if let Some((name, streak)) = ended {
            arena_host::broadcast(format!("{} ends {name}'s streak of {streak}", tally.name));
        }
        if STREAKS_TOLD.contains(&tally.streak) {
            arena_host::broadcast(streak_told(&tally.name, tally.streak));
        }
        self.tell_leader();
    }

    fn standings(&self) -> Standings {
        let mut lines: Vec<Standing> = self
            .tallies
            .iter()
            .map(|(&player, tally)| Standing {
                player,
                name: tally.name.clone(),
                knockouts: tally.knockouts,
                outs: tally.outs,
                streak: tally.streak,
            })
            .collect();
        lines.sort_by_key(|line| (std::cmp::Reverse(line.knockouts), line.outs, line.player));
        lines.truncate(LINES_MAX);
        Standings { title: String::from("Knockouts"), lines }
    }
}

impl Scoreboard {
    /// Says so when somebody else has the most knockouts.
    fn tell_leader(&mut self) {
        let best = self.best();
        if best == self.leader {
            return;
        }
        self.leader = best;
        if let Some(tally) = best.and_then(|player| self.tallies.get(&player)) {
            arena_host::broadcast(format!("{} takes the lead with {}", tally.name, tally.knockouts));
        }
    }

    /// Who has the most knockouts. The leader stays it until somebody has more.
    fn best(&self) -> Option<PlayerId> {
        let rank = |player: PlayerId, tally: &Tally| (tally.knockouts, self.leader == Some(player));
        let some = self.tallies.iter().filter(|(_, tally)| tally.knockouts > 0);
        some.max_by_key(|&(&player, tally)| (rank(player, tally), std::cmp::Reverse(player))).map(|(&player, _)| player)
    }
}

fn streak_told(name: &str, streak: u32) -> String {
    match streak {
        3 => format!("{name} is on a streak of 3"),
        5 => format!("{name} is on fire: 5 in a row"),
        8 => format!("{name} is unstoppable: 8 in a row"),
        _ => format!("{name}: {streak} in a row"),
    }
}
