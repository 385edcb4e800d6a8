//! What can be wrong with a file before it is compared with anything.

use crate::limits;
use std::fmt;
use thiserror::Error;

/// Why a file is no mod that can be linked live.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The file does not start like WebAssembly.
    #[error(
        "this is not a WebAssembly file: expected it to begin with the bytes 00 61 73 6d, found {found}; build the mod with `cargo tickswap build` and submit the .wasm file it names"
    )]
    NotWasm {
        /// The first bytes in hexadecimal, or a word for an empty file.
        found: String,
    },
    /// A component of the component model.
    #[error(
        "this is a WebAssembly component, expected a core module: a mod is built for wasm32-unknown-unknown; build it with `cargo tickswap build` and do not wrap it into a component"
    )]
    Component,
    /// The bytes break off or contradict the format.
    #[error(
        "malformed WebAssembly at byte offset {offset}: {message}; the file may be truncated or damaged, build and submit it again"
    )]
    Malformed {
        /// Offset into the file.
        offset: usize,
        /// What the parser expected or found.
        message: String,
    },
    /// A number in the file is beyond a limit of `limits.rs`.
    #[error("{what}: found {found}, the limit {limit_name} is {limit}; split the mod or raise the limit")]
    BeyondLimit {
        /// What was counted.
        what: &'static str,
        /// How much there was.
        found: u64,
        /// Name of the constant.
        limit_name: &'static str,
        /// Its value.
        limit: u64,
    },
    /// Well-formed WebAssembly that lacks what live linking needs, every reason at once.
    #[error("{0}")]
    NotLinkable(Problems),
    /// The debug information is damaged.
    #[error("the debug information cannot be read: {section} at {offset:#x}: {message}")]
    Debug {
        /// Name of the custom section.
        section: &'static str,
        /// Bytes from the section's start.
        offset: usize,
        /// What was expected or found there.
        message: String,
    },
}

/// Every reason why a module cannot be linked live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this module cannot be linked live ({} found):", plural(self.0.len(), "problem"))?;
        for problem in &self.0 {
            write!(f, "\n  - {problem}")?;
        }
        Ok(())
    }
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Problems while a file is being read: the first are kept, of the rest only the number. A damaged file may have one for
/// each of its relocations.
#[derive(Debug, Default)]
pub(super) struct Found {
    kept: Vec<Problem>,
    more: usize,
}

impl Found {
    pub(super) fn push(&mut self, problem: Problem) {
        if self.kept.len() < limits::PROBLEMS_KEPT {
            self.kept.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// For problems that are many, or whose text may be long: it is made only if it is kept.
    pub(super) fn push_with(&mut self, problem: impl FnOnce() -> Problem) {
        if self.kept.len() < limits::PROBLEMS_KEPT {
            self.kept.push(problem());
        } else {
            self.more += 1;
        }
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.kept.iter()
    }

    /// All of them as one error, if there are any.
    pub(super) fn check(&mut self) -> Result<(), ReadError> {
        if self.kept.is_empty() {
            return Ok(());
        }
        let mut problems = std::mem::take(&mut self.kept);
        if self.more > 0 {
            problems.push(Problem::More { count: self.more });
        }
        Err(ReadError::NotLinkable(Problems(problems)))
    }
}

/// One reason why a module cannot be linked live.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Problem {
    /// A section that the build flags would have produced is not there.
    #[error(
        "expected a `{section}` section, found none: {why}; build the mod with `cargo tickswap build`, which passes {flag}"
    )]
    MissingSection {
        /// Name of the custom section.
        section: &'static str,
        /// What the section is needed for.
        why: &'static str,
        /// The flag that produces it.
        flag: &'static str,
    },
    /// The module brings a memory or table of its own.
    #[error(
        "expected the {what} to be imported, found one defined in the module; build the mod with `cargo tickswap build`, which passes {flag}"
    )]
    OwnResource {
        /// `memory` or `function table`.
        what: &'static str,
        /// The flag that makes it an import.
        flag: &'static str,
    },
    /// Code that would run at instantiation.
    #[error("found {what}: a patch must not run start-up code over live state; remove it from the mod")]
    RunsAtStart {
        /// The start function, constructor or wrapper found.
        what: String,
    },
    /// A relocation kind that live linking does not know.
    #[error(
        "relocation kind {kind} at offset {offset} of the {section} section is not supported; build the mod with `cargo tickswap build` for wasm32-unknown-unknown without threads or position-independent code"
    )]
    RelocationKind {
        /// Name of the kind.
        kind: String,
        /// `code` or `data`.
        section: &'static str,
        /// Offset from the section's first byte.
        offset: u32,
    },
    /// A relocation that points outside its section, function or symbol table.
    #[error(
        "the relocation at offset {offset} of the {section} section {what}; build the mod again, the file is inconsistent"
    )]
    BadRelocation {
        /// `code` or `data`.
        section: &'static str,
        /// Offset from the section's first byte.
        offset: u32,
        /// What contradicts what.
        what: &'static str,
    },
    /// Something the format allows that mods do not use.
    #[error("{what}; build the mod with `cargo tickswap build`")]
    Unsupported {
        /// What was found and what was expected.
        what: String,
    },
    /// Data that no symbol describes, so that nothing tells whether it is state.
    #[error(
        "{bytes} bytes at offset {offset} of data segment `{segment}` belong to no symbol; build the mod with `cargo tickswap build`, which keeps every symbol"
    )]
    UnnamedData {
        /// Segment name.
        segment: String,
        /// Offset in the segment.
        offset: u32,
        /// How many bytes.
        bytes: u32,
    },
    /// Symbols of mutable data that share bytes.
    #[error(
        "the mutable data symbols `{first}` and `{second}` overlap in segment `{segment}`; live state cannot be told apart"
    )]
    OverlappingStatics {
        /// Segment name.
        segment: String,
        /// One symbol.
        first: String,
        /// The other symbol.
        second: String,
    },
    /// Problems beyond those that are told one by one.
    #[error("and {count} more")]
    More {
        /// How many.
        count: usize,
    },
}
