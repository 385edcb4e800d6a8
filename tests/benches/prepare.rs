//! From a saved file to running code, each stage apart: none of them runs between two hooks but the flip.
//!
//! `cargo bench -p tickswap-tests --bench prepare`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod rig;

use std::time::Instant;

use rig::{
    Size,
    table::{Table, size, time, times},
};
use tickswap::{PreparedMod, SwapRecord};

/// Measurements of every case.
const ROUNDS: u32 = 5;

/// One module on its way to running code.
struct Way {
    load_ns: u64,
    prepared: PreparedMod,
    record: SwapRecord,
}

impl Way {
    fn stages(&self) -> [u64; 7] {
        let Self { load_ns, prepared: p, record } = self;
        [*load_ns, p.read_ns, p.compare_ns, p.link_ns, p.compile_ns, record.stage_ns, record.pause_ns]
    }
}

/// Saves a module, then loads it from the file into a runtime.
fn way(runtime: &tickswap::Runtime, world: &mut tickswap::World, module: &[u8]) -> Way {
    let file = tickswap_tests::fixtures::target_folder().join("prepare-bench.wasm");
    std::fs::write(&file, module).unwrap();
    let began = Instant::now();
    let bytes = std::fs::read(&file).unwrap();
    let load_ns = began.elapsed().as_nanos() as u64;
    let prepared = rig::load(runtime, &mut [world], bytes).remove(0);
    let log = runtime.control().log();
    let record = log.iter().rfind(|record| record.mods.iter().any(|change| change.to == prepared.generation));
    Way { load_ns, prepared, record: record.unwrap().clone() }
}

fn main() {
    let columns = ["case", "file", "code", "load", "read", "compare", "link", "compile", "stage", "flip", "all"];
    let mut table = Table::new("From a saved file to running code", &columns);
    let mut compiles = Vec::new();
    for code in [Size::Small, Size::Large] {
        let (mut first, mut patches) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            // A runtime of its own, so that nothing is compiled yet.
            let runtime = rig::runtime();
            let mut world = rig::world(&runtime, "bench");
            first.push(way(&runtime, &mut world, &rig::probe(1, code)));
            patches.push(way(&runtime, &mut world, &rig::probe(2 + round, code)));
        }
        for (name, ways) in [("first build", first), ("one function changed", patches)] {
            let medians: Vec<f64> =
                (0..7).map(|stage| rig::median(ways.iter().map(|way| way.stages()[stage]).collect()) as f64).collect();
            let file = ways[0].prepared.file_bytes as u64;
            let mut row = vec![format!("{}, {name}", code.name()), size(file)];
            row.push(size(rig::code_bytes(&rig::probe(1, code)) as u64));
            row.extend(medians.iter().map(|nanos| time(*nanos)));
            row.push(time(medians.iter().sum()));
            table.row(&row);
            compiles.push(medians[4]);
        }
    }
    table.note(&format!(
        "Medians of {ROUNDS}. A function's change takes {} of a full compile of the small mod, {} of the large one.",
        times(compiles[1], compiles[0]),
        times(compiles[3], compiles[2])
    ));
    table.print();
}
