//! Checks of the repository's tidiness, as functions over text, so that they can be tested on small bad inputs.
//!
//! `tests/tests/tidy.rs` runs them over the repository. What rustc and clippy check is not repeated here.

pub mod code;
pub mod dependencies;
pub mod files;
pub mod floors;
pub mod links;
pub mod rules;

use std::fmt;
use std::path::{Path, PathBuf};

/// Something untidy and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, relative to the repository.
    pub path: PathBuf,
    /// Counted from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(path: &Path, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path.display(), self.message),
            line => write!(f, "{}:{line}: {}", self.path.display(), self.message),
        }
    }
}
