//! Goal: whatever players send and whatever code comes and goes, a world's state is that of the ticks that were kept, in order,
//! each input once. Method: a seed decides worlds, inputs, swaps between good and bad generations and errors of the server;
//! a model that knows nothing of WebAssembly says after each tick what there must be.
//!
//! A finding prints its seed and tick. `TICKSWAP_SIMULATOR_SEED` runs one seed, `TICKSWAP_SIMULATOR_TICKS` says how many ticks
//! (for hours: `TICKSWAP_SIMULATOR_TICKS=100000000 cargo test -p tickswap-tests --test simulator`).
//!
//! That it finds bugs is shown by planting two: a mod whose ticks are not undone though the model believes so, and a server
//! whose closure takes inputs away, so that they are gone when the tick runs again.

#![allow(clippy::unwrap_used, missing_docs)]

mod generations;
mod model;
mod run;

use run::{Bug, simulate};

/// Ticks per seed in an ordinary run of the tests.
const TICKS: u64 = 2_000;

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

#[test]
fn every_tick_happens_entirely_or_not_at_all() {
    let ticks = number("TICKSWAP_SIMULATOR_TICKS").unwrap_or(TICKS);
    let seeds = number("TICKSWAP_SIMULATOR_SEED").map_or(1..4, |seed| seed..seed + 1);
    for seed in seeds {
        let seen = simulate(seed, ticks, Bug::None).unwrap_or_else(|finding| panic!("{finding}"));
        // A simulation in which nothing happens would find nothing.
        assert!(seen.went_back > 0 && seen.left_out > 0 && seen.paused > 0 && seen.players_went_back > 0, "{seen:?}");
    }
}

#[test]
fn a_mod_that_is_not_undone_is_found() {
    let finding = (1..4).find_map(|seed| simulate(seed, TICKS, Bug::NotUndone).err());
    assert!(finding.is_some_and(|finding| finding.contains("seed")), "the planted bug was not found");
}

#[test]
fn inputs_that_are_gone_when_a_tick_runs_again_are_found() {
    let finding = (1..4).find_map(|seed| simulate(seed, TICKS, Bug::InputsTakenAway).err());
    assert!(finding.is_some_and(|finding| finding.contains("seed")), "the planted bug was not found");
}
