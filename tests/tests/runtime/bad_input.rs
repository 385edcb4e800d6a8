//! Goal: whatever is submitted, the answer says what was expected, what was found and what to do, and what runs goes on.

use tickswap::{Limits, RefusalStage, SubmissionState};
use tickswap_tests::fixtures::{Fixture, build, build_variant, edited};

use crate::server::{Server, probe, refusals, second, tick, total, version};

use probe_api::probe_hooks::Caller;

/// Submits to a running world, and checks that what ran goes on. Answers stage and words of the refusal.
fn refused(bytes: Vec<u8>) -> (RefusalStage, String) {
    let server = Server::of_both();
    let mut world = server.world("eu-1");
    tick(&mut world, |tick| tick.probe().bump(5));
    // Together with a good candidate, which then is not loaded either.
    let submission = server.submit(&[("probe", bytes), ("second", second(2))]);
    let state = server.finish(&mut world, submission);
    let stage = match &state {
        SubmissionState::Refused { reasons } => reasons[0].stage,
        other => panic!("{other}"),
    };
    assert_eq!(total(&mut world, "probe"), 5);
    assert_eq!((version(&mut world, "probe"), version(&mut world, "second")), (1, 1));
    let status = server.control.status();
    assert!(status.mods.iter().all(|known| known.generations.len() == 1), "{status:?}");
    server.patch(&mut world, &[("probe", probe(2))]);
    assert_eq!(version(&mut world, "probe"), 2, "a good candidate is loaded afterwards");
    (stage, refusals(state))
}

fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "expected {part:?} in: {text}");
    }
}

#[test]
fn a_file_that_is_no_wasm() {
    let (stage, text) = refused(b"#!/bin/sh\necho no wasm\n".to_vec());
    assert_eq!(stage, RefusalStage::Read);
    assert_says(&text, &["mod probe is not loaded", "cargo tickswap build"]);
}

#[test]
fn an_empty_file() {
    let (stage, text) = refused(Vec::new());
    assert_eq!(stage, RefusalStage::Read);
    assert_says(&text, &["mod probe is not loaded", "cargo tickswap build"]);
}

#[test]
fn truncated_files() {
    let server = Server::of_probe();
    let mut world = server.world("eu-1");
    let whole = probe(2);
    let places = [4, 7, 8, 9, 100, whole.len() / 4, whole.len() / 2, whole.len() - 1000, whole.len() - 1];
    for place in places {
        let submission = server.submit(&[("probe", whole[..place].to_vec())]);
        let text = refusals(server.finish(&mut world, submission));
        assert_says(&text, &["mod probe is not loaded"]);
    }
    assert_eq!(version(&mut world, "probe"), 1);
    server.patch(&mut world, &[("probe", whole)]);
    assert_eq!(version(&mut world, "probe"), 2);
}

#[test]
fn a_component() {
    let (stage, text) = refused(b"\0asm\x0d\0\x01\0".to_vec());
    assert_eq!(stage, RefusalStage::Read);
    assert_says(&text, &["component", "cargo tickswap build"]);
}

#[test]
fn a_module_built_without_the_flags() {
    for flag in ["--emit-relocs", "--import-memory", "--import-table"] {
        let bytes = Fixture::new("probe").without_flag(flag).build();
        let (_, text) = refused(bytes);
        assert_says(&text, &["cargo tickswap build"]);
    }
}

#[test]
fn a_module_whose_statics_were_shrunk() {
    let bytes = Fixture::new("probe").without_flag("-opt-disable").build();
    let (_, text) = refused(bytes);
    assert_says(&text, &["cargo tickswap build"]);
}

#[test]
fn a_mod_of_another_contract_shows_both_signatures() {
    let (stage, text) = refused(build("foreign"));
    assert_eq!(stage, RefusalStage::Contract);
    assert_says(&text, &["b: u32", "b: i32", "name: String, times: u8", "ProbeHooks"]);
}

#[test]
fn a_mod_that_imports_what_the_server_lacks() {
    let (stage, text) = refused(build_variant("foreign", "import"));
    assert_eq!(stage, RefusalStage::Contract);
    assert_says(&text, &["ProbeHost.teleport", "does not offer", "award", "say"]);
}

#[test]
fn a_mod_that_lacks_a_required_hook() {
    // The contract crate knows the hook as optional in the mod's eyes only: the mod has an export less.
    let bytes = without_export(&probe(2), "tickswap_hook__ProbeHooks__total");
    let (_, text) = refused(bytes);
    assert_says(&text, &["total"]);
}

#[test]
fn a_change_of_a_states_type_is_refused_with_the_item() {
    let bytes = edited("probe", &[("    total: u64,\n    log", "    total: u64,\n    added: [u64; 4],\n    log")]);
    let (stage, text) = refused(bytes);
    assert_eq!(stage, RefusalStage::Verdict);
    assert_says(&text, &["Probe"]);
}

#[test]
fn a_file_beyond_the_limit_names_it() {
    let mut limits = Limits::default();
    let size = probe(1).len();
    limits.candidate_bytes = size + 1000;
    let server = Server::with(|builder| builder.limits(limits));
    server.load(&[("probe", probe(1))]);
    let mut world = server.world("eu-1");
    let mut padded = probe(2);
    padded.resize(size + 2000, 0);
    let submission = server.submit(&[("probe", padded)]);
    let text = refusals(server.finish(&mut world, submission));
    assert_says(&text, &["candidate_bytes", &(size + 2000).to_string(), &(size + 1000).to_string()]);
    assert_eq!(version(&mut world, "probe"), 1);
}

#[test]
fn every_reason_is_told_at_once() {
    let server = Server::of_both();
    let submission = server.submit(&[("probe", build("foreign")), ("second", Vec::new())]);
    let SubmissionState::Refused { reasons } = server.control.wait(submission, crate::server::PATIENCE) else {
        panic!("it was not refused");
    };
    assert_eq!(reasons.iter().map(|reason| reason.mod_name.as_str()).collect::<Vec<_>>(), ["probe", "second"]);
}

/// The module with an export renamed to something that nobody asks for.
fn without_export(module: &[u8], export: &str) -> Vec<u8> {
    let mut module = module.to_vec();
    // An export is its length, its name, its kind.
    let needle: Vec<u8> = [&[export.len() as u8][..], export.as_bytes(), &[0]].concat();
    let found = module.windows(needle.len()).position(|window| window == needle).unwrap();
    module[found + needle.len() - 2] = b'X';
    module
}
