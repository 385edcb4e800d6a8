//! Looking at a folder and reading its files: the only place of the watcher that touches the file system.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::{self, File, Metadata},
    hash::{DefaultHasher, Hasher},
    io::{self, Read},
    path::{Path, PathBuf},
};

use tickswap_abi::ModName;

use super::pending::{Content, FileFacts};
use crate::limits::CANDIDATE_BYTES_MAX;

/// What lies in a folder.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Files named `NAME.wasm`.
    pub(super) mods: BTreeMap<ModName, FileFacts>,
    /// Files that look like mods and cannot be one, and why.
    pub(super) strange: BTreeMap<PathBuf, String>,
}

/// Tells whether a path still leads to the folder that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FolderIdentity {
    pub(super) real_path: PathBuf,
    inode: u64,
}

/// The folder that a path leads to, through symbolic links.
pub(super) fn identity(folder: &Path) -> io::Result<FolderIdentity> {
    let real_path = folder.canonicalize()?;
    let metadata = fs::metadata(&real_path)?;
    match metadata.is_dir() {
        true => Ok(FolderIdentity { real_path, inode: facts(&metadata).inode }),
        false => Err(io::Error::new(io::ErrorKind::NotADirectory, "expected a folder, found a file")),
    }
}

/// Lists a folder. Symbolic links count as what they lead to.
pub(super) fn look(folder: &Path) -> io::Result<Look> {
    let mut look = Look::default();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(stem) = mod_stem(&path) else {
            continue;
        };
        // Gone since it was listed, or a link that leads nowhere: the same as if it were not there.
        let Ok(metadata) = fs::metadata(&path) else {
            continue;
        };
        if !metadata.is_file() {
            continue;
        }
        match ModName::try_from(&*stem.to_string_lossy()) {
            Ok(name) => {
                look.mods.insert(name, facts(&metadata));
            }
            Err(error) => {
                look.strange.insert(path.clone(), error.to_string());
            }
        }
    }
    Ok(look)
}

/// The part before `.wasm`. Hidden files are of editors and builders that have not finished.
fn mod_stem(path: &Path) -> Option<&OsStr> {
    let is_module = path.extension().is_some_and(|extension| extension == "wasm");
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    path.file_stem().filter(|_| is_module && !is_hidden)
}

/// Reads a file, and says what it was when the reading ended.
pub(super) fn read(path: &Path) -> io::Result<(Vec<u8>, FileFacts)> {
    let file = File::open(path)?;
    // One byte more than is allowed shows that there are more; the runtime then says so.
    let mut bytes = Vec::new();
    file.take(CANDIDATE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    // By its path: another file may have been moved there meanwhile.
    Ok((bytes, facts(&fs::metadata(path)?)))
}

/// What is remembered of a file's content.
pub(super) fn content(bytes: &[u8]) -> Content {
    Content { hash: hash(bytes), is_complete: is_complete(bytes) }
}

/// Not against attackers: who may write to the folder may submit whatever they like.
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

/// Whether the sections of a module end where the file ends (WebAssembly core specification, section 5.5). A file that is no
/// module at all counts as complete: waiting would not make it one.
fn is_complete(bytes: &[u8]) -> bool {
    let magic = b"\0asm";
    if !bytes.starts_with(magic) {
        return !magic.starts_with(bytes);
    }
    let mut at = 8;
    while at < bytes.len() {
        let Some((size, behind)) = section_size(bytes, at + 1) else {
            return false;
        };
        at = behind.saturating_add(size);
    }
    at == bytes.len()
}

/// An unsigned LEB128 number of 32 bits, and where it ends.
fn section_size(bytes: &[u8], start: usize) -> Option<(usize, usize)> {
    let mut value = 0;
    for index in 0..5 {
        let byte = *bytes.get(start + index)?;
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, start + index + 1));
        }
    }
    // Too long to be a number: nothing more will come of waiting, so the rest counts as one section.
    Some((bytes.len().saturating_sub(start), start))
}

#[cfg(unix)]
fn facts(metadata: &Metadata) -> FileFacts {
    use std::os::unix::fs::MetadataExt;
    FileFacts {
        bytes: metadata.len(),
        modified: metadata.modified().ok(),
        inode: metadata.ino(),
        changed_ns: i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec()),
    }
}

#[cfg(not(unix))]
fn facts(metadata: &Metadata) -> FileFacts {
    FileFacts { bytes: metadata.len(), modified: metadata.modified().ok(), inode: 0, changed_ns: 0 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_module_is_complete_when_its_last_section_is() {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        assert!(is_complete(&module));
        module.extend([0, 0x83, 0x01]);
        module.extend([7; 131]);
        module.extend([1, 2, 8, 8]);
        assert!(is_complete(&module));
        for cut in [1, 3, 5, 7, 9, 10, 11, 50, module.len() - 5, module.len() - 3, module.len() - 1] {
            // Cut right behind a section it could be whole; `module.len() - 4` is such a place.
            assert!(!is_complete(&module[..cut]), "{cut}");
        }
        assert!(!is_complete(b""), "an editor has truncated it and will write");
        assert!(is_complete(b"text"));
    }

    #[test]
    fn only_files_named_as_modules_count() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["arena.wasm", ".arena.wasm", ".arena.1-2.unfinished", "notes.txt", "Ärena.wasm", "arena.wasm~"] {
            fs::write(folder.path().join(name), b"x").unwrap();
        }
        fs::create_dir(folder.path().join("folder.wasm")).unwrap();
        let look = look(folder.path()).unwrap();
        assert_eq!(look.mods.keys().map(ModName::as_str).collect::<Vec<_>>(), ["arena"]);
        let (path, reason) = look.strange.iter().next().unwrap();
        assert_eq!((path.file_name().unwrap().to_str(), look.strange.len()), (Some("Ärena.wasm"), 1));
        assert!(reason.contains("cannot name a mod"), "{reason}");
    }

    #[cfg(unix)]
    #[test]
    fn links_count_as_what_they_lead_to() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let link = |from: &Path, name: &str| std::os::unix::fs::symlink(from, folder.path().join(name)).unwrap();
        fs::write(elsewhere.path().join("any"), b"1").unwrap();
        link(&elsewhere.path().join("any"), "arena.wasm");
        link(&elsewhere.path().join("nothing"), "lost.wasm");
        let before = look(folder.path()).unwrap().mods;
        assert_eq!(before.keys().map(ModName::as_str).collect::<Vec<_>>(), ["arena"]);
        fs::write(elsewhere.path().join("any"), b"22").unwrap();
        assert_ne!(look(folder.path()).unwrap().mods, before);
        let name = elsewhere.path().join("folder");
        std::os::unix::fs::symlink(folder.path(), &name).unwrap();
        assert_eq!(identity(&name).unwrap(), identity(folder.path()).unwrap());
    }
}
