//! Mods for tests, compiled from `tests/fixtures` at run time, each edit and variant once.
//!
//! The folder is mirrored to one place under the target folder and edited there, so that every variant of a fixture has the
//! same paths and crate identity, as successive versions on a developer's machine have, and dependencies are compiled once.
//! Finished modules are kept by a hash over all that goes into them. What does not live here: what a test does with a module.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex, PoisonError};

use tickswap_build::{BuildError, ModBuild};

/// The module of the fixture as it stands in the repository.
pub fn build(name: &str) -> Vec<u8> {
    Fixture::new(name).build()
}

/// The module of the fixture with a feature turned on.
pub fn build_variant(name: &str, feature: &str) -> Vec<u8> {
    Fixture::new(name).feature(feature).build()
}

/// The module of the fixture after edits: each old text is replaced by the new one wherever it stands in the fixture.
pub fn edited(name: &str, edits: &[(&str, &str)]) -> Vec<u8> {
    edits.iter().fold(Fixture::new(name), |fixture, (old, new)| fixture.edit(old, new)).build()
}

/// A fixture with edits and options. Panics are the tests' errors: they say what is wrong with the fixture.
#[derive(Debug, Clone, Hash)]
pub struct Fixture {
    name: String,
    edits: Vec<(String, String)>,
    files: Vec<(PathBuf, String)>,
    features: Vec<String>,
    added_flags: Vec<String>,
    dropped_flags: Vec<String>,
    /// Where the mirror is.
    folder: &'static str,
}

/// Files of a folder by path within it.
type Files = BTreeMap<PathBuf, Vec<u8>>;

impl Fixture {
    /// The fixture in the folder `name` of `tests/fixtures`.
    pub fn new(name: &str) -> Self {
        let (name, none) = (name.to_owned(), Vec::new);
        let (edits, files) = (Vec::new(), Vec::new());
        Self { name, edits, files, features: none(), added_flags: none(), dropped_flags: none(), folder: "mirror" }
    }

    /// The fixture's Rust sources: path within the fixture's folder, and content.
    pub fn sources(&self) -> Vec<(PathBuf, String)> {
        let own = FIXTURES.iter().filter_map(|(path, content)| {
            let path = path.strip_prefix(&self.name).ok()?;
            let is_source = path.extension().is_some_and(|extension| extension == "rs");
            is_source.then(|| (path.to_owned(), String::from_utf8_lossy(content).into_owned()))
        });
        own.collect()
    }

    /// Puts other content into a file, whose path is within the fixture's folder. This comes before the edits.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>, content: impl Into<String>) -> Self {
        self.files.push((path.into(), content.into()));
        self
    }

    /// Replaces a text in the fixture's sources and manifests. Edits are applied in the order given.
    #[must_use]
    pub fn edit(mut self, old: &str, new: &str) -> Self {
        self.edits.push((old.to_owned(), new.to_owned()));
        self
    }

    /// Turns a feature on.
    #[must_use]
    pub fn feature(mut self, feature: &str) -> Self {
        self.features.push(feature.to_owned());
        self
    }

    /// Adds a compiler flag, for a module off the recipe.
    #[must_use]
    pub fn rustc_arg(mut self, flag: &str) -> Self {
        self.added_flags.push(flag.to_owned());
        self
    }

    /// Leaves out the recipe's flags that contain `part`, for a module off the recipe.
    #[must_use]
    pub fn without_flag(mut self, part: &str) -> Self {
        self.dropped_flags.push(part.to_owned());
        self
    }

    /// Builds in another folder than all other fixtures.
    #[must_use]
    pub fn elsewhere(mut self) -> Self {
        self.folder = "elsewhere";
        self
    }

    /// The module, compiled now or found from an earlier run.
    pub fn build(&self) -> Vec<u8> {
        self.try_build().unwrap_or_else(|error| panic!("fixture {}: {error}", self.name))
    }

    /// The same for sources that may not compile.
    ///
    /// # Errors
    ///
    /// What the compiler said.
    pub fn try_build(&self) -> Result<Vec<u8>, BuildError> {
        static BUILT: Mutex<Option<HashMap<u64, Vec<u8>>>> = Mutex::new(None);
        let mut files = FIXTURES.clone();
        for (path, content) in &self.files {
            files.insert(Path::new(&self.name).join(path), content.clone().into_bytes());
        }
        let files = edit_files(&self.name, files, &self.edits);
        let key = self.key(&files);
        let place = target_folder().join("fixtures");
        let kept = place.join("kept").join(format!("{}-{key:016x}.wasm", self.name));
        // Cargo builds one variant at a time in the mirror, so threads may as well wait here.
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        let built = built.get_or_insert_default();
        if let Some(module) = built.get(&key) {
            return Ok(module.clone());
        }
        let module = match fs::read(&kept) {
            Ok(module) => module,
            Err(_) => self.compile(&files, &place, &kept)?,
        };
        built.insert(key, module.clone());
        Ok(module)
    }

    fn compile(&self, files: &Files, place: &Path, kept: &Path) -> Result<Vec<u8>, BuildError> {
        let mirror = place.join(self.folder);
        must("create", &mirror, fs::create_dir_all(&mirror));
        let lock = place.join("lock");
        let file = must("create", &lock, File::create(&lock));
        must("lock", &lock, file.lock());
        write_mirror(&mirror, files);
        let mut build =
            ModBuild::new(mirror.join(&self.name)).target_dir(place.join("target")).out_dir(place.join("out"));
        for feature in &self.features {
            build = build.feature(feature);
        }
        for flag in &self.added_flags {
            build = build.rustc_arg(flag);
        }
        for part in &self.dropped_flags {
            build = build.without_flag(part);
        }
        let built = build.build()?;
        let folder = kept.parent().unwrap_or(place);
        must("create", folder, fs::create_dir_all(folder));
        must("keep", kept, fs::rename(&built.path, kept));
        Ok(built.bytes)
    }

    fn key(&self, files: &Files) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self, &*INGREDIENTS).hash(&mut hasher);
        // Contract crates of fixtures are part of every fixture, as those outside of the folder are.
        let is_contract = |part: std::path::Component<'_>| part.as_os_str().as_encoded_bytes().ends_with(b"-api");
        let own = |path: &Path| {
            path.starts_with(&self.name)
                || path.components().count() == 1
                || path.starts_with("shared")
                || path.components().next().is_some_and(is_contract)
        };
        files.iter().filter(|(path, _)| own(path)).for_each(|file| file.hash(&mut hasher));
        hasher.finish()
    }
}

/// The fixtures as they stand in the repository, with relative paths of dependencies made absolute.
static FIXTURES: LazyLock<Files> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut files = Files::new();
    read_files(&folder, &folder, &mut files);
    for (path, content) in &mut files {
        if path.ends_with("Cargo.toml") {
            let within = folder.join(path.parent().unwrap_or(path));
            *content = absolute_paths(&String::from_utf8_lossy(content), &within, &folder).into_bytes();
        }
    }
    files
});

/// What every fixture may be made of besides its own files: the toolchain, the recipe, the SDK, contract crates.
static INGREDIENTS: LazyLock<u64> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Files::new();
    for folder in ["mods-sdk", "example-server/api"] {
        read_files(&root, &root.join(folder), &mut files);
    }
    let version = Command::new("rustc").arg("-vV").output().map(|output| output.stdout).unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    (files, version).hash(&mut hasher);
    hasher.finish()
});

fn read_files(root: &Path, folder: &Path, files: &mut Files) {
    for entry in must("read", folder, fs::read_dir(folder)) {
        let path = must("read", folder, entry).path();
        let skipped =
            path.file_name().is_some_and(|name| name == "target" || name.as_encoded_bytes().starts_with(b"."));
        if path.is_dir() && !skipped {
            read_files(root, &path, files);
        } else if path.is_file() && !skipped {
            let within = path.strip_prefix(root).unwrap_or(&path).to_owned();
            files.insert(within, must("read", &path, fs::read(&path)));
        }
    }
}

/// Paths that leave the fixtures' folder would lead elsewhere from the mirror.
fn absolute_paths(manifest: &str, within: &Path, fixtures: &Path) -> String {
    let mut parts = manifest.split("path = \"");
    let mut absolute = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (path, rest) = part.split_once('"').unwrap_or((part, ""));
        let target = within.join(path);
        let target = target.canonicalize().unwrap_or(target);
        let path = if target.starts_with(fixtures) { path.to_owned() } else { target.display().to_string() };
        absolute.push_str(&format!("path = \"{path}\"{rest}"));
    }
    absolute
}

fn edit_files(name: &str, mut files: Files, edits: &[(String, String)]) -> Files {
    assert!(files.contains_key(&Path::new(name).join("Cargo.toml")), "there is no fixture `{name}` in tests/fixtures");
    for (old, new) in edits {
        let mut found = false;
        for (_, content) in files.iter_mut().filter(|(path, _)| path.starts_with(name)) {
            let Ok(text) = std::str::from_utf8(content) else {
                continue;
            };
            if text.contains(old) {
                found = true;
                *content = text.replace(old, new).into_bytes();
            }
        }
        assert!(found, "fixture `{name}` does not contain the text to replace: {old:?}");
    }
    files
}

/// Writes only what differs: cargo judges by a file's time, and unedited fixtures stay compiled.
fn write_mirror(mirror: &Path, files: &Files) {
    let mut present = Files::new();
    read_files(mirror, mirror, &mut present);
    for stale in present.keys().filter(|path| !files.contains_key(*path)) {
        must("remove", stale, fs::remove_file(mirror.join(stale)));
        // A folder left behind would count as a member of the workspace. One that is not empty stays.
        for folder in stale.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            let _ = fs::remove_dir(mirror.join(folder));
        }
    }
    for (path, content) in files.iter().filter(|(path, content)| present.get(*path) != Some(content)) {
        let path = mirror.join(path);
        let folder = path.parent().unwrap_or(mirror);
        must("create", folder, fs::create_dir_all(folder));
        must("write", &path, fs::write(&path, content));
    }
}

/// The target folder that this test binary lies in.
pub fn target_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let tagged = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    tagged.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), Path::to_owned)
}

fn must<T>(doing: &str, path: &Path, result: std::io::Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("cannot {doing} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_leave_the_folder_become_absolute() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let manifest = "[dependencies]\na = { path = \"../../../mods-sdk/abi\" }\n[lib]\npath = \"src/lib.rs\"\n";
        let absolute = absolute_paths(manifest, &fixtures.join("counter"), &fixtures);
        let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mods-sdk/abi").canonicalize();
        let expected = expected.map(|path| path.display().to_string()).unwrap_or_default();
        assert!(absolute.contains(&format!("a = {{ path = \"{expected}\" }}")), "{absolute}");
        assert!(absolute.contains("path = \"src/lib.rs\""));
    }

    #[test]
    #[should_panic(expected = "does not contain the text to replace: \"nowhere\"")]
    fn an_edit_that_changes_nothing_is_an_error() {
        edited("counter", &[("nowhere", "somewhere")]);
    }

    #[test]
    #[should_panic(expected = "there is no fixture `contour`")]
    fn a_misspelt_fixture_is_an_error() {
        build("contour");
    }
}
