//! What the sandbox costs code that computes: the same source as a mod and as a native library, in one run.
//!
//! `cargo bench -p tickswap-tests --bench compute`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod rig;

use std::cell::RefCell;

use probe_api::probe_hooks::Caller;
use rig::native::Native;
use rig::table::{Table, time, times};
use tickswap::{CallError, World};

const PHYSICS: u32 = 0;
const PATHS: u32 = 1;

fn work(world: &RefCell<World>, kind: u32, rounds: u32) -> u64 {
    let mut world = world.borrow_mut();
    let done = world.tick(|tick| -> Result<_, CallError> { tick.probe().of("probe").work(kind, rounds) });
    done.unwrap().value.unwrap()
}

pub(crate) fn main() {
    let runtime = rig::runtime();
    rig::load(&runtime, &mut [], rig::probe(1, rig::Size::Large));
    let world = RefCell::new(rig::world(&runtime, "bench"));
    let native = Native::load();
    assert_eq!(work(&world, PATHS, 3), (native.work)(PATHS, 3), "both do the same work");
    // Bodies fall and pile up first, the same number of steps on both sides.
    work(&world, PHYSICS, 100);
    (native.work)(PHYSICS, 100);
    let mut table = Table::new("Code that computes", &["work", "native library", "Tickswap", "times native"]);
    for (name, kind, rounds) in
        [("physics step, 150 bodies", PHYSICS, 10), ("pathfinding sweep, 9,216 cells", PATHS, 5)]
    {
        let world = &world;
        let mut steps: Vec<rig::Step<'_>> = vec![
            (
                "native",
                Box::new(move |rounds| {
                    (native.work)(kind, rounds);
                }),
            ),
            (
                "mod",
                Box::new(move |rounds| {
                    work(world, kind, rounds);
                }),
            ),
        ];
        let measured = rig::side_by_side(&mut steps, rounds);
        let (native, sandboxed) = (measured[0].1, measured[1].1);
        table.row(&[name.to_owned(), time(native), time(sandboxed), times(sandboxed, native)]);
    }
    table.note(
        "rapier3d and a search with a binary heap, at opt-level 3 with one codegen unit; the mod with the recipe's `simd128`, the \
         library with what every processor of this kind has (SSE2 on x86-64).",
    );
    table.print();
}
