//! The repository keeps its own rules: floors, headers, lengths, names, `unsafe`, links, arrows between packages.
//!
//! The checks are in `tests/src/tidy` and tested there; this file holds what is particular to this repository.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use tickswap_tests::tidy::{Finding, dependencies, files, floors, links, rules};

/// `tickswap-linker`, lowest first (runtime/ARCHITECTURE.md).
const LINKER_FLOORS: floors::Floors<'static> =
    &[&["limits"], &["ids"], &["lineage"], &["image"], &["residents"], &["compare"], &["verify"], &["link"]];

/// `tickswap`, lowest first. `error` only gathers.
const RUNTIME_FLOORS: floors::Floors<'static> = &[
    &["limits"],
    &["ids"],
    &["clock"],
    &["engine"],
    &["world"],
    &["swap"],
    &["release"],
    &["control"],
    &["error"],
    &["runtime"],
];

/// Files and folders that may have `unsafe`: guest memory on both sides of the wall, the macros that write the guest's side,
/// and mods that tests compile.
const UNSAFE_ALLOWED: &[&str] = &[
    "runtime/src/engine/call.rs",
    // Pages that are written for the first time in a tick.
    "runtime/src/engine/memory/protected",
    // The thread's processor time.
    "runtime/src/engine/budget.rs",
    // Machine code that this installation compiled and sealed itself.
    "runtime/src/engine/kept_code.rs",
    "mods-sdk/abi/src/guest",
    "mods-sdk/src/guest",
    "mods-sdk/macros/src/hooks_guest.rs",
    "mods-sdk/macros/src/host_client.rs",
    "mods-sdk/macros/src/module.rs",
    "mods-sdk/build/wrapper/probe.rs",
    "tests/fixtures",
    // Mechanisms that undo a tick, measured without the runtime.
    "tests/benches/mechanisms",
    // An allocator that counts.
    "tests/tests/no_allocation.rs",
    // A shared library, to measure against.
    "tests/benches/rig/native.rs",
    "tests/tests/verdicts/counted.rs",
    "tests/benches/verdict.rs",
];

/// Package, what it reaches or never reaches, and which. Each "never" has a "does" that would notice a misspelt name.
const ARROWS: &[(&str, bool, &str)] = &[
    ("tickswap", true, "wasmtime"),
    ("tickswap-linker", false, "wasmtime"),
    ("tickswap-linker", true, "wasmparser"),
    ("example-server", true, "tokio"),
    ("tickswap", false, "tokio"),
    ("example-server", true, "tungstenite"),
    ("tickswap", false, "tungstenite"),
    ("example-server", true, "hyper"),
    ("tickswap", false, "hyper"),
    ("example-server", true, "socket2"),
    ("tickswap", false, "socket2"),
    // File notices come through mio's poller; sockets need socket2 or tokio, which stay out.
    ("tickswap", true, "notify"),
    ("tickswap-linker", false, "notify"),
    ("example-server", true, "tickswap"),
    ("tickswap-console", true, "tickswap"),
    ("tickswap", false, "tickswap-console"),
    ("tickswap-console", true, "rustyline"),
    ("tickswap", false, "rustyline"),
    ("tickswap-console", false, "tokio"),
    ("example-server", true, "tickswap-console"),
    ("tickswap-sdk", false, "tickswap"),
    ("tickswap-sdk", false, "wasmtime"),
    ("tickswap-sdk", true, "tickswap-abi"),
    ("arena-api", false, "tickswap"),
    ("arena-api", true, "tickswap-abi"),
    ("example-server", true, "tickswap-build"),
    ("tickswap", false, "tickswap-build"),
    ("cargo-tickswap", true, "tickswap-linker"),
    ("cargo-tickswap", true, "tickswap-build"),
    ("cargo-tickswap", false, "wasmtime"),
];

#[test]
fn modules_name_lower_floors_only() {
    let crates = [("runtime/linker/src", LINKER_FLOORS), ("runtime/src", RUNTIME_FLOORS)];
    for (folder, floors) in crates {
        let of_crate = sources().into_iter().filter(|(path, _)| path.starts_with(folder));
        let check = |(path, source): (PathBuf, String)| {
            floors::check(&path, path.strip_prefix(folder).unwrap(), &source, floors)
        };
        none(of_crate.flat_map(check));
    }
}

#[test]
fn files_open_with_a_header() {
    none(sources().iter().filter_map(|(path, source)| rules::header(path, source)));
}

#[test]
fn files_are_of_bearable_length() {
    none(sources().iter().filter_map(|(path, source)| rules::length(path, source)));
}

#[test]
fn files_are_named_after_what_they_hold() {
    none(sources().iter().filter_map(|(path, _)| rules::name(path)));
}

#[test]
fn unsafe_is_rare_and_justified() {
    let allowed = |path: &Path| UNSAFE_ALLOWED.iter().any(|allowed| path.starts_with(allowed));
    none(sources().iter().flat_map(|(path, source)| rules::unsafe_code(path, source, allowed(path))));
}

#[test]
fn links_in_documents_lead_somewhere() {
    let root = files::repository();
    let documents = files::with_extension(&root, "md").unwrap();
    none(documents.iter().flat_map(|(path, document)| links::check(&root, path, document)));
}

#[test]
fn packages_reach_what_they_may() {
    let root = files::repository();
    for (package, expected, dependency) in ARROWS {
        let verb = if *expected { "reach" } else { "never reach" };
        let reaches = dependencies::reaches(&root, package, dependency).unwrap();
        assert_eq!(reaches, *expected, "{package} must {verb} {dependency}");
    }
    let known =
        |name: &str| ARROWS.iter().any(|(package, expected, other)| *package == name || (*expected && *other == name));
    let unpaired = ARROWS.iter().find(|(_, _, name)| !known(name));
    assert_eq!(unpaired, None, "nothing is said to reach it, so a misspelling would pass");
}

#[test]
fn the_checks_can_be_run_by_one_command() {
    let script = files::repository().join(".ci/run");
    assert!(script.is_file(), "{} is missing", script.display());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert!(script.metadata().unwrap().permissions().mode() & 0o111 != 0, ".ci/run is not executable");
    }
}

fn sources() -> Vec<(PathBuf, String)> {
    let sources = files::with_extension(&files::repository(), "rs").unwrap();
    assert!(sources.len() > 10, "the repository's sources were not found");
    sources
}

fn none(findings: impl IntoIterator<Item = Finding>) {
    let found: Vec<String> = findings.into_iter().map(|finding| finding.to_string()).collect();
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}
