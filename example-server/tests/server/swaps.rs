//! A short soak: real players, real candidates, several worlds. Everything must be applied exactly once.

use std::sync::Arc;

use example_server::{
    mods::{Listener, ModsFolder},
    soak::{self, Candidates, SoakConfig},
};

#[test]
fn swaps_go_on_among_the_binaries_that_are_in() {
    let listener: Listener = Arc::new(|_| ());
    let candidates = Candidates::build(&ModsFolder::of_the_example(), 3, None, &listener).unwrap();
    let config = SoakConfig {
        players: 4,
        seconds: 3,
        baseline_seconds: 3,
        swaps: 3,
        swap_every: Some(0.25),
        ..SoakConfig::default()
    };
    let outcome = soak::run(&config, &candidates, &listener).unwrap();
    let failures: Vec<String> = outcome.failures.iter().map(ToString::to_string).collect();
    assert_eq!(failures, Vec::<String>::new());
    let report = outcome.report;
    assert_eq!((report.swaps, report.generations_linked, report.flips), (12, 3, 12));
    assert_eq!(report.inputs_sent, report.inputs_applied);
}

#[test]
fn a_short_soak_loses_nothing() {
    let listener: Listener = Arc::new(|_| ());
    let candidates = Candidates::build(&ModsFolder::of_the_example(), 3, None, &listener).unwrap();
    let config = SoakConfig {
        players: 8,
        worlds: 2,
        seconds: 3,
        baseline_seconds: 3,
        swaps: 3,
        state_mib: 1,
        ..SoakConfig::default()
    };
    let outcome = soak::run(&config, &candidates, &listener).unwrap();
    let failures: Vec<String> = outcome.failures.iter().map(ToString::to_string).collect();
    assert_eq!(failures, Vec::<String>::new());
    let report = outcome.report;
    assert_eq!((report.swaps, report.generations_linked, report.flips), (3, 3, 6));
    assert_eq!(report.inputs_sent, report.inputs_applied);
    assert!(report.inputs_sent > 0);
    assert_eq!(report.disconnects, 0);
    assert!(report.pause_us.p50 > 0.0 && report.pause_us.p50 <= report.pause_us.max);
    assert!(report.state_bytes >= 2 << 20);
}

#[test]
fn a_large_mod_is_compiled_from_cold_while_players_play() {
    let listener: Listener = Arc::new(|_| ());
    let mods = ModsFolder::of_the_example();
    let candidates = Candidates::build(&mods, 1, None, &listener).unwrap();
    let candidates = candidates.with_large(&mods, 100, &listener).unwrap();
    let config = SoakConfig { players: 4, seconds: 1, baseline_seconds: 2, swaps: 1, ..SoakConfig::default() };
    let outcome = soak::run(&config, &candidates, &listener).unwrap();
    let failures: Vec<String> = outcome.failures.iter().map(ToString::to_string).collect();
    assert_eq!(failures, Vec::<String>::new());
    let report = outcome.report;
    let large = report.large_compiles.unwrap();
    assert!(large.compiles > 0 && large.code_bytes > 0 && large.ticks > 0 && large.ticks_baseline > 0, "{large:?}");
    assert_eq!(report.inputs_sent, report.inputs_applied);
}
