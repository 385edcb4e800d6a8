//! What a verdict costs: reading a mod, comparing it with the live one, judging. Aim: two mods with 2 MB of code each, full
//! debug information of their own code included, are read and compared in under 500 ms on one core.
//!
//! `cargo bench -p tickswap-tests --bench verdict`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod rig;

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion};
use tickswap_linker::{GenerationId, Residents, compare, image, link, verify};
use tickswap_tests::fixtures::{Fixture, build, edited};

/// Counts what is held, while that is asked for: where time is measured the system's allocator works alone. The benches run on
/// one thread.
struct Counting;

static IS_ON: AtomicBool = AtomicBool::new(false);
static HELD: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

/// Takes down that so many bytes came or went.
fn count(bytes: usize, sign: isize) {
    if IS_ON.load(Relaxed) {
        let change = sign * bytes as isize;
        PEAK.fetch_max(HELD.fetch_add(change, Relaxed) + change, Relaxed);
    }
}

// SAFETY: every call is handed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // Both may be there at once.
        count(bytes, 1);
        count(layout.size(), -1);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, bytes) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Median of some rounds in milliseconds.
fn median(mut step: impl FnMut() -> Duration) -> f64 {
    rig::median((0..9).map(|_| step().as_nanos() as u64).collect()) as f64 / 1e6
}

/// Two thousand functions of the probe become ten thousand: 2 MB of code, all of it the mod's own.
fn large(version: u32) -> Vec<u8> {
    let hundreds: String = (0..105).map(|number| format!("{number} ")).collect();
    Fixture::new("probe")
        .feature("large")
        .edit("VERSION: u32 = 1;", &format!("VERSION: u32 = {version};"))
        .edit("[[[fn(u64) -> u64; 10]; 10]; 20]", "[[[fn(u64) -> u64; 10]; 10]; 105]")
        .edit("table!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19)", &format!("table!({hundreds})"))
        .build()
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let physics = [("Vector::new(0.0, -9.81, 0.0)", "Vector::new(0.0, 9.81, 0.0)")];
    let pairs = [
        ("small", build("ledger"), edited("ledger", &[("    coins / 2\n", "    coins / 4\n")])),
        ("dependencies", build("physics"), edited("physics", &physics)),
        ("own_code", large(1), large(2)),
    ];
    for (name, old, new) in pairs {
        let mut residents = Residents::new();
        let first = compare::compare(&residents, None, image::read(&old).unwrap());
        link::place(&mut residents, verify::judge(first).permit().unwrap()).unwrap();
        let base = Some(GenerationId::new(1));
        let read = || image::read(&new).unwrap();
        let mut group = criterion.benchmark_group(format!("verdict/{name}"));
        group.bench_function("read", |b| b.iter(|| image::read(black_box(&new)).unwrap()));
        group.bench_function("compare", |b| {
            b.iter_batched(read, |image| compare::compare(&residents, base, image), BatchSize::PerIteration);
        });
        let compared = || compare::compare(&residents, base, read());
        group.bench_function("judge", |b| b.iter_batched(compared, verify::judge, BatchSize::PerIteration));
        group.finish();

        let timed = |began: Instant| began.elapsed();
        let reading = median(|| {
            let began = Instant::now();
            black_box(read());
            timed(began)
        });
        let comparing = median(|| {
            let image = read();
            let began = Instant::now();
            black_box(compare::compare(&residents, base, image));
            timed(began)
        });
        HELD.store(0, Relaxed);
        PEAK.store(0, Relaxed);
        IS_ON.store(true, Relaxed);
        let comparison = compared();
        IS_ON.store(false, Relaxed);
        let peak = PEAK.load(Relaxed) as f64 / new.len() as f64;
        println!(
            "{name}: {} KiB of code in {} KiB: read {reading:.1} ms, compare {comparing:.1} ms, two read and compared \
             {:.1} ms; at most {peak:.1} times the file held",
            comparison.image().code_bytes() >> 10,
            new.len() >> 10,
            2.0 * reading + comparing,
        );
    }
    criterion.final_summary();
}
