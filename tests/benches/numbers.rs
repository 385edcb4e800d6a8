//! All tables of all benches in one run, with machine, date and command: what the README's numbers are made by.
//!
//! `cargo bench -p tickswap-tests --bench numbers`, on a machine that does nothing else. It measures nothing itself.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::process::Command;

/// In the order in which they are told.
const BENCHES: [&str; 6] = ["pause", "hook_call", "worlds", "transaction", "prepare", "compute"];

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
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    println!("`cargo bench -p tickswap-tests --bench numbers`, {}, {}", told("date", &["+%F"]), told("rustc", &["-V"]));
    println!();
    println!("{}, {threads} threads, {} {}", processor(), std::env::consts::OS, told("uname", &["-r"]));
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    for bench in BENCHES {
        let output = Command::new(&cargo).args(["bench", "--package", "tickswap-tests", "--bench", bench]).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{bench}:\n{}", String::from_utf8_lossy(&output.stderr));
        print!("{}", String::from_utf8_lossy(&output.stdout));
    }
}
