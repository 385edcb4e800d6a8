//! The differences that comparing can find, each with what it is about and what was and is there. Facts, no judgement.

use crate::GenerationId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where in the source something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourcePosition {
    /// File as the compiler names it.
    pub file: String,
    /// Line, counted from 1.
    pub line: u32,
}

impl fmt::Display for SourcePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// One difference between a candidate and the versions it meets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "difference", rename_all = "snake_case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the variants' fields are `item`, `was` and `is`; each variant says what they hold")]
pub enum Difference {
    /// A function's body differs from the version to be replaced.
    FunctionChanged {
        item: String,
        at: Option<SourcePosition>,
    },
    /// Only the line numbers that panics report differ.
    PositionsMoved {
        item: String,
    },
    /// A function that the version to be replaced does not have.
    FunctionAdded {
        item: String,
        at: Option<SourcePosition>,
    },
    /// A function that only the version to be replaced has. Its old body stays callable.
    FunctionRemoved {
        item: String,
    },
    /// Closures, coroutines or numbered items that cannot be matched: live ones keep their old bodies.
    NumberedItemsUnmatched {
        item: String,
        count: usize,
    },
    /// A coroutine whose body changed: a suspended one keeps the old body.
    CoroutineChanged {
        item: String,
    },
    /// Content of named read-only data.
    ReadOnlyDataChanged {
        item: String,
    },
    /// A mutable static that no resident has.
    StaticAdded {
        item: String,
        type_name: String,
        size: u32,
    },
    /// A static of the standard library used for the first time.
    StandardStaticAdded {
        item: String,
        size: u32,
    },
    /// A mutable static of the version to be replaced that is gone.
    StaticRemoved {
        item: String,
    },
    /// Type, size or alignment of a static.
    StaticChanged {
        item: String,
        was: String,
        is: String,
    },
    /// The initial value; the live value stays.
    StaticInitialValueChanged {
        item: String,
    },
    /// Symbol and debug information do not agree on what the bytes are.
    StaticUnproved {
        item: String,
        why: String,
    },
    /// A type that only new code uses.
    TypeAdded {
        item: String,
    },
    /// A type known to a resident with another layout.
    TypeChanged {
        item: String,
        was: String,
        is: String,
    },
    /// Entries of a vtable that live objects may use.
    VtableChanged {
        item: String,
        was: String,
        is: String,
    },
    /// A trait whose live objects may be called, but whose vtable the candidate does not show.
    TraitShapeUnknown {
        item: String,
    },
    /// A vtable entry that belongs to another type: functions were merged.
    VtableEntryForeign {
        item: String,
        entry: String,
    },
    ExportAdded {
        item: String,
        is: String,
    },
    ExportRemoved {
        item: String,
        was: String,
    },
    ExportChanged {
        item: String,
        was: String,
        is: String,
    },
    ImportAdded {
        item: String,
        is: String,
    },
    /// Compiler version, target features.
    ToolchainChanged {
        was: Vec<String>,
        is: Vec<String>,
    },
    /// A crate's hash, and with it the `TypeId` of its types.
    CrateIdentityChanged {
        item: String,
        was: Vec<String>,
        is: Vec<String>,
    },
    AllocatorChanged {
        was: String,
        is: String,
    },
    /// The stack is shared and was laid out by the first generation.
    StackGrown {
        was: u32,
        is: u32,
    },
    /// A custom section that describes the mod, such as its contract.
    DescriptionChanged {
        item: String,
    },
    /// The file does not prove that it was built with the passes off that merge functions and rewrite statics.
    ProofMissing {
        what: String,
    },
    /// The candidate's base is no generation of this mod.
    UnknownBase {
        base: GenerationId,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |at: &Option<SourcePosition>| at.as_ref().map_or_else(String::new, |p| format!(" ({p})"));
        match self {
            Self::FunctionChanged { item, at: position } => {
                write!(f, "function `{item}`{} has another body", at(position))
            }
            Self::PositionsMoved { item } => write!(f, "in `{item}` only source positions moved"),
            Self::FunctionAdded { item, at: position } => write!(f, "function `{item}`{} is new", at(position)),
            Self::FunctionRemoved { item } => write!(f, "function `{item}` is gone; its old body stays for live state"),
            Self::NumberedItemsUnmatched { item, count } => write!(
                f,
                "{count} closures or repeated items in `{item}` cannot be matched with the old ones; live ones keep their old bodies"
            ),
            Self::CoroutineChanged { item } => {
                write!(f, "the coroutine `{item}` has another body; a suspended one keeps the old")
            }
            Self::ReadOnlyDataChanged { item } => write!(f, "read-only data `{item}` has other content"),
            Self::StaticAdded { item, type_name, size } => {
                write!(f, "static `{item}` of type `{type_name}` ({size} bytes) is new")
            }
            Self::StandardStaticAdded { item, size } => {
                write!(f, "static `{item}` ({size} bytes) of the standard library is used for the first time")
            }
            Self::StaticRemoved { item } => write!(f, "static `{item}` is gone, its live value would be lost"),
            Self::StaticChanged { item, was, is } => write!(f, "static `{item}` was {was}, is {is}"),
            Self::StaticInitialValueChanged { item } => {
                write!(f, "static `{item}` has another initial value; the live value stays")
            }
            Self::StaticUnproved { item, why } => {
                write!(f, "static `{item}` cannot be proved to be what it was: {why}")
            }
            Self::TypeAdded { item } => write!(f, "type `{item}` is new"),
            Self::TypeChanged { item, was, is } => {
                write!(
                    f,
                    "type `{item}` has another layout, live state that holds one would be misread\n      was {was}\n      is  {is}"
                )
            }
            Self::VtableChanged { item, was, is } => {
                write!(
                    f,
                    "vtable `{item}` has another shape, live objects would be misused\n      was {was}\n      is  {is}"
                )
            }
            Self::TraitShapeUnknown { item } => write!(
                f,
                "live objects of trait `{item}` may be called, but no vtable in the new version shows that the trait kept its methods"
            ),
            Self::VtableEntryForeign { item, entry } => {
                write!(f, "vtable `{item}` holds `{entry}`, a function of another type: equal functions were merged")
            }
            Self::ExportAdded { item, is } => write!(f, "exported function `{item}` {is} is new"),
            Self::ExportRemoved { item, was } => write!(f, "exported function `{item}` {was} is gone"),
            Self::ExportChanged { item, was, is } => write!(f, "exported function `{item}` was {was}, is {is}"),
            Self::ImportAdded { item, is } => write!(f, "host function `{item}` {is} is newly used"),
            Self::ToolchainChanged { was, is } => {
                write!(f, "compiler or target features differ: was {}, is {}", was.join("; "), is.join("; "))
            }
            Self::CrateIdentityChanged { item, was, is } => write!(
                f,
                "crate `{item}` has another identity (was {}, is {}): another version of a dependency, or not built by `cargo tickswap build`",
                was.join(", "),
                is.join(", ")
            ),
            Self::AllocatorChanged { was, is } => write!(f, "the global allocator was {was}, is {is}"),
            Self::StackGrown { was, is } => write!(f, "the mod was linked for {was} bytes of stack, now for {is}"),
            Self::DescriptionChanged { item } => write!(f, "the section `{item}` has other content"),
            Self::ProofMissing { what } => write!(f, "{what}"),
            Self::UnknownBase { base } => write!(f, "generation {base}, which it would replace, does not exist"),
        }
    }
}
