//! Compiled code kept on disk, so that a server that starts again does not compile what it compiled before.
//!
//! One folder, one file per compiled module, and one per set of functions that a compilation added. A file is written
//! under another name and then renamed, so that a crash leaves a whole file or none; several servers may share the
//! folder. What cannot be read, is cut short, or carries no valid seal ([`seal`]) counts as absent and is removed.
//! Files that were used longest ago go first when the folder grows over its bound.
//!
//! **Nothing waits for the disk.** After a power loss a renamed file may be empty or hold zeros. Its seal does not fit then, it
//! is removed, and what it held is compiled again; that is less than forcing some ten mebibytes to the disk after each
//! compilation would cost. Only the key is forced, since without it all that it sealed is lost.
//!
//! **Why sealed.** What is read here is run as machine code: wasmtime trusts a serialized module, and Cranelift a
//! cached function, as it trusts its own output. A checksum would keep out accidents only, so each file carries a MAC
//! under a key that belongs to this installation and that only its user may read. Files that came from elsewhere
//! are not taken. Who can read the key can replace the server's program as well.

mod pack;
mod seal;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

pub(super) use pack::Function;
use seal::{Digest, Seal};

use super::EngineError;
use crate::limits::{CODE_CACHE_FILES_MAX, CODE_CACHE_STALE_SECONDS};

/// Files that are being written begin with this.
const UNFINISHED: &str = "unfinished-";

/// See the module.
#[derive(Debug)]
pub(crate) struct CodeStore {
    folder: PathBuf,
    bytes_max: u64,
    seal: Seal,
    /// What this engine's compiler, version and flags are; files of others are left alone until they are the oldest.
    compiler: String,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Module,
    Functions,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Functions => "functions",
        }
    }
}

/// A file of the folder as eviction sees it.
struct Entry {
    path: PathBuf,
    bytes: u64,
    used: SystemTime,
}

impl CodeStore {
    /// Opens a folder, or makes it. `compiler` is all that decides whether code may be used again.
    pub(crate) fn open(folder: &Path, bytes_max: u64, compiler: &impl std::hash::Hash) -> Result<Self, EngineError> {
        let failed = |error: io::Error| EngineError::CodeCache { folder: folder.to_owned(), reason: error.to_string() };
        fs::create_dir_all(folder).map_err(failed)?;
        let seal = Seal::of_folder(folder).map_err(failed)?;
        let compiler = Digest::of_hash(compiler).text(16);
        let store = Self { folder: folder.to_owned(), bytes_max, seal, compiler };
        store.evict();
        Ok(store)
    }

    /// The key of a WebAssembly module.
    pub(super) fn key(module: &[u8]) -> String {
        Digest::of_bytes(module).text(64)
    }

    /// The serialized module under a key, exactly as [`CodeStore::put_module`] was given it.
    pub(super) fn module(&self, key: &str) -> Option<Vec<u8>> {
        self.read(&self.path(Kind::Module, key))
    }

    /// Keeps a serialized module.
    pub(super) fn put_module(&self, key: &str, serialized: &[u8]) {
        self.write(&self.path(Kind::Module, key), serialized);
    }

    /// Forgets a module that turned out to be of no use.
    pub(super) fn remove_module(&self, key: &str) {
        remove(&self.path(Kind::Module, key));
    }

    /// Functions of earlier compilations, those used last at the end, of all together at most `bytes_max`.
    pub(super) fn functions(&self, bytes_max: usize) -> Vec<Function> {
        let prefix = self.prefix(Kind::Functions);
        let mut files: Vec<Entry> = self.entries();
        files.retain(|entry| name(&entry.path).starts_with(&prefix));
        files.sort_by_key(|entry| entry.used);
        let (mut room, mut packs) = (bytes_max as u64, Vec::new());
        for file in files.iter().rev() {
            if file.bytes > room {
                break;
            }
            if let Some(functions) = self.read(&file.path).and_then(|bytes| pack::decode(&bytes)) {
                room -= file.bytes;
                packs.push(functions);
            }
        }
        packs.into_iter().rev().flatten().collect()
    }

    /// Keeps functions that a compilation added.
    pub(super) fn put_functions(&self, functions: &[Function]) {
        if !functions.is_empty() {
            let bytes = pack::encode(functions);
            let key = Digest::of_bytes(&bytes).text(64);
            self.write(&self.path(Kind::Functions, &key), &bytes);
        }
    }

    /// Removes what was used longest ago until the folder is within its bounds.
    pub(super) fn evict(&self) {
        let now = SystemTime::now();
        let mut files = self.entries();
        files.sort_by_key(|entry| entry.used);
        let mut bytes: u64 = files.iter().map(|entry| entry.bytes).sum();
        let mut count = files.len();
        for entry in files {
            let age = now.duration_since(entry.used).unwrap_or_default();
            // Another server may be writing it, unless that began long ago.
            let is_unfinished = name(&entry.path).starts_with(UNFINISHED);
            let is_stale = is_unfinished && age > Duration::from_secs(CODE_CACHE_STALE_SECONDS);
            let is_over = !is_unfinished && (bytes > self.bytes_max || count > CODE_CACHE_FILES_MAX);
            if is_stale || is_over {
                remove(&entry.path);
                bytes -= entry.bytes;
                count -= 1;
            }
        }
    }

    fn prefix(&self, kind: Kind) -> String {
        format!("{}-{}-", kind.name(), self.compiler)
    }

    fn path(&self, kind: Kind, key: &str) -> PathBuf {
        self.folder.join(format!("{}{key}", self.prefix(kind)))
    }

    fn entries(&self) -> Vec<Entry> {
        let files = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let of_store = |name: &str| {
            [Kind::Module.name(), Kind::Functions.name(), UNFINISHED].iter().any(|start| name.starts_with(start))
        };
        files
            .filter(|file| of_store(&file.file_name().to_string_lossy()))
            .filter_map(|file| {
                let facts = file.metadata().ok().filter(fs::Metadata::is_file)?;
                Some(Entry { path: file.path(), bytes: facts.len(), used: facts.modified().ok()? })
            })
            .collect()
    }

    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let facts = fs::metadata(path).ok()?;
        if facts.len() > self.bytes_max {
            return None;
        }
        let sealed = fs::read(path).ok()?;
        let Some(content) = self.seal.open(&name(path), sealed) else {
            tracing::warn!(target: "tickswap", file = %path.display(), "compiled code without a valid seal is removed");
            remove(path);
            return None;
        };
        // The file's time is when it was used last.
        let touched = fs::File::options().write(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
        if let Err(error) = touched {
            tracing::debug!(target: "tickswap", %error, "the time of compiled code cannot be set");
        }
        Some(content)
    }

    fn write(&self, path: &Path, content: &[u8]) {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        if content.len() as u64 > self.bytes_max {
            return;
        }
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.folder.join(format!("{UNFINISHED}{}-{number}", std::process::id()));
        let sealed = self.seal.close(&name(path), content);
        let written = fs::write(&unfinished, sealed).and_then(|()| fs::rename(&unfinished, path));
        if let Err(error) = written {
            tracing::warn!(target: "tickswap", file = %path.display(), %error, "compiled code cannot be kept");
            remove(&unfinished);
        }
        self.evict();
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Another server may have been faster, which is just as well.
fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::debug!(target: "tickswap", file = %path.display(), %error, "compiled code cannot be removed");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
