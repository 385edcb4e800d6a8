//! How long a boundary takes that flips, by size of state and of code: it must depend on neither.
//!
//! The time is `SwapRecord::pause_ns`, from entering the boundary to the first hook.
//! `cargo bench -p tickswap-tests --bench pause`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod rig;

use std::time::{Duration, Instant};

use criterion::Criterion;
use probe_api::probe_hooks::Caller;
use tickswap::{Runtime, Scope, World};
use tickswap_linker::GenerationId;

/// Goes over to the other of two generations and answers the pause in nanoseconds.
fn flip(runtime: &Runtime, world: &mut World) -> u64 {
    let active = world.active_generation("probe").unwrap();
    let other = GenerationId::new(if active == GenerationId::new(1) { 2 } else { 1 });
    runtime.control().activate(&rig::name(), other, Scope::All).unwrap();
    loop {
        world.idle(Instant::now() + Duration::from_millis(5));
        let done = world.tick(|tick| tick.probe().bump(1)).unwrap();
        if let Some(record) = done.swapped.first() {
            return record.pause_ns;
        }
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut first = None;
    for (code, is_large) in [("small code", false), ("large code", true)] {
        for mebibytes in [1, 64, 512] {
            let runtime = rig::runtime();
            let loaded = rig::load(&runtime, &mut [], rig::probe(1, is_large));
            let mut world = rig::world(&runtime, "bench");
            world.tick(|tick| tick.probe().reserve(mebibytes)).unwrap();
            rig::load(&runtime, &mut [&mut world], rig::probe(2, is_large));
            let pauses: Vec<u64> = (0..400).map(|_| flip(&runtime, &mut world)).collect();
            let (median, high) = (rig::median(pauses.clone()), rig::percentile(pauses.clone(), 99));
            let most = pauses.iter().max().copied().unwrap_or_default();
            let file = loaded[0].file_bytes >> 10;
            let first = *first.get_or_insert(median as f64);
            let times = median as f64 / first;
            println!(
                "{code} ({file} KiB), {mebibytes} MiB of state: median {median} ns, p99 {high} ns, max {most} ns, \
                 {times:.2} times the first"
            );
            let mut group = criterion.benchmark_group("pause");
            group.bench_function(format!("{code}/{mebibytes}_MiB"), |b| {
                b.iter_custom(|rounds| Duration::from_nanos((0..rounds).map(|_| flip(&runtime, &mut world)).sum()))
            });
            group.finish();
        }
    }
    criterion.final_summary();
}
