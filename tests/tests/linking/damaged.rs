//! Damaged files: whatever the bytes, reading, comparing and placing end soon, with an answer or an error.

use std::time::{Duration, Instant};

use tickswap_linker::{Residents, compare, image, link, verify};
use tickswap_tests::fixtures::{build, edited};

/// A small generator, so that a case is known by its seed.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below.max(1)
    }
}

/// Ranges of the contents of all sections.
fn sections(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let payloads = wasmparser::Parser::new(0).parse_all(bytes).map_while(Result::ok);
    payloads.filter_map(|payload| payload.as_section().map(|(_, range)| range)).collect()
}

fn damage(bytes: &mut [u8], sections: &[std::ops::Range<usize>], random: &mut Random) {
    const TELLING: [u8; 8] = [0, 1, 0x0b, 0x41, 0x7f, 0x80, 0xc0, 0xff];
    for _ in 0..=random.next(4) {
        let section = sections[random.next(sections.len())].clone();
        // Counts and headers stand at the beginning.
        let reach = if random.next(3) == 0 { section.len().min(64) } else { section.len() };
        let at = section.start + random.next(reach);
        let Some(length) = bytes.len().checked_sub(at) else { continue };
        for byte in &mut bytes[at..at + (1 + random.next(4)).min(length)] {
            *byte = match random.next(3) {
                0 => TELLING[random.next(TELLING.len())],
                1 => byte.wrapping_add(1),
                _ => random.next(256) as u8,
            };
        }
    }
}

/// Reads, compares and places; returns how far the case came.
fn link_over_first(first: &[u8], next: &[u8]) -> usize {
    let mut residents = Residents::new();
    let comparison = compare::compare(&residents, None, image::read(first).unwrap_or_else(|error| panic!("{error}")));
    let permit = verify::judge(comparison).permit().unwrap_or_else(|error| panic!("{error}"));
    let running = link::place(&mut residents, permit).unwrap_or_else(|error| panic!("{error}")).generation;
    let Ok(image) = image::read(next) else { return 0 };
    let comparison = compare::compare(&residents, Some(running), image);
    let verdict = verify::judge(comparison);
    let seen = verdict.report().clone();
    let Ok(permit) = verdict.approve(&seen) else { return 1 };
    if link::place(&mut residents, permit).is_ok() { 3 } else { 2 }
}

fn run(seeds: std::ops::Range<u64>) -> [usize; 4] {
    let first = build("zoo");
    let next = edited("zoo", &[("u64::from(self.health) + time", "u64::from(self.health) + time * 3")]);
    let sections = sections(&next);
    let mut came = [0; 4];
    for seed in seeds {
        let mut damaged = next.clone();
        damage(&mut damaged, &sections, &mut Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let began = Instant::now();
        let outcome = std::panic::catch_unwind(|| link_over_first(&first, &damaged));
        let outcome = outcome.unwrap_or_else(|_| panic!("seed {seed} panics"));
        assert!(began.elapsed() < Duration::from_secs(20), "seed {seed} took {:?}", began.elapsed());
        came[outcome] += 1;
    }
    came
}

#[test]
fn damaged_files_end_in_an_answer_or_an_error() {
    // More with TICKSWAP_DAMAGED_CASES, from another seed with TICKSWAP_DAMAGED_FROM.
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (from, cases) = (number("TICKSWAP_DAMAGED_FROM").unwrap_or(0), number("TICKSWAP_DAMAGED_CASES").unwrap_or(60));
    let came = run(from..from + cases);
    eprintln!("refused by reading {}, by the gate {}, by placing {}, linked {}", came[0], came[1], came[2], came[3]);
    assert!(came.iter().sum::<usize>() > 0);
}
