//! Goal: bad candidates end as refusals that say what was expected and what to do, over the public API, and the preparing
//! thread goes on. Method: hand-made files; mods that are built from source are the `tests` package's business.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use tickswap::{Contract, ControlError, GenerationId, ModName, Runtime, Scope, SubmissionId, SubmissionState};

const EMPTY_MODULE: &[u8] = b"\0asm\x01\0\0\0";

fn runtime() -> Runtime {
    Runtime::builder().contract(Contract::new("game")).build().unwrap()
}

fn named(name: &str) -> ModName {
    ModName::try_from(name).unwrap()
}

fn refusal(runtime: &Runtime, bytes: &[u8]) -> String {
    let control = runtime.control();
    let id = control.submit(vec![(named("arena"), bytes.to_vec())]).unwrap();
    let state = control.wait(id, Duration::from_secs(30));
    assert!(matches!(state, SubmissionState::Refused { .. }), "{state}");
    state.to_string()
}

#[test]
fn files_that_are_no_mods_are_refused_one_after_the_other() {
    let runtime = runtime();
    let cases: [(&[u8], &str); 5] = [
        (b"", "not a WebAssembly file"),
        (b"#!/bin/sh", "not a WebAssembly file"),
        (b"\0asm\x0d\0\x01\0", "component"),
        (b"\0asm\x01\0\0\0\x01\x7f\x00", "unexpected end-of-file"),
        (EMPTY_MODULE, "cargo tickswap build"),
    ];
    for (bytes, expected) in cases {
        let found = refusal(&runtime, bytes);
        assert!(found.contains(expected), "{expected:?} is not in {found}");
    }
}

#[test]
fn a_candidate_beyond_the_limit_is_not_read() {
    let mut limits = tickswap::Limits::default();
    limits.candidate_bytes = 4;
    let runtime = Runtime::builder().contract(Contract::new("game")).limits(limits).build().unwrap();
    assert!(refusal(&runtime, EMPTY_MODULE).contains("candidate_bytes"));
}

#[test]
fn one_refused_mod_refuses_its_submission_with_all_reasons() {
    let control = runtime().control();
    let id = control.submit(vec![(named("a"), b"x".to_vec()), (named("b"), EMPTY_MODULE.to_vec())]).unwrap();
    let SubmissionState::Refused { reasons } = control.wait(id, Duration::from_secs(30)) else {
        panic!("not refused");
    };
    let names: Vec<_> = reasons.iter().map(|reason| reason.mod_name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn commands_that_make_no_sense_say_why() {
    let control = runtime().control();
    assert_eq!(control.submit(vec![]), Err(ControlError::Nothing));
    let twice = control.submit(vec![(named("a"), vec![]), (named("a"), vec![])]);
    assert!(matches!(twice, Err(ControlError::Twice { .. })));
    let unknown = control.activate(&named("a"), GenerationId::new(1), Scope::All);
    assert!(matches!(unknown, Err(ControlError::UnknownMod { .. })));
    assert_eq!(control.wait(SubmissionId(99), Duration::ZERO), SubmissionState::Unknown);
    assert!(Runtime::builder().build().is_err());
}
