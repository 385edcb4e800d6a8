//! Code kept on disk: a server that starts again compiles nothing, and takes nothing but what it has written itself.
//!
//! What was compiled is counted, not timed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tickswap::{CodeFacts, PreparedMod, SubmissionState};
use tickswap_tests::fixtures::build;

use crate::server::{PATIENCE, Server, probe, version};

const LARGE: u64 = 1 << 30;

/// Something that happens to a folder of kept code.
type Damage<'a> = &'a dyn Fn(&Path);

/// A server of this folder that has loaded these versions of the probe, one after the other.
fn server(folder: &Path, bytes_max: u64, versions: &[u32]) -> (Server, Vec<CodeFacts>) {
    let server = Server::with(|builder| builder.code_cache(folder, bytes_max));
    let facts = versions.iter().map(|version| code(&server.load(&[("probe", probe(*version))])));
    let facts = facts.collect();
    // One thread prepares and writes: when it answers the next submission, it has written what came before.
    let again = server.submit(&[("probe", probe(versions[versions.len() - 1]))]);
    assert_eq!(server.control.wait(again, PATIENCE), SubmissionState::Identical);
    (server, facts)
}

fn code(prepared: &[PreparedMod]) -> CodeFacts {
    prepared[0].code
}

fn is_compiled(facts: &CodeFacts) -> bool {
    !facts.is_kept && facts.functions_compiled > 0
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| !path.ends_with("key")).collect()
}

/// Copies one folder's files into another, over what is there.
fn copy(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn a_server_that_starts_again_compiles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (_, first) = server(folder.path(), LARGE, &[1, 2]);
    assert!(first.iter().all(is_compiled), "{first:?}");
    assert!(first[1].functions_found > first[1].functions_compiled, "a patch finds most of its functions: {first:?}");

    let (again, facts) = server(folder.path(), LARGE, &[1, 2]);
    for (found, first) in facts.iter().zip(first) {
        let expected = (true, 0, 0, first.code_bytes);
        assert_eq!((found.is_kept, found.functions_compiled, found.functions_found, found.code_bytes), expected);
    }
    assert_eq!(version(&mut again.world("w"), "probe"), 2);
}

#[test]
fn a_server_that_starts_with_the_last_version_finds_its_functions() {
    let folder = tempfile::tempdir().unwrap();
    server(folder.path(), LARGE, &[1, 2]);
    // Linked for itself and not upon version 1, so it is another module of much the same functions.
    let (again, facts) = server(folder.path(), LARGE, &[2]);
    assert!(!facts[0].is_kept && facts[0].functions_found > 10 * facts[0].functions_compiled, "{facts:?}");
    assert_eq!(version(&mut again.world("w"), "probe"), 2);
}

#[test]
fn what_is_damaged_or_foreign_is_compiled_anew_and_replaced() {
    let (good, foreign) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_, first) = server(good.path(), LARGE, &[1]);
    server(foreign.path(), LARGE, &[1]);
    let each = |folder: &Path, damage: fn(&mut Vec<u8>)| {
        for path in files(folder) {
            let mut bytes = fs::read(&path).unwrap();
            damage(&mut bytes);
            fs::write(&path, bytes).unwrap();
        }
    };
    let foreign_files = |folder: &Path| {
        let key = fs::read(folder.join("key")).unwrap();
        copy(foreign.path(), folder);
        fs::write(folder.join("key"), key).unwrap();
    };
    let foreign_key = |folder: &Path| {
        fs::copy(foreign.path().join("key"), folder.join("key")).unwrap();
    };
    let one_for_all = |folder: &Path| {
        let files = files(folder);
        for file in &files[1..] {
            fs::copy(&files[0], file).unwrap();
        }
        fs::write(&files[0], b"nothing").unwrap();
    };
    let damages: [(&str, Damage<'_>); 8] = [
        ("cut short", &|folder| each(folder, |bytes| bytes.truncate(bytes.len() / 2))),
        ("empty, as after a power loss", &|folder| each(folder, Vec::clear)),
        ("zeros, as after a power loss", &|folder| each(folder, |bytes| bytes.fill(0))),
        ("a flipped bit", &|folder| each(folder, |bytes| *bytes.last_mut().unwrap() ^= 1)),
        ("something behind it", &|folder| each(folder, |bytes| bytes.push(0))),
        ("of another installation", &foreign_files),
        ("under another key", &foreign_key),
        ("under another name", &one_for_all),
    ];
    for (what, damage) in damages {
        let folder = tempfile::tempdir().unwrap();
        copy(good.path(), folder.path());
        damage(folder.path());
        let (damaged, facts) = server(folder.path(), LARGE, &[1]);
        assert!(facts.iter().all(is_compiled), "{what}: {facts:?}");
        assert_eq!(facts[0].functions_compiled, first[0].functions_compiled, "{what}: nothing was of use");
        assert_eq!(version(&mut damaged.world("w"), "probe"), 1, "{what}");
        let (mended, facts) = server(folder.path(), LARGE, &[1]);
        assert!(facts[0].is_kept, "{what}: {facts:?}");
        assert_eq!(version(&mut mended.world("w"), "probe"), 1, "{what}");
    }
}

#[test]
fn the_folder_stays_within_its_bound_and_the_newest_stays_in_it() {
    let one = tempfile::tempdir().unwrap();
    let bytes = |folder: &Path| files(folder).iter().map(|file| file.metadata().unwrap().len()).sum::<u64>();
    server(one.path(), LARGE, &[1]);
    // Room for one version and a part of the next.
    let bound = bytes(one.path()) * 3 / 2;
    let folder = tempfile::tempdir().unwrap();
    server(folder.path(), bound, &[1, 2, 3, 4]);
    assert!(bytes(folder.path()) <= bound, "{} of {bound}", bytes(folder.path()));
    let (_, facts) = server(folder.path(), bound, &[1, 2, 3, 4]);
    assert!(facts.iter().any(|facts| !facts.is_kept), "not all have room: {facts:?}");
    assert!(bytes(folder.path()) <= bound);
    // Too large for the folder: it is not kept, and runs all the same.
    let none = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let (small, facts) = server(none.path(), 1000, &[1]);
        assert!(is_compiled(&facts[0]));
        assert_eq!(version(&mut small.world("w"), "probe"), 1);
    }
    assert_eq!(files(none.path()), Vec::<PathBuf>::new());
}

#[test]
fn mods_of_one_submission_are_all_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mods = [("probe", probe(1)), ("second", build("second"))];
    for is_kept in [false, true] {
        let server = Server::with(|builder| builder.code_cache(folder.path(), LARGE));
        let prepared = server.load(&mods);
        assert!(prepared.iter().all(|prepared| prepared.code.is_kept == is_kept), "{prepared:?}");
        assert_eq!(server.control.wait(server.submit(&mods), PATIENCE), SubmissionState::Identical);
    }
}
