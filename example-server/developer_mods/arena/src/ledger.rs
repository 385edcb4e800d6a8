//! Counts inputs, so that a lost or doubled one is seen.

use std::collections::HashMap;

use arena_api::{InputTotals, PlayerId, PlayerInputs};

#[derive(Default)]
pub(crate) struct Ledger {
    applied: u64,
    duplicated: u64,
    missing: u64,
    unknown_player: u64,
    players: HashMap<PlayerId, Account>,
}

#[derive(Default)]
struct Account {
    applied: u64,
    last_sequence: u64,
}

impl Ledger {
    pub(crate) fn joined(&mut self, player: PlayerId) {
        self.players.insert(player, Account::default());
    }

    pub(crate) fn left(&mut self, player: PlayerId) {
        self.players.remove(&player);
    }

    /// Enters an input. False if it must take no effect.
    pub(crate) fn accepts(&mut self, player: PlayerId, sequence: u64) -> bool {
        let Some(account) = self.players.get_mut(&player) else {
            self.unknown_player += 1;
            return false;
        };
        if sequence <= account.last_sequence {
            self.duplicated += 1;
            return false;
        }
        self.missing += sequence - account.last_sequence - 1;
        account.last_sequence = sequence;
        account.applied += 1;
        self.applied += 1;
        true
    }

    pub(crate) fn last_sequence(&self, player: PlayerId) -> u64 {
        self.players.get(&player).map_or(0, |account| account.last_sequence)
    }

    pub(crate) fn totals(&self) -> InputTotals {
        let mut players: Vec<PlayerInputs> = self
            .players
            .iter()
            .map(|(&player, account)| PlayerInputs {
                player,
                applied: account.applied,
                last_sequence: account.last_sequence,
            })
            .collect();
        players.sort_by_key(|inputs| inputs.player);
        InputTotals {
            applied: self.applied,
            duplicated: self.duplicated,
            missing: self.missing,
            unknown_player: self.unknown_player,
            players,
        }
    }
}
