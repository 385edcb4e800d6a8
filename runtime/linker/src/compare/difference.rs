//! The differences that comparing can find, each with what it is about and what was and is there. Facts, no judgement.

use crate::GenerationId;
use crate::image::debug::Position;
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

impl From<&Position> for SourcePosition {
    fn from(position: &Position) -> Self {
        Self { file: position.file.to_string(), line: u32::try_from(position.line).unwrap_or(u32::MAX) }
    }
}

/// Why an item differs although nobody touched its own source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Cause {
    /// Changed functions that were inlined into it, by name.
    InlinedFrom(Vec<String>),
    /// Changed types that it holds in place, by name.
    Holds(Vec<String>),
    /// Another set of copies of a generic function or type.
    Instance,
    /// Code or type of a library: it comes and goes with what is called.
    Library,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, names) = match self {
            Self::InlinedFrom(names) => ("inlined from", names),
            Self::Holds(names) => ("holds", names),
            Self::Instance => return f.write_str("copies of a generic"),
            Self::Library => return f.write_str("library"),
        };
        match names.as_slice() {
            [] => f.write_str(verb),
            [one] => write!(f, "{verb} {one}"),
            [first, more @ ..] => write!(f, "{verb} {first} and {} more", more.len()),
        }
    }
}

/// How a type changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TypeChange {
    /// Fields came.
    FieldAdded,
    /// Fields went.
    FieldRemoved,
    /// Fields have another type.
    FieldRetyped,
    /// Several of these.
    Fields,
    /// The same fields lie elsewhere, or take another size.
    Moved,
    /// Variants of an enum, their values or contents.
    Variants,
    /// The same variants; what tells them apart lies elsewhere.
    DiscriminantMoved,
    /// Something else, or a name that stands for several types.
    Layout,
}

/// Why a body that live data relies on may have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reliance {
    /// Its own code differs.
    Changed,
    /// It is inlined, and all code that holds it differs: these functions.
    Unproved(Vec<String>),
    /// It is a hasher of a map, and these functions of the map differ.
    Hasher(Vec<String>),
    /// Functions that it calls differ: these.
    Through(Vec<String>),
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
        cause: Option<Cause>,
    },
    /// Only the line numbers that panics report differ.
    PositionsMoved {
        item: String,
        at: Option<SourcePosition>,
    },
    /// A function that the version to be replaced does not have.
    FunctionAdded {
        item: String,
        at: Option<SourcePosition>,
        cause: Option<Cause>,
    },
    /// A function that only the version to be replaced has. Its old body stays callable.
    FunctionRemoved {
        item: String,
        /// Where the version to be replaced has it.
        at: Option<SourcePosition>,
        cause: Option<Cause>,
    },
    /// A function of one name and another signature; live pointers to it keep the old body.
    SignatureChanged {
        item: String,
        at: Option<SourcePosition>,
        was: String,
        is: String,
    },
    /// Two functions of the module have one name and different bodies, and live pointers may lead to either.
    FunctionAmbiguous {
        item: String,
    },
    /// A body by which containers find what they hold.
    ReliedOnChanged {
        item: String,
        at: Option<SourcePosition>,
        reason: Reliance,
    },
    /// Closures, coroutines or numbered items that cannot be matched: live ones keep their old bodies.
    NumberedItemsUnmatched {
        item: String,
        count: usize,
    },
    /// A coroutine whose body changed: a suspended one keeps the old body.
    CoroutineChanged {
        item: String,
        at: Option<SourcePosition>,
    },
    /// A function that would read or resume an environment of live state that changed, and that is not named after it.
    EnvironmentHeld {
        item: String,
        environment: String,
    },
    /// Content of named read-only data.
    ReadOnlyDataChanged {
        item: String,
    },
    /// A mutable static that no resident has.
    StaticAdded {
        item: String,
        at: Option<SourcePosition>,
        type_name: String,
        size: u32,
    },
    /// A static of the standard library used for the first time.
    StandardStaticAdded {
        item: String,
        size: u32,
    },
    /// The call site of a log line, which is known by what it says of itself, and says something that no resident's does.
    CallSiteAdded {
        item: String,
        at: Option<SourcePosition>,
    },
    /// A mutable static that shares its name with others, which order alone tells apart, and order proves nothing now.
    StaticUnmatched {
        item: String,
        at: Option<SourcePosition>,
    },
    /// A mutable static of the version to be replaced that is gone.
    StaticRemoved {
        item: String,
    },
    /// Type, size or alignment of a static.
    StaticChanged {
        item: String,
        at: Option<SourcePosition>,
        was: String,
        is: String,
    },
    /// The initial value; the live value stays.
    StaticInitialValueChanged {
        item: String,
        at: Option<SourcePosition>,
    },
    /// Symbol and debug information do not agree on what the bytes are.
    StaticUnproved {
        item: String,
        at: Option<SourcePosition>,
        why: String,
    },
    /// A type that only new code uses.
    TypeAdded {
        item: String,
        cause: Option<Cause>,
    },
    /// A type known to a resident with another layout: sizes, and what differs line by line.
    TypeChanged {
        item: String,
        change: TypeChange,
        was: String,
        is: String,
        lines: Vec<String>,
        /// Types that changed too and that explain it all.
        holds: Vec<String>,
        /// Where the first function of an `impl` of the type stands.
        near: Option<SourcePosition>,
    },
    /// An `impl Drop` that came or went.
    DropChanged {
        item: String,
        at: Option<SourcePosition>,
        is_added: bool,
    },
    /// A type of which the version to be replaced made objects of `dyn Any`, and which the candidate does not have.
    TypeIdentityGone {
        item: String,
    },
    /// A numbered item that has the `TypeId` of another one known before.
    TypeIdentityReused {
        item: String,
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
    HookAdded {
        item: String,
        is: String,
    },
    HookRemoved {
        item: String,
        was: String,
    },
    HookChanged {
        item: String,
        was: String,
        is: String,
    },
    /// A host function that the mod was built against with another signature.
    HostFunctionChanged {
        item: String,
        was: String,
        is: String,
    },
    /// An import that the mod's own contract section does not name.
    ImportUndeclared {
        item: String,
        is: String,
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
        /// Whether any version shows a sign of `TypeId`s.
        uses_type_ids: bool,
        /// Whether live state may hold anything of the crate.
        in_state: bool,
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
        /// Whether it is one that the SDK writes.
        is_own: bool,
    },
    /// The file does not prove that it was built with the passes off that merge functions and rewrite statics.
    ProofMissing {
        what: String,
    },
    /// Comparing would take more than a limit allows, so what differs is not known in full.
    LimitReached {
        what: String,
        limit_name: String,
        limit: u64,
    },
    /// The candidate's base is no generation of this mod.
    UnknownBase {
        base: GenerationId,
    },
}
