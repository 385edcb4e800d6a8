//! Makes binaries of the arena that differ: another body, another text, another closure each. Finished ones are kept by the
//! content they were made from, so that the next soak finds them.
//!
//! They are built from a copy of the mods' workspace, in which `rule_of_the_day.rs` is written anew for each.

use std::{
    collections::HashSet,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
};

use tickswap_build::{BuildError, ModBuild};

use super::LargeMod;
use crate::{
    mods::{Listener, ModsFolder},
    room::ARENA_MOD,
};

/// The file that differs between candidates.
const VARIED_FILE: &str = "src/rule_of_the_day.rs";

/// Where everything is built, in the mods' workspace.
const PLACE: &str = "target/soak";

/// The arena as it is, and versions of it to swap in one after the other.
#[derive(Clone, Debug)]
pub struct Candidates {
    /// What the server starts with.
    pub base: Vec<u8>,
    /// What it is swapped for, in order.
    pub versions: Vec<Candidate>,
    /// A mod that is compiled while players play, where that is measured.
    pub large: Option<LargeMod>,
}

/// One version.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// From 1.
    pub number: usize,
    /// Whether it panics in an update soon after it becomes active.
    pub is_faulty: bool,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Why there are no candidates.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CandidateError {
    /// A version does not build.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A file cannot be read or written.
    #[error("cannot {doing} {}: {source}", .path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The mods have no file to vary.
    #[error("{} is missing: the soak writes that file anew for each candidate", .0.display())]
    NothingToVary(PathBuf),
    /// Two versions are one file.
    #[error("candidate {0} is, byte for byte, an earlier one: its rule makes no difference")]
    NotDistinct(usize),
}

impl Candidates {
    /// Builds what is not there yet, with everything in `target/soak` of the mods' workspace. One of every `faulty_every` is
    /// faulty.
    pub fn build(
        mods: &ModsFolder,
        count: usize,
        faulty_every: Option<usize>,
        listener: &Listener,
    ) -> Result<Self, CandidateError> {
        let place = mods.path().join(PLACE);
        // Two soaks at once would build each other's rules.
        let _alone = lock(&place)?;
        let workshop = Workshop::open(mods.path(), &place)?;
        let base = workshop.build(ARENA_MOD)?;
        let mut candidates = Self { base, versions: Vec::new(), large: None };
        let mut seen = HashSet::from([hash(&candidates.base)]);
        for number in 1..=count {
            let is_faulty = is_faulty(number, faulty_every);
            let rule = rule_of_the_day(number, is_faulty);
            let kept = place.join(format!("kept/{:016x}.wasm", hash(&(hash(&candidates.base), &rule))));
            let bytes = match fs::read(&kept) {
                Ok(bytes) => bytes,
                Err(_) => {
                    listener(&format!("building candidate {number} of {count}"));
                    workshop.vary(&rule)?;
                    let bytes = workshop.build(ARENA_MOD)?;
                    keep(&kept, &bytes)?;
                    bytes
                }
            };
            if !seen.insert(hash(&bytes)) {
                return Err(CandidateError::NotDistinct(number));
            }
            candidates.versions.push(Candidate { number, is_faulty, bytes });
        }
        Ok(candidates)
    }

    /// Adds a large mod of so many functions.
    pub fn with_large(
        mut self,
        mods: &ModsFolder,
        functions: usize,
        listener: &Listener,
    ) -> Result<Self, CandidateError> {
        let place = mods.path().join(PLACE);
        let _alone = lock(&place)?;
        self.large = Some(LargeMod::build(mods, &place, &self.base, functions, listener)?);
        Ok(self)
    }
}

/// Waits until nobody else varies the workspace, in this process or another; until the file is dropped.
fn lock(place: &Path) -> Result<fs::File, CandidateError> {
    fs::create_dir_all(place).map_err(failed("create", place))?;
    let path = place.join("lock");
    let file = fs::File::create(&path).map_err(failed("create", &path))?;
    file.lock().map_err(failed("lock", &path))?;
    Ok(file)
}

/// A copy of the mods' workspace.
pub(super) struct Workshop {
    folder: PathBuf,
    target_dir: PathBuf,
}

impl Workshop {
    pub(super) fn open(mods: &Path, place: &Path) -> Result<Self, CandidateError> {
        let mods = mods.canonicalize().map_err(failed("find", mods))?;
        let varied = mods.join(ARENA_MOD).join(VARIED_FILE);
        if !varied.is_file() {
            return Err(CandidateError::NothingToVary(varied));
        }
        let folder = place.join("developer_mods");
        copy(&mods, &folder, &mods)?;
        Ok(Self { folder, target_dir: place.join("build") })
    }

    fn vary(&self, source: &str) -> Result<(), CandidateError> {
        write(&self.folder.join(ARENA_MOD).join(VARIED_FILE), source.as_bytes())
    }

    /// Adds a mod to the workspace, of one file.
    pub(super) fn add(&self, name: &str, source: &str) -> Result<(), CandidateError> {
        let path = self.folder.join("Cargo.toml");
        let manifest = fs::read_to_string(&path).map_err(failed("read", &path))?;
        write(&path, manifest.replacen("members = [", &format!("members = [\"{name}\", "), 1).as_bytes())?;
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion.workspace = true\nedition.workspace = true\n\n[lib]\n\
             crate-type = [\"cdylib\"]\n\n[dependencies]\narena-api.workspace = true\ntickswap-sdk.workspace = true\n"
        );
        let folder = self.folder.join(name).join("src");
        fs::create_dir_all(&folder).map_err(failed("create", &folder))?;
        write(&self.folder.join(name).join("Cargo.toml"), manifest.as_bytes())?;
        write(&folder.join("lib.rs"), source.as_bytes())
    }

    pub(super) fn build(&self, name: &str) -> Result<Vec<u8>, CandidateError> {
        let build = ModBuild::new(self.folder.join(name)).target_dir(&self.target_dir);
        Ok(build.build()?.bytes)
    }
}

/// Whether the swap of this number, from 1, is one to faulty code.
pub(super) fn is_faulty(number: usize, faulty_every: Option<usize>) -> bool {
    faulty_every.is_some_and(|every| number.is_multiple_of(every.max(1)))
}

/// The rule of one candidate. Function and closure have names of their own, so they are new code and not another body of
/// the last candidate's; what the last one put into the state stays there.
fn rule_of_the_day(number: usize, is_faulty: bool) -> String {
    let factor = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number as u64 * 2 + 1);
    let (threshold, less, modulus) = (10 + number % 60, 1 + number % 5, 2 + number % 3);
    // In the middle of an update that has begun to change state, at latest the sixteenth with somebody to play for.
    let in_each_update = match is_faulty {
        true => r#"if fighters > 0 && updates % 16 == 7 { panic!("rule {NUMBER} breaks over {fighters} fighters") }"#,
        false => "let _ = (updates, fighters);",
    };
    format!(
        r#"//! Written by the soak.

use crate::DamageRule;

pub(crate) const NUMBER: u32 = {number};

pub(crate) fn announcement() -> String {{
    format!("Rule of the day {{NUMBER}}: below {threshold} hit points a hit costs {less} less (#{factor:016x})")
}}

pub(crate) fn rule() -> DamageRule {{
    rule_{number}({threshold})
}}

fn rule_{number}(threshold: u32) -> DamageRule {{
    Box::new(move |fighter, damage| match fighter.health() < threshold {{
        true => damage.saturating_sub({less}),
        false => damage,
    }})
}}

pub(crate) fn in_each_update(updates: u64, fighters: usize) {{
    {in_each_update}
}}

pub(crate) fn bonus(updates: u64) -> u32 {{
    (updates.wrapping_mul({factor}) >> 32) as u32 % {modulus}
}}
"#
    )
}

/// Copies sources, not what was built from them. Paths out of the workspace are made absolute.
fn copy(from: &Path, to: &Path, root: &Path) -> Result<(), CandidateError> {
    fs::create_dir_all(to).map_err(failed("create", to))?;
    for entry in fs::read_dir(from).map_err(failed("read", from))? {
        let path = entry.map_err(failed("read", from))?.path();
        let Some(name) = path.file_name() else {
            continue;
        };
        let target = to.join(name);
        if path.is_dir() {
            if name != "target" && name != "built" {
                copy(&path, &target, root)?;
            }
            continue;
        }
        let mut contents = fs::read(&path).map_err(failed("read", &path))?;
        if name == "Cargo.toml" {
            contents = absolute_paths(&String::from_utf8_lossy(&contents), from, root).into_bytes();
        }
        write(&target, &contents)?;
    }
    Ok(())
}

/// Rewrites each `path = ".."` of a manifest that leads out of the folder `root`.
fn absolute_paths(manifest: &str, folder: &Path, root: &Path) -> String {
    const KEY: &str = "path = \"";
    let mut rewritten = String::new();
    let mut rest = manifest;
    while let Some((before, after)) = rest.split_once(KEY) {
        let (path, after) = after.split_once('"').unwrap_or((after, ""));
        let resolved = folder.join(path).canonicalize().ok().filter(|resolved| !resolved.starts_with(root));
        let path = resolved.map_or(path.to_owned(), |resolved| resolved.to_string_lossy().into_owned());
        rewritten += &format!("{before}{KEY}{path}\"");
        rest = after;
    }
    rewritten + rest
}

/// Writes only what differs: cargo takes a file's time for a change.
fn write(path: &Path, contents: &[u8]) -> Result<(), CandidateError> {
    if fs::read(path).is_ok_and(|found| found == contents) {
        return Ok(());
    }
    fs::write(path, contents).map_err(failed("write", path))
}

/// Moved into place when complete, so that a soak that is stopped leaves no half file.
pub(super) fn keep(path: &Path, bytes: &[u8]) -> Result<(), CandidateError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(failed("create", folder))?;
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, bytes).map_err(failed("write", &unfinished))?;
    fs::rename(&unfinished, path).map_err(failed("replace", path))
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> CandidateError {
    let path = path.to_owned();
    move |source| CandidateError::File { doing, path, source }
}

pub(super) fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn rules_differ_in_body_text_and_closure() {
        let rules: HashSet<String> = (1..=1000).map(|number| rule_of_the_day(number, number % 10 == 0)).collect();
        assert_eq!(rules.len(), 1000);
        assert!(rule_of_the_day(7, false).contains("fn rule_7("));
        assert!(rule_of_the_day(7, true).contains("panic!(") && !rule_of_the_day(7, false).contains("panic!("));
    }

    #[test]
    fn every_so_many_swaps_are_to_faulty_code() {
        let faulty: Vec<usize> = (1..=30).filter(|number| is_faulty(*number, Some(10))).collect();
        assert_eq!(faulty, [10, 20, 30]);
        assert!((1..=30).all(|number| !is_faulty(number, None) && is_faulty(number, Some(0))));
    }

    #[test]
    fn paths_out_of_the_workspace_become_absolute() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("developer_mods").canonicalize().unwrap();
        let api = root.join("../api").canonicalize().unwrap();
        let manifest = "[dependencies]\napi = { path = \"../api\" }\narena = { path = \"arena\" }\n";
        let expected =
            format!("[dependencies]\napi = {{ path = \"{}\" }}\narena = {{ path = \"arena\" }}\n", api.display());
        assert_eq!(absolute_paths(manifest, &root, &root), expected);
    }
}
