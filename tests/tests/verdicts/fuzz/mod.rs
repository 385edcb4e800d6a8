//! Goal: whatever the bytes, reading, comparing, judging and linking end in an answer, in memory that is a small multiple of
//! the file. Method: sound modules, kept in `tests/fuzz/corpus`, changed by seeded mutators; a case is known by its seed and
//! number. `TICKSWAP_FUZZ_CASES` and `TICKSWAP_FUZZ_SEED` take more cases, or others.

mod mutate;
#[path = "../../../fuzz/targets.rs"]
mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use tickswap_linker::image;
use tickswap_tests::fixtures::{Fixture, build};

use crate::counted::peak;
use crate::random::Random;

/// Cases of an ordinary run.
const CASES: u64 = 3000;

/// Bytes that may be held at once while a file is read and compared, as a multiple of the file, and however small it is.
/// Real files take up to 5 times their size.
const HELD_FACTOR: usize = 40;
const HELD_MIN: usize = 24 << 20;

/// Bytes of all seeds together.
const CORPUS_BYTES_MAX: usize = 2 << 20;

/// Name of a seed, and the edits of the fixture that make it.
const SEEDS: &[(&str, &[(&str, &str)])] = &[
    ("plain", &[]),
    ("body", &[("value * 2", "value * 3 + 1")]),
    ("field", &[("pub struct Square(u32);", "pub struct Square(u32, u8);"), ("Square(7)", "Square(7, 1)")]),
    (
        "static",
        &[
            ("static WIDE:", "static MORE: State = STATE_OF_NOTHING;\nstatic WIDE:"),
            ("STATE.act.get()", "MORE.act.get()"),
        ],
    ),
    ("method", &[("fn area(&self) -> u32;", "fn area(&self) -> u32;\n    fn more(&self) -> u32 {\n        1\n    }")]),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

/// All seeds, in order.
fn seeds() -> Vec<Vec<u8>> {
    if std::env::var_os("BLESS").is_some() {
        for (name, edits) in SEEDS {
            let fixture = edits.iter().fold(Fixture::new("tiny"), |fixture, (old, new)| fixture.edit(old, new));
            fs::write(folder().join(format!("{name}.wasm")), fixture.build()).unwrap();
        }
    }
    let mut files: Vec<_> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

#[test]
fn the_corpus_is_small_and_sound() {
    let seeds = seeds();
    assert!(seeds.len() >= SEEDS.len());
    assert!(seeds.iter().map(Vec::len).sum::<usize>() < CORPUS_BYTES_MAX);
    let sound = seeds.iter().filter(|seed| image::read(seed).is_ok()).count();
    assert_eq!(sound, SEEDS.len(), "the others are there because they are not");
    for seed in &seeds {
        targets::read(seed);
        targets::compare(seed);
    }
}

#[test]
fn changed_modules_end_in_an_answer() {
    let (seed, cases) = (number("TICKSWAP_FUZZ_SEED").unwrap_or(1), number("TICKSWAP_FUZZ_CASES").unwrap_or(CASES));
    let seeds = seeds();
    let mut came = [0; 3];
    let mut most = 0.0_f64;
    for case in 0..cases {
        let bytes = mutate::mutate(&seeds, &mut Random::new(seed.wrapping_mul(1 << 32).wrapping_add(case)));
        let run = || {
            targets::read(&bytes);
            targets::compare(&bytes)
        };
        let (held, outcome) = peak(|| catch_unwind(AssertUnwindSafe(run)));
        let Ok(outcome) = outcome else {
            let file = std::env::temp_dir().join(format!("tickswap-fuzz-{seed}-{case}.wasm"));
            let _ = fs::write(&file, &bytes);
            panic!("case {case} of seed {seed} fails; its bytes are in {}", file.display());
        };
        // The live module is read besides.
        let limit = HELD_MIN + HELD_FACTOR * (bytes.len() + targets::LIVE.len());
        assert!(held <= limit, "case {case} of seed {seed}: {held} bytes held for {} of file", bytes.len());
        most = most.max(held as f64 / (bytes.len() + targets::LIVE.len()) as f64);
        came[outcome] += 1;
    }
    eprintln!(
        "{cases} cases of seed {seed}: {} not read, {} refused, {} patched; at most {most:.1} times the files held",
        came[0], came[1], came[2]
    );
    // A mutator that only ever breaks the outermost format would test nothing behind it.
    assert!(came.iter().all(|count| *count * 50 > cases) || cases < CASES, "{came:?}");
}

#[test]
fn reading_a_real_mod_takes_a_small_multiple_of_its_size() {
    // Measured: 6.0 times for the small mod, of whose file the standard library's line tables are most; 3.5 for larger ones.
    const FACTOR: usize = 7;
    for name in ["ledger", "skirmish"] {
        let bytes = build(name);
        let (held, image) = peak(|| image::read(&bytes).unwrap());
        assert!(held < FACTOR * bytes.len(), "{name}: {held} bytes held for {} of file", bytes.len());
        assert!(held > bytes.len(), "the allocator counts");
        drop(image);
    }
}
