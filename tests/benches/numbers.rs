//! All tables of all benches in one run, with machine, date and command: what the README's numbers are made by.
//!
//! `cargo bench -p tickswap-tests --bench numbers`, on a machine that does nothing else. It measures nothing itself: each
//! bench runs in a process of its own, so that none finds what another has left. How long each took goes to standard error.

#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, missing_docs)]
// Each bench brings what all share, as it does when it runs alone.
#![allow(clippy::duplicate_mod)]

#[path = "compute.rs"]
mod compute;
#[path = "hook_call.rs"]
mod hook_call;
#[path = "memory.rs"]
mod memory;
#[path = "pause.rs"]
mod pause;
#[path = "prepare.rs"]
mod prepare;
#[path = "transaction.rs"]
mod transaction;
#[path = "worlds.rs"]
mod worlds;

use std::{
    process::{Command, Stdio},
    time::Instant,
};

/// In the order in which they are told.
const BENCHES: [(&str, fn()); 7] = [
    ("pause", pause::main),
    ("hook_call", hook_call::main),
    ("worlds", worlds::main),
    ("transaction", transaction::main),
    ("prepare", prepare::main),
    ("memory", memory::main),
    ("compute", compute::main),
];

/// Names the bench that a process of this program runs instead of all.
const ONLY: &str = "TICKSWAP_BENCH";

/// What a program prints, or nothing.
fn told(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

fn processor() -> String {
    let facts = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = facts.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    name.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, name)| name.to_owned())
}

fn main() {
    if let Ok(only) = std::env::var(ONLY) {
        let (_, run) = BENCHES.iter().find(|(name, _)| *name == only).unwrap();
        return run();
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("`cargo bench -p tickswap-tests --bench numbers`, {}, {}", told("date", &["+%F"]), told("rustc", &["-V"]));
    println!();
    println!("{}, {threads} threads, {} {}", processor(), std::env::consts::OS, told("uname", &["-r"]));
    let program = std::env::current_exe().unwrap();
    let failed: Vec<&str> = BENCHES
        .iter()
        .filter(|(bench, _)| {
            let began = Instant::now();
            let output = Command::new(&program).env(ONLY, bench).stderr(Stdio::inherit()).output().unwrap();
            print!("{}", String::from_utf8_lossy(&output.stdout));
            eprintln!("{bench}: {} s", began.elapsed().as_secs());
            !output.status.success()
        })
        .map(|(bench, _)| *bench)
        .collect();
    assert!(failed.is_empty(), "failed: {failed:?}");
}
