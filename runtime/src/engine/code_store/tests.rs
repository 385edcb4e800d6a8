//! What a folder of compiled code must survive: damage, foreign files, other compilers, crashes, company.

#![allow(clippy::unwrap_used)]

use super::*;

const LARGE: u64 = 1 << 20;

fn open(folder: &Path, bytes_max: u64) -> CodeStore {
    CodeStore::open(folder, bytes_max, &"a compiler").unwrap()
}

fn files(folder: &Path, start: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| name(path).starts_with(start)).collect()
}

fn function(number: u8) -> Function {
    Function { key: [number; 32].into(), code: vec![number; 100].into() }
}

#[test]
fn what_was_put_is_there_after_a_restart_and_for_another_server() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path(), LARGE);
    first.put_module("a", b"code");
    first.put_functions(&[function(1), function(2)]);
    first.put_functions(&[function(3)]);
    let second = open(folder.path(), LARGE);
    assert_eq!(second.module("a").as_deref(), Some(&b"code"[..]));
    assert_eq!(second.module("b"), None);
    let mut numbers: Vec<u8> = second.functions(1 << 20).iter().map(|function| function.key[0]).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3]);
    second.put_module("b", b"more");
    assert_eq!(first.module("b").as_deref(), Some(&b"more"[..]));
}

#[test]
fn every_truncation_and_every_flipped_bit_is_a_miss_and_the_file_goes() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), LARGE);
    store.put_module("a", b"machine code");
    let path = files(folder.path(), "module").remove(0);
    let good = fs::read(&path).unwrap();
    let damaged = (0..good.len()).map(|length| good[..length].to_vec()).chain((0..good.len() * 8).map(|bit| {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    }));
    for bytes in damaged {
        fs::write(&path, bytes).unwrap();
        assert_eq!(store.module("a"), None);
        assert!(!path.exists());
    }
    fs::write(&path, good).unwrap();
    assert!(store.module("a").is_some());
}

#[test]
fn code_of_another_installation_another_compiler_or_another_name_is_not_taken() {
    let (own, foreign) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(own.path(), LARGE);
    open(foreign.path(), LARGE).put_module("a", b"evil");
    let path = files(foreign.path(), "module").remove(0);
    fs::copy(&path, own.path().join(path.file_name().unwrap())).unwrap();
    assert_eq!(store.module("a"), None, "sealed with another key");
    store.put_module("a", b"good");
    let renamed = store.path(Kind::Module, "b");
    fs::copy(store.path(Kind::Module, "a"), &renamed).unwrap();
    assert_eq!(store.module("b"), None, "the name is sealed with the content");
    let other = CodeStore::open(own.path(), LARGE, &"a compiler with other flags").unwrap();
    assert_eq!(other.module("a"), None);
    assert!(store.module("a").is_some(), "it is left to those whose it is");
}

#[test]
fn the_bound_holds_and_what_was_used_last_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), 3_000);
    let age = |key: &str, seconds: u64| {
        let file = fs::File::options().write(true).open(store.path(Kind::Module, key)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(seconds)).unwrap();
    };
    for (key, seconds) in [("a", 30), ("b", 20)] {
        store.put_module(key, &[0; 900]);
        age(key, seconds);
    }
    // Using it makes it the youngest.
    assert!(store.module("a").is_some());
    store.put_module("c", &[0; 900]);
    store.put_module("d", &[0; 900]);
    assert!(store.module("a").is_some() && store.module("b").is_none() && store.module("d").is_some());
    store.put_module("e", &[0; 4_000]);
    assert!(store.module("e").is_none(), "larger than the whole folder may be");
    let bytes: u64 = files(folder.path(), "").iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(bytes <= 3_000 + 32, "the key is not counted: {bytes}");
}

#[test]
fn what_a_crash_left_unfinished_goes_when_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    for (name, age) in [("unfinished-1-0", CODE_CACHE_STALE_SECONDS * 2), ("unfinished-2-0", 0)] {
        let path = folder.path().join(name);
        fs::write(&path, b"half").unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    }
    open(folder.path(), LARGE);
    assert_eq!(files(folder.path(), UNFINISHED), [folder.path().join("unfinished-2-0")]);
}

#[test]
fn files_that_are_not_the_stores_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), [0; 100]).unwrap();
    open(folder.path(), 10).put_module("a", &[0; 20]);
    assert!(folder.path().join("notes.txt").exists());
}

#[test]
fn a_key_cut_short_is_replaced_and_what_it_sealed_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), LARGE).put_module("a", b"code");
    fs::write(folder.path().join("key"), b"short").unwrap();
    let store = open(folder.path(), LARGE);
    assert_eq!(store.module("a"), None);
    store.put_module("a", b"code");
    assert!(open(folder.path(), LARGE).module("a").is_some());
}

#[test]
#[cfg(unix)]
fn only_the_servers_user_may_read_the_key() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), LARGE);
    assert_eq!(folder.path().join("key").metadata().unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn functions_beyond_the_room_are_left_out_the_oldest_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path(), LARGE);
    store.put_functions(&[function(1)]);
    let old = files(folder.path(), "functions").remove(0);
    let file = fs::File::options().write(true).open(old).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
    store.put_functions(&[function(2)]);
    let found = store.functions(250);
    assert_eq!(found, [function(2)]);
}
