//! Sources of mods on disk: where they lie, and what is in them, as one number for each mod.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use tickswap_build::{BuildError, ModSource};

use crate::limits::{SAVE_AGE_MAX, SOURCE_FILE_BYTES_MAX, SOURCE_FILES_MAX};

/// The mods of a folder, and the crates that they are made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    /// The workspace's folder.
    folder: PathBuf,
    mods: Vec<ModCrates>,
}

#[derive(Clone, Debug)]
struct ModCrates {
    source: ModSource,
    /// Its own folder and those of local crates it depends on.
    folders: Vec<PathBuf>,
}

/// What a mod's sources are at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SourceState {
    pub(super) hash: u64,
    /// When they were saved, as far as the files' times tell.
    pub(super) saved: Instant,
}

impl Sources {
    /// Asks cargo which mods there are and what they depend on.
    pub(super) fn find(folder: &Path) -> Result<Self, BuildError> {
        let mut mods = Vec::new();
        for source in ModSource::discover(folder)? {
            let folders = source.crate_folders()?;
            mods.push(ModCrates { source, folders });
        }
        Ok(Self { folder: folder.to_owned(), mods })
    }

    /// The folder that they were found in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Names of the mods.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.mods.iter().map(|known| known.source.name.as_str())
    }

    /// The sources of one mod.
    pub(super) fn get(&self, name: &str) -> Option<&ModSource> {
        self.mods.iter().map(|known| &known.source).find(|source| source.name == name)
    }

    /// Changes when mods may have been added, removed or given other dependencies.
    pub(super) fn manifests(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let folders = self.mods.iter().flat_map(|known| &known.folders).chain([&self.folder]);
        for folder in folders {
            fs::read(folder.join("Cargo.toml")).unwrap_or_default().hash(&mut hasher);
        }
        // A mod that was just made may be a member by a pattern.
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut crates: Vec<PathBuf> =
            entries.map(|entry| entry.path()).filter(|path| path.join("Cargo.toml").is_file()).collect();
        crates.sort();
        crates.hash(&mut hasher);
        hasher.finish()
    }

    /// Folders that notices are wanted of, and whether what lies deeper counts. `target` is in none of them: cargo writes there.
    pub(super) fn watched(&self) -> Vec<(PathBuf, bool)> {
        let mut watched = vec![(self.folder.clone(), false)];
        for folder in self.mods.iter().flat_map(|known| &known.folders) {
            watched.extend([(folder.clone(), false), (folder.join("src"), true)]);
        }
        watched.sort();
        watched.dedup();
        watched
    }

    /// Reads all sources. A mod whose sources cannot be read now is left out: an editor may be about to write them.
    pub(super) fn look(&self) -> BTreeMap<String, SourceState> {
        // Crates that several mods depend on are read once.
        let mut crates: BTreeMap<&Path, io::Result<CrateState>> = BTreeMap::new();
        let mut states = BTreeMap::new();
        for known in &self.mods {
            let mut hasher = DefaultHasher::new();
            let mut newest = None;
            let mut is_whole = true;
            for folder in &known.folders {
                match crates.entry(folder).or_insert_with(|| CrateState::read(folder)) {
                    Ok(state) => {
                        state.hash.hash(&mut hasher);
                        newest = newest.max(state.newest);
                    }
                    Err(_) => is_whole = false,
                }
            }
            fs::read(self.folder.join("Cargo.toml")).unwrap_or_default().hash(&mut hasher);
            if is_whole {
                let state = SourceState { hash: hasher.finish(), saved: moment(newest) };
                states.insert(known.source.name.clone(), state);
            }
        }
        states
    }
}

/// All files of a crate that cargo would see a change in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CrateState {
    hash: u64,
    newest: Option<SystemTime>,
}

impl CrateState {
    fn read(folder: &Path) -> io::Result<Self> {
        let mut files = vec![folder.join("Cargo.toml")];
        let mut folders = vec![folder.join("src")];
        while let Some(inner) = folders.pop() {
            for entry in fs::read_dir(&inner)? {
                let path = entry?.path();
                if is_temporary(&path) {
                    continue;
                }
                // Through links; one that leads nowhere is an editor's lock or a mistake that cargo will name.
                match fs::metadata(&path) {
                    Ok(metadata) if metadata.is_dir() => folders.push(path),
                    Ok(metadata) if metadata.len() <= SOURCE_FILE_BYTES_MAX => files.push(path),
                    _ => {}
                }
            }
            if files.len() > SOURCE_FILES_MAX {
                break;
            }
        }
        files.sort();
        let mut hasher = DefaultHasher::new();
        let mut newest = None;
        for file in files {
            file.strip_prefix(folder).unwrap_or(&file).hash(&mut hasher);
            fs::read(&file)?.hash(&mut hasher);
            newest = newest.max(fs::metadata(&file)?.modified().ok());
        }
        Ok(Self { hash: hasher.finish(), newest })
    }
}

/// Files that editors make beside the one that is edited: swap files, backups, locks, and Vim's probe `4913`.
fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let has_ending = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    name.starts_with(['.', '#'])
        || has_ending(&[
            "~",
            ".swp",
            ".swo",
            ".swx",
            ".tmp",
            ".bak",
            ".orig",
            ".rej",
            ".part",
            "___jb_tmp___",
            "___jb_old___",
        ])
        || name.chars().all(|character| character.is_ascii_digit())
}

/// The moment at which a file was saved. Files can have any time: what lies far from now was not saved now.
fn moment(time: Option<SystemTime>) -> Instant {
    let now = Instant::now();
    let age = time.and_then(|time| SystemTime::now().duration_since(time).ok()).filter(|age| *age <= SAVE_AGE_MAX);
    now.checked_sub(age.unwrap_or(Duration::ZERO)).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn state(folder: &Path) -> u64 {
        CrateState::read(folder).unwrap().hash
    }

    #[test]
    fn only_what_cargo_would_see_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir_all(path.join("src/inner")).unwrap();
        for (name, text) in [("Cargo.toml", "[package]"), ("src/lib.rs", "//! Rules."), ("src/inner/a.rs", "//! A.")] {
            fs::write(path.join(name), text).unwrap();
        }
        let before = state(path);
        for temporary in [
            "src/.lib.rs.swp",
            "src/.#lib.rs",
            "src/#lib.rs#",
            "src/lib.rs~",
            "src/4913",
            "src/inner/a.rs.tmp",
            "src/lib.rs___jb_tmp___",
            "README.md",
        ] {
            fs::write(path.join(temporary), "x").unwrap();
            assert_eq!(state(path), before, "{temporary}");
        }
        fs::write(path.join("src/lib.rs"), "//! Rules.").unwrap();
        assert_eq!(state(path), before, "saved without change");
        for (name, text) in [("src/inner/a.rs", "//! B."), ("src/inner/b.rs", ""), ("Cargo.toml", "[package]\n")] {
            let before = state(path);
            fs::write(path.join(name), text).unwrap();
            assert_ne!(state(path), before, "{name}");
        }
        let before = state(path);
        fs::rename(path.join("src/inner/b.rs"), path.join("src/c.rs")).unwrap();
        assert_ne!(state(path), before, "a file at another place");
        fs::remove_dir_all(path.join("src")).unwrap();
        assert!(CrateState::read(path).is_err());
    }

    #[test]
    fn times_that_cannot_be_a_save_are_now() {
        let now = Instant::now();
        let recent = moment(SystemTime::now().checked_sub(Duration::from_secs(1)));
        assert!(recent < now);
        for time in [None, Some(SystemTime::UNIX_EPOCH), SystemTime::now().checked_add(Duration::from_secs(1000))] {
            assert!(moment(time) >= now, "{time:?}");
        }
    }
}
