//! Compiles Tickswap mods: Rust crates with the crate type `cdylib`, for `wasm32-unknown-unknown`, by running cargo.
//!
//! ```no_run
//! # fn main() -> Result<(), tickswap_build::BuildError> {
//! let built = tickswap_build::ModBuild::new("developer_mods/arena").out_dir("developer_mods/built").build()?;
//! assert_eq!(built.path, std::path::Path::new("developer_mods/built/arena.wasm"));
//! # Ok(())
//! # }
//! ```
//!
//! A module can be linked into the memory of its running predecessor only if both were compiled by one recipe
//! ([`recipe`]): fixed target, profile and flags, a cleaned environment, and crate metadata that is the same in every
//! folder and version. This crate is the one place that knows the recipe; the command line, servers and tests call it,
//! always at run time and never from a build script.
//!
//! It does not read modules: whether a module can be linked is the business of `tickswap-linker`. It prints nothing.

mod compile;
mod environment;
mod error;
mod manifest;
pub mod recipe;
mod source;
mod toolchain;
mod wrapper;

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use environment::Environment;
pub use error::BuildError;
use manifest::{Metadata, ModCrate};
pub use source::ModSource;
use toolchain::Toolchain;

/// One build of one mod: [`ModBuild::new`], options, [`ModBuild::build`].
#[derive(Clone)]
pub struct ModBuild {
    manifest_dir: PathBuf,
    target_dir: Option<PathBuf>,
    out_dir: Option<PathBuf>,
    cfgs: Vec<String>,
    features: Vec<String>,
    added_flags: Vec<String>,
    dropped_flags: Vec<String>,
    env: Vec<(OsString, OsString)>,
    offline: bool,
    ansi: bool,
    progress: Option<Arc<compile::Listener>>,
}

/// A finished mod.
#[derive(Debug, Clone)]
pub struct BuiltMod {
    /// The mod's name: its package's.
    pub name: String,
    /// `NAME.wasm` in the output folder.
    pub path: PathBuf,
    /// The module, as it was written to `path` by this build.
    pub bytes: Vec<u8>,
    /// What a developer should read: the compiler's warnings, and whether the target had to be added.
    pub messages: Vec<String>,
    /// Whether cargo found everything up to date.
    pub fresh: bool,
    /// How long cargo ran.
    pub cargo_time: Duration,
}

impl BuiltMod {
    /// Puts the module into another folder too, by rename, and answers its path there.
    pub fn publish(&self, folder: impl AsRef<Path>) -> Result<PathBuf, BuildError> {
        publish(&self.bytes, folder.as_ref(), &self.name)
    }
}

impl ModBuild {
    /// The build of the mod whose `Cargo.toml` lies in `manifest_dir`.
    pub fn new(manifest_dir: impl Into<PathBuf>) -> Self {
        Self {
            manifest_dir: manifest_dir.into(),
            target_dir: None,
            out_dir: None,
            cfgs: Vec::new(),
            features: Vec::new(),
            added_flags: Vec::new(),
            dropped_flags: Vec::new(),
            env: Vec::new(),
            offline: false,
            ansi: false,
            progress: None,
        }
    }

    /// Where cargo works; `target/tickswap` in the mod's workspace otherwise. Builds that share it wait for each other,
    /// across threads and processes, and the mods of one workspace share their dependencies in it.
    #[must_use]
    pub fn target_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.target_dir = Some(folder.into());
        self
    }

    /// Where the finished `NAME.wasm` goes, moved there by rename; the target folder otherwise.
    #[must_use]
    pub fn out_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(folder.into());
        self
    }

    /// Sets `--cfg` for the mod's own crate, not for its dependencies.
    #[must_use]
    pub fn cfg(mut self, cfg: impl Into<String>) -> Self {
        self.cfgs.push(cfg.into());
        self
    }

    /// Turns a feature of the mod's package on.
    #[must_use]
    pub fn feature(mut self, feature: impl Into<String>) -> Self {
        self.features.push(feature.into());
        self
    }

    /// Adds a flag to the mod's own crate, after the recipe's. For tests that need a module off the recipe.
    #[must_use]
    pub fn rustc_arg(mut self, flag: impl Into<String>) -> Self {
        self.added_flags.push(flag.into());
        self
    }

    /// Leaves out every flag of the recipe that contains `part`. For tests that need a module off the recipe.
    #[must_use]
    pub fn without_flag(mut self, part: impl Into<String>) -> Self {
        self.dropped_flags.push(part.into());
        self
    }

    /// Sets an environment variable for cargo and all that it starts.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Keeps cargo from using the network.
    #[must_use]
    pub fn offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// Has diagnostics rendered with colours for a terminal.
    #[must_use]
    pub fn ansi(mut self, ansi: bool) -> Self {
        self.ansi = ansi;
        self
    }

    /// Calls `listener` with each line that cargo says about its progress.
    #[must_use]
    pub fn on_progress(mut self, listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(listener));
        self
    }

    /// Compiles the mod and moves the module into the output folder.
    pub fn build(&self) -> Result<BuiltMod, BuildError> {
        let folder = std::path::absolute(&self.manifest_dir).map_err(BuildError::io("find", &self.manifest_dir))?;
        if !folder.join("Cargo.toml").is_file() {
            return Err(BuildError::NoManifest { folder });
        }
        let folder = folder.canonicalize().map_err(BuildError::io("find", &folder))?;
        let environment = Environment::new(&folder, &self.env);
        let toolchain = Toolchain::ready(&environment)?;
        let options = self.cargo_options();
        let platform = format!("--filter-platform={}", recipe::TARGET);
        let metadata = Metadata::read(&environment, &folder, &[options.as_slice(), &[platform]].concat())?;
        let mod_crate = metadata.mod_crate(&folder)?;
        let target_dir = match &self.target_dir {
            Some(target_dir) => std::path::absolute(target_dir).map_err(BuildError::io("find", target_dir))?,
            None => mod_crate.workspace_root.join("target/tickswap"),
        };
        self.build_locked(&environment, &toolchain, &mod_crate, &folder, &target_dir, &options)
    }

    fn build_locked(
        &self,
        environment: &Environment,
        toolchain: &Toolchain,
        mod_crate: &ModCrate,
        folder: &Path,
        target_dir: &Path,
        cargo_options: &[String],
    ) -> Result<BuiltMod, BuildError> {
        // Cargo's own lock ends with cargo, and the next build may replace the file before it is read here.
        let _lock = lock(target_dir)?;
        let place = target_dir.join(recipe_key(toolchain, mod_crate));
        fs::create_dir_all(&place).map_err(BuildError::io("create", &place))?;
        let every_crate: Vec<String> = recipe::EVERY_CRATE.iter().map(|&flag| flag.to_owned()).collect();
        // The wrapper is made last, so its presence says that the switches were proved with this toolchain.
        if !place.join(format!("wrapper{}", std::env::consts::EXE_SUFFIX)).is_file() {
            toolchain::prove_switches(environment, toolchain, &every_crate, &place)?;
        }
        let wrapper = wrapper::ready(environment, &place)?;
        tracing::info!(mod_name = mod_crate.name, "compiling");
        let began = Instant::now();
        let compiled = compile::run(&compile::Job {
            environment,
            toolchain,
            mod_crate,
            folder,
            target_dir: &place,
            wrapper: &wrapper,
            cargo_options,
            every_crate: &self.kept(every_crate),
            mod_flags: &self.mod_flags(&mod_crate.name),
            ansi: self.ansi,
            progress: self.progress.as_deref(),
        })?;
        let cargo_time = began.elapsed();
        let bytes = fs::read(&compiled.module).map_err(BuildError::io("read", &compiled.module))?;
        let path = publish(&bytes, self.out_dir.as_deref().unwrap_or(target_dir), &mod_crate.name)?;
        let mut messages = compiled.warnings;
        if toolchain.target_added {
            messages.insert(0, format!("added the target {} to {} with rustup", recipe::TARGET, toolchain.name()));
        }
        Ok(BuiltMod { name: mod_crate.name.clone(), path, bytes, messages, fresh: compiled.fresh, cargo_time })
    }

    fn cargo_options(&self) -> Vec<String> {
        let mut options: Vec<String> = self.features.iter().map(|feature| format!("--features={feature}")).collect();
        options.extend(self.offline.then(|| "--offline".to_owned()));
        options
    }

    fn mod_flags(&self, mod_name: &str) -> Vec<String> {
        let mut flags = self.kept(recipe::mod_crate(mod_name));
        for cfg in &self.cfgs {
            flags.extend([format!("--cfg={cfg}"), format!("--check-cfg=cfg({})", expected(cfg))]);
        }
        flags.extend(self.added_flags.iter().cloned());
        flags
    }

    fn kept(&self, mut flags: Vec<String>) -> Vec<String> {
        flags.retain(|flag| !self.dropped_flags.iter().any(|part| flag.contains(part)));
        flags
    }
}

impl fmt::Debug for ModBuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { manifest_dir, target_dir, out_dir, cfgs, features, .. } = self;
        f.debug_struct("ModBuild")
            .field("manifest_dir", manifest_dir)
            .field("target_dir", target_dir)
            .field("out_dir", out_dir)
            .field("cfgs", cfgs)
            .field("features", features)
            .finish_non_exhaustive()
    }
}

/// `v2` and `kind="a"` in the notation of `--check-cfg`.
fn expected(cfg: &str) -> String {
    match cfg.split_once('=') {
        Some((name, value)) => format!("{name}, values({value})"),
        None => cfg.to_owned(),
    }
}

/// The part of the recipe that cargo does not see, so that files made by another are never taken for this one's.
/// The workspace is part of it: cargo knows a crate by its path within the workspace, and would take one copy for another.
fn recipe_key(toolchain: &Toolchain, mod_crate: &ModCrate) -> String {
    let mut hasher = DefaultHasher::new();
    (wrapper::SOURCE, &toolchain.version, &mod_crate.workspace_root).hash(&mut hasher);
    recipe::PROFILE.iter().for_each(|setting| (setting.key, setting.value).hash(&mut hasher));
    // Only packages that share their name have a version in it; a package alone and the same one beside a twin differ.
    let twins = mod_crate.local_crates.values().filter(|identity| identity.contains('@'));
    twins.for_each(|identity| identity.hash(&mut hasher));
    format!("recipe-{:016x}", hasher.finish())
}

fn lock(target_dir: &Path) -> Result<File, BuildError> {
    fs::create_dir_all(target_dir).map_err(BuildError::io("create", target_dir))?;
    let path = target_dir.join(".tickswap-lock");
    let file = File::create(&path).map_err(BuildError::io("create", &path))?;
    file.lock().map_err(BuildError::io("lock", &path))?;
    Ok(file)
}

/// Writes beside the final name and renames: whoever watches the folder never sees half a module.
fn publish(bytes: &[u8], out_dir: &Path, name: &str) -> Result<PathBuf, BuildError> {
    fs::create_dir_all(out_dir).map_err(BuildError::io("create", out_dir))?;
    static PUBLISHED: AtomicU64 = AtomicU64::new(0);
    let (process, number) = (std::process::id(), PUBLISHED.fetch_add(1, Ordering::Relaxed));
    let unfinished = out_dir.join(format!(".{name}.{process}-{number}.unfinished"));
    let path = out_dir.join(format!("{name}.wasm"));
    fs::write(&unfinished, bytes).map_err(BuildError::io("write", &unfinished))?;
    fs::rename(&unfinished, &path).map_err(BuildError::io("replace", &path))?;
    Ok(path)
}
