//! What a hook call costs beside a native call and beside wasmtime's own typed call.
//!
//! `cargo bench -p tickswap-tests --bench hook_call`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod rig;

use std::hint::black_box;
use std::time::Duration;

use criterion::Criterion;
use probe_api::Body;
use probe_api::probe_hooks::Caller;
use tickswap::CallError;

#[inline(never)]
fn native_add(a: u64, b: u32) -> u64 {
    a.wrapping_add(u64::from(b))
}

trait Add {
    fn add(&self, a: u64, b: u32) -> u64;
}

struct Native;

impl Add for Native {
    fn add(&self, a: u64, b: u32) -> u64 {
        native_add(a, b)
    }
}

/// The same function in a module of its own, called through wasmtime alone.
fn typed_call() -> impl FnMut(u64, u32) -> u64 {
    let text = b"\0asm\x01\0\0\0\x01\x07\x01\x60\x02\x7e\x7f\x01\x7e\x03\x02\x01\0\x07\x07\x01\x03add\0\0\
        \x0a\x0a\x01\x08\0\x20\0\x20\x01\xad\x7c\x0b";
    let engine = wasmtime::Engine::default();
    let module = wasmtime::Module::new(&engine, text).unwrap();
    let mut store = wasmtime::Store::new(&engine, ());
    let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
    let add = instance.get_typed_func::<(u64, u32), u64>(&mut store, "add").unwrap();
    move |a, b| add.call(&mut store, (a, b)).unwrap()
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let runtime = rig::runtime();
    rig::load(&runtime, &mut [], rig::probe(1, false));
    let mut world = rig::world(&runtime, "bench");
    let mut typed = typed_call();
    let dynamic: &dyn Add = black_box(&Native);
    let body = Body { position: [1.0; 3], velocity: [0.5; 3], id: 7, flags: 9 };
    let payload = vec![7_u8; 4096];

    let mut group = criterion.benchmark_group("hook_call");
    group.bench_function("native", |b| b.iter(|| native_add(black_box(1), black_box(2))));
    group.bench_function("native_dyn", |b| b.iter(|| dynamic.add(black_box(1), black_box(2))));
    group.bench_function("wasmtime_typed", |b| b.iter(|| typed(black_box(1), black_box(2))));
    let mut ratios = Vec::new();
    let native = rig::nanos_per_call(|| {
        black_box(native_add(black_box(1), black_box(2)));
    });
    ratios.push((
        "native, dyn",
        rig::nanos_per_call(|| {
            black_box(dynamic.add(black_box(1), black_box(2)));
        }),
    ));
    ratios.push((
        "wasmtime, typed call",
        rig::nanos_per_call(|| {
            black_box(typed(black_box(1), black_box(2)));
        }),
    ));
    world
        .tick(|tick| -> Result<(), CallError> {
            group.bench_function("tickswap_scalar_all", |b| b.iter(|| tick.probe().bump(black_box(1)).unwrap()));
            group.bench_function("tickswap_scalar_of", |b| {
                b.iter(|| tick.probe().of("probe").add(black_box(1), black_box(2)).unwrap())
            });
            group.bench_function("tickswap_64_bytes", |b| {
                b.iter(|| tick.probe().of("probe").advance(black_box(body)).unwrap())
            });
            group.bench_function("tickswap_4_kib", |b| {
                b.iter_with_setup(
                    || payload.clone(),
                    |payload| tick.probe().of("probe").echo(black_box(payload)).unwrap(),
                )
            });
            ratios.push(("hook on all mods, scalar", rig::nanos_per_call(|| tick.probe().bump(black_box(1)).unwrap())));
            let of = rig::nanos_per_call(|| {
                black_box(tick.probe().of("probe").add(black_box(1), black_box(2)).unwrap());
            });
            ratios.push(("hook of one mod, scalars", of));
            let bytes = rig::nanos_per_call(|| {
                black_box(tick.probe().of("probe").advance(black_box(body)).unwrap());
            });
            ratios.push(("hook of one mod, 64 bytes both ways", bytes));
            Ok(())
        })
        .unwrap();
    group.finish();
    println!("native: {native:.1} ns");
    for (what, nanos) in ratios {
        println!("{what}: {nanos:.1} ns, {:.1} times native, {:.1} ns more", nanos / native, nanos - native);
    }
    criterion.final_summary();
}
