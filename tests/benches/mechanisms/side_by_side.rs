//! All mechanisms over sizes and numbers of touched pages, as a table.

use std::hint::black_box;

use super::{ALL, Make, PAGE, thread_ns};

const MEBIBYTES: [usize; 4] = [1, 16, 128, 1024];
const PAGES: [usize; 5] = [1, 10, 50, 1_000, 10_000];
const ROUNDS: usize = 25;
/// Bytes that one memory and its copies may take together.
const BYTES_MAX: usize = 3 << 30;

/// Nanoseconds of one round's parts.
#[derive(Clone, Copy)]
struct Round {
    begin: u64,
    writes: u64,
    end: u64,
}

pub(crate) fn print() {
    println!(
        "microseconds of processor time, median of {ROUNDS}: begin / first writes to n pages / commit | rollback; mappings while open"
    );
    for mebibytes in MEBIBYTES {
        for (pages, same) in PAGES.into_iter().flat_map(|pages| [(pages, true), (pages, false)]) {
            let bytes = mebibytes << 20;
            if pages * 2 > bytes / PAGE || bytes * 2 > BYTES_MAX {
                continue;
            }
            for (name, make) in ALL {
                row(name, *make, bytes, (pages, same));
            }
        }
    }
}

/// Touches so many pages in every round: the same ones, or others each time.
fn row(name: &str, make: Make, bytes: usize, (pages, same): (usize, bool)) {
    let which = if same { "same " } else { "other" };
    let size = bytes >> 20;
    let mut memory = match make(bytes) {
        Ok(memory) => memory,
        Err(error) => {
            println!("{size:>5} MiB {pages:>6} {which} pages  {name:<17} not here: {error}");
            return;
        }
    };
    let base = memory.base();
    let total = bytes / PAGE;
    let mut mappings = 0;
    let mut rounds = |keep: bool| -> std::io::Result<Round> {
        let mut found: Vec<Round> = Vec::new();
        for round in 0..ROUNDS {
            let began = thread_ns();
            memory.begin()?;
            let begin = thread_ns() - began;
            let began = thread_ns();
            for number in 0..pages {
                // A stride that is coprime to the number of pages scatters them and meets none twice.
                let page = (number * stride(total) + if same { 0 } else { round * 7 }) % total;
                // SAFETY: the page lies in the mechanism's memory.
                unsafe { base.add(page * PAGE + 8).write_volatile(black_box(round as u8)) };
            }
            let writes = thread_ns() - began;
            if round == 0 {
                mappings = std::fs::read_to_string("/proc/self/maps")?.lines().count();
            }
            let began = thread_ns();
            if keep {
                memory.commit()?
            } else {
                memory.roll_back()?
            }
            found.push(Round { begin, writes, end: thread_ns() - began });
        }
        let median = |part: fn(&Round) -> u64| {
            let mut values: Vec<u64> = found.iter().map(part).collect();
            values.sort_unstable();
            values[ROUNDS / 2]
        };
        Ok(Round { begin: median(|r| r.begin), writes: median(|r| r.writes), end: median(|r| r.end) })
    };
    let outcome = rounds(true).and_then(|kept| Ok((kept, rounds(false)?)));
    match outcome {
        Ok((kept, undone)) => println!(
            "{size:>5} MiB {pages:>6} {which} pages  {name:<17} {:>9.1} / {:>9.1} / {:>9.1} | {:>9.1}  {mappings} mappings",
            kept.begin as f64 / 1e3,
            kept.writes as f64 / 1e3,
            kept.end as f64 / 1e3,
            undone.end as f64 / 1e3,
        ),
        Err(error) => println!("{size:>5} MiB {pages:>6} {which} pages  {name:<17} failed: {error}"),
    }
}

/// About three eighths of the pages, odd: the numbers of pages are powers of two.
fn stride(total: usize) -> usize {
    (total * 3 / 8) | 1
}
