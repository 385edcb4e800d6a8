//! From a saved file to running code, each stage apart: none of them runs between two hooks but the flip.
//!
//! `cargo bench -p tickswap-tests --bench prepare`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod rig;

use std::time::{Duration, Instant};

use rig::{
    Size,
    table::{Table, size, time, times},
};
use tickswap::limits::CODE_CACHE_BYTES_MAX;
use tickswap::{PreparedMod, SwapRecord};
use tickswap_tests::fixtures::target_folder;

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
    let file = target_folder().join("prepare-bench.wasm");
    std::fs::write(&file, module).unwrap();
    let began = Instant::now();
    let bytes = std::fs::read(&file).unwrap();
    let load_ns = began.elapsed().as_nanos() as u64;
    let prepared = rig::load(runtime, &mut [world], bytes).remove(0);
    let log = runtime.control().log();
    let record = log.iter().rfind(|record| record.mods.iter().any(|change| change.to == prepared.generation));
    Way { load_ns, prepared, record: record.unwrap().clone() }
}

/// The way of a module that an earlier server of the same folder has compiled.
fn after_a_restart(code: Size) -> Way {
    let folder = target_folder().join("prepare-bench-code");
    let start = || {
        let runtime = rig::builder().code_cache(&folder, CODE_CACHE_BYTES_MAX).build().unwrap();
        let mut world = rig::world(&runtime, "bench");
        way(&runtime, &mut world, &rig::probe(1, code))
    };
    start();
    // Code is written after it runs.
    while !std::fs::read_dir(&folder).unwrap().flatten().any(|file| is_module(&file.file_name().to_string_lossy())) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let way = start();
    std::fs::remove_dir_all(&folder).unwrap();
    way
}

fn is_module(name: &str) -> bool {
    name.starts_with("module-")
}

pub(crate) fn main() {
    let columns = [
        "case",
        "file",
        "code",
        "load",
        "read",
        "compare",
        "link",
        "compile",
        "stage",
        "flip",
        "all",
        "functions compiled",
    ];
    let mut table = Table::new("From a saved file to running code", &columns);
    let mut compiles = Vec::new();
    for code in [Size::Small, Size::Large] {
        let (mut first, mut patches, mut signatures, mut again) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            // A runtime of its own, so that nothing is compiled yet.
            let runtime = rig::runtime();
            let mut world = rig::world(&runtime, "bench");
            first.push(way(&runtime, &mut world, &rig::probe(1, code)));
            patches.push(way(&runtime, &mut world, &rig::probe(2 + round, code)));
            signatures.push(way(&runtime, &mut world, &rig::probe_with_signature(code)));
            again.push(after_a_restart(code));
        }
        for (name, ways) in [
            ("first build", first),
            ("one function changed", patches),
            ("one of a new signature", signatures),
            ("server started again", again),
        ] {
            let medians: Vec<f64> =
                (0..7).map(|stage| rig::median(ways.iter().map(|way| way.stages()[stage]).collect()) as f64).collect();
            let file = ways[0].prepared.file_bytes as u64;
            let mut row = vec![format!("{}, {name}", code.name()), size(file)];
            row.push(size(rig::code_bytes(&rig::probe(1, code)) as u64));
            row.extend(medians.iter().map(|nanos| time(*nanos)));
            row.push(time(medians.iter().sum()));
            let functions = ways.iter().map(|way| way.prepared.code.functions_compiled);
            row.push(rig::median(functions.collect()).to_string());
            table.row(&row);
            compiles.push(medians[4]);
        }
    }
    table.note(&format!(
        "Medians of {ROUNDS}. A function's change takes {} of a full compile of the small mod, {} of the large one; \
         one with a new signature {} and {}.",
        times(compiles[1], compiles[0]),
        times(compiles[5], compiles[4]),
        times(compiles[2], compiles[0]),
        times(compiles[6], compiles[4])
    ));
    table.print();
}
