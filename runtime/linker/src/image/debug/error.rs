//! What can be wrong with debug information. Every error names the section and the offset at which it was met.

/// Debug information that cannot be relied on.
#[derive(Debug, thiserror::Error)]
#[error("{section} at {offset:#x}: {problem}")]
pub(crate) struct DebugError {
    /// Name of the custom section.
    pub(crate) section: &'static str,
    /// Bytes from the section's start; of the entry being read, where there is one.
    pub(crate) offset: usize,
    /// What was found there.
    pub(crate) problem: DebugProblem,
}

/// What is wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DebugProblem {
    /// The bytes are no DWARF.
    #[error("malformed: {0}; build the mod anew")]
    Malformed(#[from] gimli::Error),
    /// A name is not text.
    #[error("a name is not UTF-8; build the mod anew")]
    NotText,
    /// A reference leads nowhere.
    #[error("expected a {expected} at .debug_info {target:#x}, found none; build the mod anew")]
    Dangling {
        /// What should be there.
        expected: &'static str,
        /// Where it should be.
        target: usize,
    },
    /// A form that is used for what it cannot mean.
    #[error("the value of {attribute} has a form that says nothing; build the mod anew")]
    Form {
        /// DWARF's name of the attribute.
        attribute: &'static str,
    },
    /// More than can be true.
    #[error("{what}: more than the limit of {limit}")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// A type contains itself without a pointer between.
    #[error("a type is part of its own name or size; build the mod anew")]
    Cycle,
}

impl DebugProblem {
    /// The error with its place.
    pub(crate) fn at(self, section: &'static str, offset: usize) -> DebugError {
        DebugError { section, offset, problem: self }
    }

    /// The error at an entry of `.debug_info`.
    pub(crate) fn at_entry(self, offset: usize) -> DebugError {
        self.at(INFO, offset)
    }
}

/// The section that holds the entries.
pub(crate) const INFO: &str = ".debug_info";
/// The section that holds the shapes of entries.
pub(crate) const ABBREVIATIONS: &str = ".debug_abbrev";
/// The section that holds line programs and with them the names of files.
pub(crate) const LINES: &str = ".debug_line";
