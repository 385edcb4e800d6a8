//! What a hook call costs beside a native call, a call into a shared library, and wasmtime's own typed call.
//!
//! `cargo bench -p tickswap-tests --bench hook_call`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod rig;

use std::cell::RefCell;
use std::hint::black_box;

use probe_api::Body;
use probe_api::probe_hooks::Caller;
use rig::native::{Native, NativeBody};
use rig::table::{Table, time, times};
use tickswap::CallError;

/// Calls of one round.
const CALLS: u32 = 5_000;

#[inline(never)]
fn native_add(a: u64, b: u32) -> u64 {
    a.wrapping_add(u64::from(b))
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

/// A step that repeats `call`.
fn step<'a>(name: &'static str, mut call: impl FnMut() + 'a) -> rig::Step<'a> {
    (name, Box::new(move |calls| (0..calls).for_each(|_| call())))
}

pub(crate) fn main() {
    let runtime = rig::runtime();
    rig::load(&runtime, &mut [], rig::probe(1, rig::Size::Small));
    let mut world = rig::world(&runtime, "bench");
    let mut typed = typed_call();
    let native = Native::load();
    let body = Body { position: [1.0; 3], velocity: [0.5; 3], id: 7, flags: 9 };
    let native_body = NativeBody::from(body);
    let payload = vec![7_u8; 4096];
    let mut bytes = payload.clone();

    let measured = world.tick(|tick| -> Result<_, CallError> {
        let tick = RefCell::new(tick);
        let mut steps = vec![
            step("native function, scalars", || {
                black_box(native_add(black_box(1), black_box(2)));
            }),
            step("shared library, scalars", || {
                black_box((native.add)(black_box(1), black_box(2)));
            }),
            step("wasmtime typed call, scalars", || {
                black_box(typed(black_box(1), black_box(2)));
            }),
            step("hook of one mod, scalars", || {
                black_box(tick.borrow_mut().probe().of("probe").add(black_box(1), black_box(2)).unwrap());
            }),
            step("hook on all mods, scalar", || tick.borrow_mut().probe().bump(black_box(1)).unwrap()),
            step("hook for a player, scalar", || {
                tick.borrow_mut().for_player(probe_api::PlayerId(1)).probe().bump(black_box(1)).unwrap();
            }),
            step("shared library, 64 bytes both ways", || {
                black_box((native.advance)(black_box(native_body)));
            }),
            step("hook of one mod, 64 bytes both ways", || {
                black_box(tick.borrow_mut().probe().of("probe").advance(black_box(body)).unwrap());
            }),
            step("copying 4 KiB, natively", || {
                black_box(black_box(&payload).clone());
            }),
            step("shared library, 4 KiB both ways", || native.echo(black_box(&mut bytes))),
            step("hook of one mod, 4 KiB both ways", || {
                let payload = black_box(&payload).clone();
                black_box(tick.borrow_mut().probe().of("probe").echo(payload).unwrap());
            }),
        ];
        // Once before, so that every buffer has its size.
        rig::side_by_side(&mut steps, 100);
        Ok(rig::side_by_side(&mut steps, CALLS))
    });
    let measured = measured.unwrap().value;
    let of = |wanted: &str| measured.iter().find(|(name, _)| *name == wanted).unwrap().1;
    let typed = of("wasmtime typed call, scalars");
    let mut table = Table::new("A hook call", &["call", "time", "times wasmtime's typed call"]);
    for (name, nanos) in &measured {
        table.row(&[(*name).to_owned(), time(*nanos), times(*nanos, typed)]);
    }
    table.note("Medians of 31 rounds in which all calls take turns.");
    table.print();
}
