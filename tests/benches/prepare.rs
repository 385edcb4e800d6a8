//! What the stages of a submission cost, none of which runs between two hooks: read, compare, link, compile, stage.
//!
//! `cargo bench -p tickswap-tests --bench prepare`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod rig;

use std::hint::black_box;
use std::time::Duration;

use criterion::{BatchSize, Criterion};
use tickswap::PreparedMod;
use tickswap_linker::{GenerationId, Residents, compare, image, link, verify};

/// Patches per size of code, for the stages that the runtime itself measures.
const PATCHES: u32 = 10;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    for (code, is_large) in [("small", false), ("large", true)] {
        let (old, new) = (rig::probe(1, is_large), rig::probe(2, is_large));
        let mut residents = Residents::new();
        let first = compare::compare(&residents, None, image::read(&old).unwrap());
        link::place(&mut residents, verify::judge(first).permit().unwrap()).unwrap();
        let base = Some(GenerationId::new(1));
        let mut group = criterion.benchmark_group(format!("prepare/{code}"));
        group.bench_function("read", |b| b.iter(|| image::read(black_box(&new)).unwrap()));
        group.bench_function("compare", |b| {
            let image = || image::read(&new).unwrap();
            b.iter_batched(image, |image| compare::compare(&residents, base, image), BatchSize::PerIteration);
        });
        group.finish();

        // The rest through the runtime, which measures its own stages.
        let runtime = rig::runtime();
        rig::load(&runtime, &mut [], old);
        let mut world = rig::world(&runtime, "bench");
        let prepared: Vec<PreparedMod> = (2..2 + PATCHES)
            .flat_map(|version| rig::load(&runtime, &mut [&mut world], rig::probe(version, is_large)))
            .collect();
        let of = |stage: fn(&PreparedMod) -> u64| rig::median(prepared.iter().map(stage).collect()) as f64 / 1e6;
        let log = runtime.control().log();
        let staged = log.iter().filter(|record| record.stage_ns > 0 && record.mods[0].from.is_some());
        let stage = rig::median(staged.map(|record| record.stage_ns).collect()) as f64 / 1e6;
        let stages = [
            ("read", of(|p| p.read_ns)),
            ("compare", of(|p| p.compare_ns)),
            ("link", of(|p| p.link_ns)),
            ("compile", of(|p| p.compile_ns)),
            ("stage", stage),
        ];
        let all: f64 = stages.iter().map(|(_, millis)| millis).sum();
        println!("{code} code, {} KiB, median of {PATCHES} patches:", prepared[0].file_bytes >> 10);
        for (name, millis) in stages {
            println!("  {name}: {millis:.2} ms, {:.0} % of {all:.2} ms", 100.0 * millis / all);
        }
    }
    criterion.final_summary();
}
