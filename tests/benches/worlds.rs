//! What a tick of many small worlds costs, with two mods in each, and what memory a world takes.
//!
//! `cargo bench -p tickswap-tests --bench worlds`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

mod rig;

use std::time::{Duration, Instant};

use probe_api::probe_hooks::Caller;
use rig::table::{Table, size, time};
use tickswap::{ModName, World};
use tickswap_tests::fixtures;

const COUNTS: [usize; 4] = [1, 10, 100, 1_000];
/// Ticks per second that a server is to reach.
const RATE: f64 = 60.0;
/// Time that each count is measured for, at least.
const LENGTH: Duration = Duration::from_millis(1500);

/// Nanoseconds per world of one tick of all worlds, the median and the 99th percentile of many.
fn ticks(worlds: &mut [World], mut tick: impl FnMut(&mut World)) -> (f64, f64) {
    (0..10).for_each(|_| worlds.iter_mut().for_each(&mut tick));
    let (began, mut rounds) = (Instant::now(), Vec::new());
    while began.elapsed() < LENGTH {
        let began = Instant::now();
        worlds.iter_mut().for_each(&mut tick);
        rounds.push(began.elapsed().as_nanos() as u64);
    }
    let per_world = |nanos: u64| nanos as f64 / worlds.len() as f64;
    (per_world(rig::median(rounds.clone())), per_world(rig::percentile(rounds, 99)))
}

pub(crate) fn main() {
    let runtime = rig::runtime();
    rig::load(&runtime, &mut [], rig::probe(1, rig::Size::Small));
    rig::load_as(&runtime, &mut [], ModName::try_from("second").unwrap(), fixtures::build("second"));
    let columns = [
        "worlds",
        "tick without hooks",
        "tick with a hook on both mods",
        "p99",
        "and an effect and a text each",
        "resident memory per world",
        "one core at 60 ticks per second",
    ];
    let mut table = Table::new("A tick per world, two mods in each", &columns);
    for count in COUNTS {
        let before = rig::resident_bytes();
        let mut worlds: Vec<World> = (0..count).map(|number| rig::world(&runtime, &format!("w{number}"))).collect();
        let (empty, _) = ticks(&mut worlds, |world| drop(world.tick(|_| Ok(())).unwrap()));
        let (hook, high) = ticks(&mut worlds, |world| drop(world.tick(|tick| tick.probe().bump(1)).unwrap()));
        let (effects, _) = ticks(&mut worlds, |world| drop(world.tick(|tick| tick.probe().tell(1)).unwrap()));
        let memory = rig::resident_bytes().saturating_sub(before) / count as u64;
        table.row(&[
            count.to_string(),
            time(empty),
            time(hook),
            time(high),
            time(effects),
            size(memory),
            format!("{:.2} %", 100.0 * effects * RATE * count as f64 / 1e9),
        ]);
    }
    table.note(
        "The last column is of ticks with effects. Memory is what the process grew by, of one run after the other.",
    );
    table.print();
}
