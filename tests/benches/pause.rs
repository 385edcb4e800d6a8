//! How long a boundary takes that flips, by size of state and of code: it must depend on neither.
//!
//! The time is `SwapRecord::pause_ns`, from entering the boundary to the first hook.
//! `cargo bench -p tickswap-tests --bench pause`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod rig;

use std::time::{Duration, Instant};

use probe_api::probe_hooks::Caller;
use rig::{
    Size,
    table::{Table, size, time, times},
};
use tickswap::{Runtime, Scope, World};
use tickswap_linker::GenerationId;

/// Flips of one round; the cases take turns in rounds, so that what else the machine does meets all of them.
const FLIPS: usize = 50;
const ROUNDS: usize = 8;

/// State to reserve beside what the probe has anyway.
const STATES: [u64; 4] = [1 << 10, 1 << 20, 64 << 20, 1 << 30];

struct Case {
    size: Size,
    code_bytes: u64,
    state_bytes: u64,
    runtime: Runtime,
    world: World,
    pauses: Vec<u64>,
}

impl Case {
    fn new(size: Size, state_bytes: u64) -> Self {
        let runtime = rig::runtime();
        let module = rig::probe(1, size);
        let code_bytes = rig::code_bytes(&module) as u64;
        rig::load(&runtime, &mut [], module);
        let mut world = rig::world(&runtime, "bench");
        let reserved = world.tick(|tick| match state_bytes >> 20 {
            0 => tick.probe().remember(1, "x".repeat(state_bytes as usize)),
            mebibytes => tick.probe().reserve(mebibytes as u32),
        });
        reserved.unwrap();
        rig::load(&runtime, &mut [&mut world], rig::probe(2, size));
        Self { size, code_bytes, state_bytes, runtime, world, pauses: Vec::new() }
    }

    /// Goes over to the other of two generations and answers the pause in nanoseconds.
    fn flip(&mut self) -> u64 {
        let active = self.world.active_generation("probe").unwrap();
        let other = GenerationId::new(if active == GenerationId::new(1) { 2 } else { 1 });
        self.runtime.control().activate(&rig::name(), other, Scope::All).unwrap();
        loop {
            self.world.idle(Instant::now() + Duration::from_millis(5));
            let done = self.world.tick(|tick| tick.probe().bump(1)).unwrap();
            if let Some(record) = done.swapped.first() {
                return record.pause_ns;
            }
        }
    }
}

pub(crate) fn main() {
    let sizes = [Size::Small, Size::Large];
    let mut cases: Vec<Case> =
        sizes.iter().flat_map(|size| STATES.map(|state_bytes| Case::new(*size, state_bytes))).collect();
    for _ in 0..ROUNDS {
        for case in &mut cases {
            // The first flip of a round meets caches that the others' state has filled.
            case.flip();
            let pauses: Vec<u64> = (0..FLIPS).map(|_| case.flip()).collect();
            case.pauses.extend(pauses);
        }
    }
    let columns = ["code", "state", "median", "p99", "most", "times the first"];
    let mut table = Table::new("Pause at the boundary that flips", &columns);
    let first = rig::median(cases[0].pauses.clone()) as f64;
    for case in cases {
        let (median, high) = (rig::median(case.pauses.clone()), rig::percentile(case.pauses.clone(), 99));
        let most = case.pauses.iter().max().copied().unwrap_or_default();
        table.row(&[
            format!("{}, {}", case.size.name(), size(case.code_bytes)),
            size(case.state_bytes),
            time(median as f64),
            time(high as f64),
            time(most as f64),
            times(median as f64, first),
        ]);
    }
    table.note(&format!(
        "{} flips each, {FLIPS} at a time in turn; the code's size is that of its WebAssembly.",
        FLIPS * ROUNDS
    ));
    table.print();
}
