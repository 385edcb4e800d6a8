//! What a contract check reports. The check itself is `contract.rs`.

use std::fmt;

use crate::limits::{QUOTED_CHARS_MAX, SECTION_BYTES_MAX};

/// A mod was built against another contract. Displays every disagreement, with both signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractMismatch {
    /// The server's contract.
    pub contract: &'static str,
    /// What does not agree; never empty.
    pub disagreements: Vec<Disagreement>,
}

impl std::error::Error for ContractMismatch {}

impl fmt::Display for ContractMismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the mod does not fit the contract {}; build it against the server's version of the contract crate:",
            self.contract
        )?;
        for disagreement in &self.disagreements {
            write!(formatter, "\n  {disagreement}")?;
        }
        Ok(())
    }
}

/// The two kinds of trait in a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterfaceKind {
    /// Implemented by mods.
    Hooks,
    /// Implemented by the server.
    Host,
}

impl fmt::Display for InterfaceKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Hooks => "hook",
            Self::Host => "host function",
        })
    }
}

/// A function that the mod names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Hook or host function.
    pub kind: InterfaceKind,
    /// The trait.
    pub interface: String,
    /// The function.
    pub function: String,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}::{}", self.kind, self.interface, self.function)
    }
}

/// One point on which a mod and the contract disagree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// The section exceeds its limit and was not read.
    #[error("its contract section has {bytes} bytes, at most {SECTION_BYTES_MAX} are read")]
    SectionTooLarge {
        /// The section's size.
        bytes: usize,
    },
    /// The section names no hook at all.
    #[error("it offers no hook; put #[tickswap_sdk::module] on its `impl` of a hooks trait")]
    NoHooks,
    /// A line is not of the known form.
    #[error(
        "line {line} of its contract section cannot be read: {text:?}; build it with the server's version of the SDK"
    )]
    Unreadable {
        /// Line number, from 1.
        line: usize,
        /// The line, shortened if long.
        text: String,
    },
    /// The contract has no such trait.
    #[error("{0}: the contract has no such trait")]
    UnknownInterface(Place),
    /// The contract's trait has no such function.
    #[error("{place}: the contract has no such function\n    mod:      {signature}")]
    UnknownFunction {
        /// What the mod names.
        place: Place,
        /// Its signature in the mod.
        signature: String,
    },
    /// The signatures, or the types they mention, differ.
    #[error("{place} differs\n    contract: {contract}\n    mod:      {found}")]
    Different {
        /// What the mod names.
        place: Place,
        /// The signature in the contract.
        contract: &'static str,
        /// The signature in the mod.
        found: String,
    },
    /// A hook is declared twice.
    #[error("{0} is declared twice")]
    Twice(Place),
    /// A required hook of a trait that the mod implements is missing.
    #[error("hook {interface}::{hook} is missing\n    contract: {contract}")]
    Missing {
        /// The hooks trait.
        interface: &'static str,
        /// The hook.
        hook: &'static str,
        /// The signature in the contract.
        contract: &'static str,
    },
}

/// A foreign text as errors repeat it.
pub(super) fn shortened(text: &str) -> String {
    text.chars().take(QUOTED_CHARS_MAX).collect()
}
