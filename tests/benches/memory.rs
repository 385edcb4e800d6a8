//! What a swap takes that stays: machine code once for all worlds, and what each world keeps beside it.
//!
//! `cargo bench -p tickswap-tests --bench memory`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod rig;

use std::time::{Duration, Instant};

use rig::{
    Size,
    table::{Table, size},
};
use tickswap::{Runtime, Scope, World};

/// Versions that are loaded in turn, so that each differs from the one before in one function.
const VERSIONS: u32 = 4;
/// Swaps before anything is counted, for caches and allocators to grow as they will.
const WARM_UP: u32 = 4;
/// Worlds that then take all of it in.
const WORLDS: usize = 50;

struct Growth {
    code_bytes: u64,
    /// Of the process, per swap, with one world.
    per_swap: u64,
    /// Of the process, per swap and world that takes it in.
    per_world: u64,
}

/// Swaps again and again, and looks at what the process grows by.
fn growth(code: Size, swaps: u32) -> Growth {
    let runtime = rig::runtime();
    let mut world = rig::world(&runtime, "first");
    let versions: Vec<Vec<u8>> = (1..=VERSIONS).map(|version| rig::probe(version, code)).collect();
    let mut generations = Vec::new();
    let (mut code_bytes, mut before) = (0, 0);
    for number in 0..WARM_UP + swaps {
        if number == WARM_UP {
            before = rig::resident_bytes();
        }
        let prepared = rig::load(&runtime, &mut [&mut world], versions[(number % VERSIONS) as usize].clone()).remove(0);
        code_bytes = prepared.code.code_bytes;
        generations.push(prepared.generation);
    }
    let per_swap = rig::resident_bytes().saturating_sub(before) / u64::from(swaps);
    let mut worlds: Vec<World> = (0..WORLDS).map(|number| rig::world(&runtime, &format!("w{number}"))).collect();
    worlds.push(world);
    let before = rig::resident_bytes();
    // The worlds started with the last one.
    for generation in &generations[..generations.len() - 1] {
        let submission = runtime.control().activate(&rig::name(), *generation, Scope::All).unwrap();
        finish(&runtime, &mut worlds, submission);
    }
    let taken_in = (generations.len() - 1) * WORLDS;
    let per_world = rig::resident_bytes().saturating_sub(before) / taken_in as u64;
    Growth { code_bytes, per_swap, per_world }
}

fn finish(runtime: &Runtime, worlds: &mut [World], submission: tickswap::SubmissionId) {
    while !runtime.control().submission(submission).is_final() {
        for world in worlds.iter_mut() {
            world.idle_until(Instant::now() + Duration::from_millis(1));
            world.tick(|_| Ok(())).unwrap();
        }
    }
}

pub(crate) fn main() {
    let columns =
        ["code", "WebAssembly", "machine code and tables", "resident memory of a swap", "and of each further world"];
    let mut table = Table::new("Memory that a swap takes until the process ends", &columns);
    for (code, swaps) in [(Size::Small, 40), (Size::Large, 12)] {
        let growth = growth(code, swaps);
        table.row(&[
            code.name().to_owned(),
            size(rig::code_bytes(&rig::probe(1, code)) as u64),
            size(growth.code_bytes),
            size(growth.per_swap),
            size(growth.per_world),
        ]);
    }
    table.note(
        "One function changed in each swap. Resident memory is what the process grew by, with what is kept to compare later \
         candidates with; the first world's share is in it.",
    );
    table.print();
}
