//! What a mod image holds once read: sections, functions, symbols, data segments. Values only; `read.rs` fills them.

use std::ops::Range;

/// A value type of a function signature. Mods of wasm32-unknown-unknown use these five.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValueType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// 128-bit vector.
    V128,
    /// A reference type; never part of a hook or host function.
    Reference,
}

/// A function signature in WebAssembly's own types.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct FunctionType {
    /// Parameter types in order.
    pub parameters: Vec<ValueType>,
    /// Result types in order.
    pub results: Vec<ValueType>,
}

impl std::fmt::Display for FunctionType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list =
            |types: &[ValueType]| types.iter().map(|t| format!("{t:?}").to_lowercase()).collect::<Vec<_>>().join(", ");
        write!(f, "({}) -> ({})", list(&self.parameters), list(&self.results))
    }
}

/// A function that the module exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionExport {
    /// Export name.
    pub name: String,
    /// Signature.
    pub signature: FunctionType,
    pub(crate) function: u32,
}

/// A function that the module imports.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FunctionImport {
    /// Import module, for host functions the name of the host trait.
    pub module: String,
    /// Import name.
    pub name: String,
    /// Signature.
    pub signature: FunctionType,
}

/// One section as it lies in the file.
#[derive(Clone, Debug)]
pub(crate) struct Section {
    pub(crate) id: u8,
    pub(crate) contents: Range<usize>,
}

/// A function with a body: its type and where its body lies in the file (locals and instructions, without the size).
#[derive(Clone, Debug)]
pub(crate) struct DefinedFunction {
    pub(crate) type_index: u32,
    pub(crate) body: Range<usize>,
}

/// A global of the module's own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DefinedGlobal {
    pub(crate) mutable: bool,
    /// Initial value where it is an `i32.const`.
    pub(crate) initial: Option<i32>,
}

/// An active element segment of the function table.
#[derive(Clone, Debug)]
pub(crate) struct ElementSegment {
    pub(crate) functions: Vec<u32>,
}

/// A data segment with its name from the linking section.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) name: String,
    /// Address the static linker gave it. Only debug information still speaks of it.
    pub(crate) address: u32,
    pub(crate) alignment: u32,
    /// Range of its bytes in the file.
    pub(crate) data: Range<usize>,
    pub(crate) mutable: bool,
}

/// What a symbol stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SymbolTarget {
    Function(u32),
    Data {
        segment: u32,
        offset: u32,
        size: u32,
    },
    /// A number that the static linker made up, such as `__heap_base`.
    Absolute(u32),
    /// A weak data symbol that nothing defines: address 0.
    UndefinedData,
    Global(u32),
    Other,
}

/// An entry of the symbol table.
#[derive(Clone, Debug)]
pub(crate) struct Symbol {
    pub(crate) name: String,
    pub(crate) target: SymbolTarget,
}

/// The relocation kinds of a final wasm32 link, see the tool conventions' `Linking.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RelocationKind {
    /// Padded unsigned LEB of a memory address, in code.
    MemoryAddressLeb,
    /// Padded signed LEB of a memory address, in code.
    MemoryAddressSleb,
    /// Little-endian memory address, in data.
    MemoryAddressI32,
    /// Padded signed LEB of a table index, in code.
    TableIndexSleb,
    /// Little-endian table index, in data.
    TableIndexI32,
    FunctionIndexLeb,
    TypeIndexLeb,
    GlobalIndexLeb,
    TableNumberLeb,
}

impl RelocationKind {
    /// How many bytes of the file the relocated field takes.
    pub(crate) fn width(self) -> usize {
        match self {
            Self::MemoryAddressI32 | Self::TableIndexI32 => 4,
            _ => 5,
        }
    }

    pub(crate) fn is_memory_address(self) -> bool {
        matches!(self, Self::MemoryAddressLeb | Self::MemoryAddressSleb | Self::MemoryAddressI32)
    }

    pub(crate) fn is_table_index(self) -> bool {
        matches!(self, Self::TableIndexSleb | Self::TableIndexI32)
    }
}

/// One relocated field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Relocation {
    pub(crate) kind: RelocationKind,
    /// Offset of the field in the file.
    pub(crate) at: usize,
    /// Symbol index; for `TypeIndexLeb` a type index.
    pub(crate) symbol: u32,
    pub(crate) addend: i64,
}
