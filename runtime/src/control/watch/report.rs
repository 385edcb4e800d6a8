//! What the watcher says, as values.

use std::{fmt, path::PathBuf};

use tickswap_abi::ModName;

use crate::{control::ControlError, ids::SubmissionId, swap::SubmissionState};

/// Something that the watcher saw or did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchReport {
    /// The folder is watched from now on.
    Watching {
        /// The folder, as it was given.
        folder: PathBuf,
    },
    /// The folder is not there or cannot be listed. It is looked for again and again; what runs goes on.
    NoFolder {
        /// The folder, as it was given.
        folder: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The system gives no notice of changes; the folder is looked at now and then instead.
    Polling {
        /// The folder, as it was given.
        folder: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// New or changed files were submitted together.
    Submitted {
        /// The submission.
        id: SubmissionId,
        /// Its mods.
        mods: Vec<ModName>,
    },
    /// A submission of the watcher's has ended.
    Ended {
        /// The submission.
        id: SubmissionId,
        /// Its mods.
        mods: Vec<ModName>,
        /// How.
        state: SubmissionState,
    },
    /// A file was written with the bytes that were submitted last. Nothing was done.
    Same {
        /// The mod.
        mod_name: ModName,
    },
    /// A file is gone. Nothing was done: the mod goes on running.
    Removed {
        /// The mod.
        mod_name: ModName,
    },
    /// A file that cannot be a mod's.
    NotAMod {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file cannot be read. It is tried again when it changes.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The runtime took no submission. It is tried again.
    NotTaken {
        /// The mods.
        mods: Vec<ModName>,
        /// Why.
        error: ControlError,
    },
}

impl fmt::Display for WatchReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Watching { folder } => write!(formatter, "watching {} for mods", folder.display()),
            Self::NoFolder { folder, reason } => write!(
                formatter,
                "cannot look into {}: {reason}; what runs goes on, and mods are submitted once the folder can be read",
                folder.display()
            ),
            Self::Polling { folder, reason } => write!(
                formatter,
                "the system gives no notice of changes in {}: {reason}; the folder is looked at now and then instead",
                folder.display()
            ),
            Self::Submitted { id, mods } => write!(formatter, "{id}: {}", listed(mods)),
            Self::Ended { id, mods, state } => write!(formatter, "{id} ({}): {state}", listed(mods)),
            Self::Same { mod_name } => write!(formatter, "{mod_name}.wasm holds the same bytes again: nothing to do"),
            Self::Removed { mod_name } => {
                write!(formatter, "{mod_name}.wasm was removed; mod {mod_name} goes on running")
            }
            Self::NotAMod { path, reason } => write!(formatter, "{} is left alone: {reason}", path.display()),
            Self::Unreadable { path, reason } => {
                write!(formatter, "cannot read {}: {reason}; it is tried again when it changes", path.display())
            }
            Self::NotTaken { mods, error } => {
                write!(formatter, "{} not submitted: {error}; it is tried again", listed(mods))
            }
        }
    }
}

fn listed(mods: &[ModName]) -> String {
    mods.iter().map(ModName::as_str).collect::<Vec<_>>().join(", ")
}
