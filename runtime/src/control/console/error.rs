//! Why a line is not carried out.

use std::path::PathBuf;

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::control::ControlError;

/// Why a line is not carried out. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsoleError {
    /// A line that nobody types.
    #[error("the line has {found} bytes, at most {limit} are read (limit CONSOLE_LINE_BYTES_MAX)")]
    TooLong {
        /// Bytes of the line.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// A quote without its end.
    #[error("a quote is not closed; close it, or write \\' for a quote that is meant as such")]
    OpenQuote,
    /// A verb that does not exist.
    #[error("there is no verb {found:?};{} `help` lists all", meant(.near))]
    UnknownVerb {
        /// What was typed.
        found: String,
        /// What was probably meant.
        near: Option<String>,
    },
    /// An option that the verb does not have.
    #[error("there is no option {found:?};{}\nusage: {usage}", meant(.near))]
    UnknownFlag {
        /// What was typed.
        found: String,
        /// What was probably meant.
        near: Option<String>,
        /// How the verb is typed.
        usage: String,
    },
    /// An option given twice.
    #[error("{name} stands there twice\nusage: {usage}")]
    Twice {
        /// The option.
        name: &'static str,
        /// How the verb is typed.
        usage: String,
    },
    /// An argument that is needed.
    #[error("{name} is missing: expected {expected}\nusage: {usage}")]
    Missing {
        /// The argument.
        name: &'static str,
        /// What can stand there.
        expected: &'static str,
        /// How the verb is typed.
        usage: String,
    },
    /// A word that is not needed.
    #[error("{found:?} is one word too many\nusage: {usage}")]
    Unexpected {
        /// The word.
        found: String,
        /// How the verb is typed.
        usage: String,
    },
    /// An argument that cannot be what it should be.
    #[error("expected {expected}, found {found:?}\nusage: {usage}")]
    BadValue {
        /// What can stand there.
        expected: &'static str,
        /// What was typed.
        found: String,
        /// How the verb is typed.
        usage: String,
    },
    /// Something that the server does not have.
    #[error("there is no {what} {found:?}; {known}")]
    NotThere {
        /// What was looked for.
        what: &'static str,
        /// What was typed.
        found: String,
        /// What there is.
        known: String,
    },
    /// A file whose name is not a mod's.
    #[error("{} does not name a mod: expected NAME.wasm with NAME of a-z, 0-9, _ and -", .path.display())]
    FileName {
        /// The file.
        path: PathBuf,
    },
    /// A file that cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that is too large to be a mod.
    #[error("{} has {found} bytes, at most {limit} are read (limit CANDIDATE_BYTES_MAX)", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its bytes.
        found: u64,
        /// The limit.
        limit: usize,
    },
    /// The runtime does not do it.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The game does not do it.
    #[error("{0}")]
    Game(String),
}

fn meant(near: &Option<String>) -> String {
    near.as_ref().map_or_else(String::new, |near| format!(" did you mean `{near}`?"))
}

impl Serialize for ConsoleError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("error", &self.to_string())?;
        map.end()
    }
}
