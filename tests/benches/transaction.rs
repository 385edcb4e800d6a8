//! What it costs that a tick can be undone: in ticks of the runtime, in the code that an alarm interrupts, and reduced to
//! mechanisms side by side.
//!
//! `cargo bench -p tickswap-tests --bench transaction`, or with `-- ticks`, `-- alarm`, `-- mechanisms` for a part.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

#[cfg(target_os = "linux")]
mod mechanisms;
mod rig;

use std::time::Instant;

use probe_api::probe_hooks::Caller;
use tickswap::{CallError, Limits, Transactions, UndoMechanism, World};
use tickswap_tests::fixtures::{Fixture, build};
use tickswap_tests::live::Live;

const ROUNDS: u32 = 201;

pub(crate) fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wants = |part: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == part);
    if wants("ticks") {
        ticks();
    }
    if wants("alarm") {
        alarm();
    }
    #[cfg(target_os = "linux")]
    if wants("mechanisms") {
        mechanisms::side_by_side::print();
    }
}

/// The probe with a `bump` that touches pages all over its state: as many as the low half of its argument says, others for another
/// high half, until all were touched.
fn toucher() -> Vec<u8> {
    let touch = "let (pages, shift) = ((amount & 0xffff) as usize, (amount >> 16) as usize);
        let total = self.reserved.len() * 256;
        for number in 0..if total > 0 { pages } else { 0 } {
            let page = (number + shift * pages).wrapping_mul(0x9e37_79b1) % total;
            let byte = &mut self.reserved[page / 256][page % 256 * 4096];
            *byte = byte.wrapping_add(1);
        }";
    Fixture::new("probe").edit("self.total += u64::from(amount * VERSION);", touch).build()
}

fn ticks() {
    println!("microseconds of processor time a tick, median of {ROUNDS} (asking for the time takes some 0.3 of them)");
    println!(
        "| state | pages | off | always, the same pages | always, others each tick | undone, the same | undone, others |"
    );
    println!("|---|---|---|---|---|---|---|");
    let module = toucher();
    for mebibytes in [1, 64, 1024] {
        let world = |mode, undo| {
            let mut limits = Limits::default();
            // Filling a gibibyte takes more than a tick may.
            limits.cpu_ms_per_tick = 0;
            let runtime = rig::runtime_with(|builder| builder.transactions(mode).undo(undo).limits(limits));
            rig::load(&runtime, &mut [], module.clone());
            let mut world = rig::world(&runtime, "bench");
            world.tick(|tick| tick.probe().reserve(mebibytes)).unwrap();
            world
        };
        let mut off = world(Transactions::Off, UndoMechanism::Automatic);
        let rest = |world: &mut World| {
            let rounds = (0..ROUNDS).map(|_| {
                let began = now_ns();
                (0..100).for_each(|_| drop(world.tick(|_| Ok(())).unwrap()));
                (now_ns() - began) / 100
            });
            rig::median(rounds.collect())
        };
        for (name, undo) in [("", UndoMechanism::Automatic), (", `mprotect` alone", UndoMechanism::WriteProtection)] {
            let mut always = world(Transactions::Always, undo);
            for pages in [0, 1, 50, 100, 1000] {
                if pages * 4 > mebibytes * 256 {
                    continue;
                }
                let columns = [
                    measured(&mut off, pages, false, true),
                    measured(&mut always, pages, false, true),
                    measured(&mut always, pages, true, true),
                    measured(&mut always, pages, false, false),
                    measured(&mut always, pages, true, false),
                ];
                let columns = columns.map(|column| format!("{column:.1}")).join(" | ");
                println!("| {mebibytes} MiB{name} | {pages} | {columns} |");
            }
            println!("| {mebibytes} MiB{name}, at rest | | {} ns | {} ns | | | |", rest(&mut off), rest(&mut always));
        }
        if mebibytes <= 64 {
            let mut copied = world(Transactions::Always, UndoMechanism::Copy);
            println!("| {mebibytes} MiB, copied | 50 | | {:.1} | | | |", measured(&mut copied, 50, false, true));
        }
    }
}

/// Microseconds of a tick that touches pages, and is kept or undone.
fn measured(world: &mut World, pages: u32, others: bool, keep: bool) -> f64 {
    let rounds = (0..ROUNDS).map(|round| {
        let shift = if others { round } else { 0 };
        let began = now_ns();
        let done = world.tick(|tick| {
            tick.probe().bump(pages | shift << 16)?;
            if keep { Ok(()) } else { Err(CallError::TickOver) }
        });
        assert_eq!(done.is_ok(), keep);
        now_ns() - began
    });
    rig::median(rounds.collect()) as f64 / 1e3
}

/// Processor time of this thread where the system tells it, the clock elsewhere.
fn now_ns() -> u64 {
    #[cfg(target_os = "linux")]
    return mechanisms::thread_ns();
    #[cfg(not(target_os = "linux"))]
    {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        START.get_or_init(Instant::now).elapsed().as_nanos() as u64
    }
}

/// What looking for the alarm costs code that only computes: a physics engine's steps.
fn alarm() {
    let live = |is_interruptible: bool| {
        let mut config = wasmtime::Config::new();
        config.epoch_interruption(is_interruptible);
        let mut live = Live::in_engine(&wasmtime::Engine::new(&config).unwrap());
        live.patch(&build("physics")).unwrap();
        for ball in 0..60_u32 {
            live.call::<_, u32>("drop_ball", (ball as f32 * 0.7, 3.0 + ball as f32));
        }
        live
    };
    let mut engines = [live(false), live(true)];
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..30 {
        // In turns, each first as often as the other.
        for which in [round % 2, 1 - round % 2] {
            let began = Instant::now();
            engines[which].call::<_, u64>("step", 20_u32);
            times[which].push(began.elapsed().as_nanos() as u64);
        }
    }
    // Both do the same work, which changes from round to round: what others take of the processor only ever adds.
    let sums = [0, 1].map(|which| times[which].iter().sum::<u64>() as f64 / 1e3);
    let mut ratios: Vec<f64> =
        times[1].iter().zip(&times[0]).map(|(with, without)| *with as f64 / *without as f64).collect();
    ratios.sort_unstable_by(f64::total_cmp);
    let more = (ratios[ratios.len() / 2] - 1.0) * 100.0;
    println!(
        "600 steps of physics: {:.0} us without an alarm, {:.0} us with; median over rounds {more:+.1} %",
        sums[0], sums[1]
    );
}
