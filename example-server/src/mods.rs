//! Gets mods from their sources or from built files, and submits them. Prints nothing; progress goes to a listener.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tickswap::{Control, ControlError, SubmissionState};
use tickswap_abi::{ModName, ModNameError};
use tickswap_build::{BuildError, ModSource};

/// A mod's name and the contents of its file.
pub type ModFile = (ModName, Vec<u8>);

/// Hears what is going on, one line at a time.
pub type Listener = Arc<dyn Fn(&str) + Send + Sync>;

/// Where mods live: sources in `FOLDER/NAME`, finished files in `FOLDER/built`.
#[derive(Clone, Debug)]
pub struct ModsFolder(PathBuf);

/// Why mods are not there or do not go live.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModsError {
    /// A mod does not build.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A file's name cannot be a mod's.
    #[error(transparent)]
    Name(#[from] ModNameError),
    /// There are none.
    #[error("there are no mods in {}: expected {expected}", .folder.display())]
    None {
        /// The folder.
        folder: PathBuf,
        /// What was looked for.
        expected: &'static str,
    },
    /// A file cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The runtime takes no submission.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The runtime does not load them. What ran goes on running.
    #[error("{0}")]
    NotLoaded(SubmissionState),
}

impl ModsFolder {
    /// The mods in that folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The example's own mods: beside this package's sources, wherever it is started from.
    pub fn of_the_example() -> Self {
        Self::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("developer_mods"))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The folder of finished files.
    pub fn built(&self) -> PathBuf {
        self.0.join("built")
    }

    /// Compiles all mods, or the one of a name.
    pub fn build(&self, only: Option<&str>, listener: &Listener) -> Result<Vec<ModFile>, ModsError> {
        let mut sources = ModSource::discover(&self.0)?;
        sources.retain(|source| only.is_none_or(|name| name == source.name));
        if sources.is_empty() {
            return Err(ModsError::None {
                folder: self.0.clone(),
                expected: "a crate of that name with the crate type cdylib",
            });
        }
        let mut files = Vec::new();
        for source in sources {
            let heard = Arc::clone(listener);
            let build = source.to_build().out_dir(self.built());
            let built = build.on_progress(move |line| heard(line)).build()?;
            built.messages.iter().for_each(|message| listener(message));
            listener(&format!("built {} ({} bytes)", built.path.display(), built.bytes.len()));
            files.push((ModName::try_from(built.name)?, built.bytes));
        }
        Ok(files)
    }

    /// Reads the finished files as they are.
    pub fn read_built(&self) -> Result<Vec<ModFile>, ModsError> {
        let folder = self.built();
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |source| ModsError::Read { path, source }
        };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(unreadable(&folder))? {
            let path = entry.map_err(unreadable(&folder))?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            if path.extension().is_some_and(|extension| extension == "wasm") {
                let bytes = std::fs::read(&path).map_err(unreadable(&path))?;
                files.push((ModName::try_from(stem)?, bytes));
            }
        }
        if files.is_empty() {
            return Err(ModsError::None { folder, expected: "NAME.wasm; build them first" });
        }
        files.sort_by(|left, right| left.0.cmp(&right.0));
        Ok(files)
    }
}

/// Submits mods together and waits until they are active in every world there is.
pub fn submit(control: &Control, mods: Vec<ModFile>, wait: Duration) -> Result<SubmissionState, ModsError> {
    let id = control.submit(mods)?;
    let state = control.wait(id, wait);
    if state.is_success() { Ok(state) } else { Err(ModsError::NotLoaded(state)) }
}

/// Compiles all mods, or one, and submits them to a running server. Answers what became of them, in words.
pub fn reload(
    folder: &ModsFolder,
    only: Option<&str>,
    control: &Control,
    wait: Duration,
    listener: &Listener,
) -> Result<String, ModsError> {
    let mods = folder.build(only, listener)?;
    let state = submit(control, mods, wait)?;
    let SubmissionState::Done { mods, .. } = &state else {
        return Ok(state.to_string());
    };
    let mut words = state.to_string();
    for prepared in mods {
        let changed = prepared.changed_functions.len();
        words += &format!("\n  {} is now {}: {changed} functions changed", prepared.mod_name, prepared.generation);
    }
    Ok(words)
}
