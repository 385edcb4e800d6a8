//! What the server offers to the arena's rules: answers to their queries, and the effects of a tick that committed.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use arena_api::{ARENA_HEIGHT, ARENA_WIDTH, ArenaHost, PlayerId, Position};

use super::OutputNotice;

/// Answers queries. One per world, on the world's thread.
pub(crate) struct ArenaQueries {
    online: Arc<AtomicUsize>,
    /// State of the generator that places are drawn from. Mods have no randomness of their own.
    random: Cell<u64>,
}

/// Collects the effects of one tick.
#[derive(Debug, Default)]
pub(crate) struct ArenaEffects {
    notices: Vec<OutputNotice>,
    put_outs: Vec<(PlayerId, PlayerId)>,
}

impl ArenaQueries {
    pub(crate) fn new(online: Arc<AtomicUsize>, seed: u64) -> Self {
        Self { online, random: Cell::new(seed) }
    }

    /// From 0 to 1, one step of SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>).
    fn draw(&self) -> f32 {
        let state = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 40) as f32 / (1 << 24) as f32
    }
}

impl ArenaHost for ArenaQueries {
    fn players_online(&self) -> u32 {
        u32::try_from(self.online.load(Ordering::Relaxed)).unwrap_or(u32::MAX)
    }

    fn spawn_position(&self, _player: PlayerId) -> Position {
        Position { x: self.draw() * ARENA_WIDTH, y: self.draw() * ARENA_HEIGHT }
    }

    // Effects go to `ArenaEffects` once their tick has committed.
    fn broadcast(&mut self, _text: String) {}

    fn award(&mut self, _player: PlayerId, _points: u32) {}

    fn put_out(&mut self, _winner: PlayerId, _loser: PlayerId) {}
}

impl ArenaEffects {
    /// What was collected since the last call.
    pub(crate) fn take_notices(&mut self) -> Vec<OutputNotice> {
        std::mem::take(&mut self.notices)
    }

    /// Who put whom out, for the next tick's hooks.
    pub(crate) fn drain_put_outs(&mut self) -> impl Iterator<Item = (PlayerId, PlayerId)> {
        self.put_outs.drain(..)
    }
}

impl ArenaHost for ArenaEffects {
    // Queries are answered while the tick runs, by `ArenaQueries`.
    fn players_online(&self) -> u32 {
        0
    }

    fn spawn_position(&self, _player: PlayerId) -> Position {
        Position::default()
    }

    fn broadcast(&mut self, text: String) {
        self.notices.push(OutputNotice::Text(text));
    }

    fn award(&mut self, player: PlayerId, points: u32) {
        self.notices.push(OutputNotice::Award { player, points });
    }

    fn put_out(&mut self, winner: PlayerId, loser: PlayerId) {
        self.put_outs.push((winner, loser));
    }
}
