//! Reads one mod binary: sections, symbols, relocations, data pieces, names, debug facts, normalised bodies.
//!
//! This floor knows one file only. What changed against another version is the business of `compare`.

pub(crate) mod bodies;
pub(crate) mod debug;
mod error;
pub(crate) mod module;
pub(crate) mod name;
pub(crate) mod name_table;
mod pieces;
mod read;
mod relocations;
pub(crate) mod sections;
mod symbols;
mod weight;

pub(crate) use bodies::{Body, Fingerprint, Fingerprinter};
pub use error::{Problem, Problems, ReadError};
pub use module::{FunctionExport, FunctionImport, FunctionType, ValueType};
pub(crate) use pieces::DataPiece;
pub use read::read;

use debug::DebugFacts;
use module::{DefinedFunction, DefinedGlobal, ElementSegment, Relocation, Section, Segment, Symbol, SymbolTarget};
use std::collections::BTreeMap;

/// One mod binary, read and found linkable by itself.
#[derive(Debug)]
pub struct ModImage {
    pub(crate) bytes: Vec<u8>,
    pub(crate) sections: Vec<Section>,
    pub(crate) types: Vec<FunctionType>,
    pub(crate) imports: Vec<FunctionImport>,
    pub(crate) import_types: Vec<u32>,
    pub(crate) functions: Vec<DefinedFunction>,
    pub(crate) globals: Vec<DefinedGlobal>,
    pub(crate) exports: Vec<FunctionExport>,
    pub(crate) elements: Vec<ElementSegment>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) symbols: Vec<Symbol>,
    pub(crate) code_relocations: Vec<Relocation>,
    pub(crate) data_relocations: Vec<Relocation>,
    pub(crate) pieces: Vec<DataPiece>,
    /// For every symbol, the piece it lies in and its offset there.
    pub(crate) symbol_pieces: Vec<Option<(u32, u32)>>,
    pub(crate) custom: BTreeMap<String, Vec<u8>>,
    pub(crate) stack_size: u32,
    pub(crate) uses_stack_pointer: bool,
    /// Producers and target features, as text lines that can be compared.
    pub(crate) toolchain: Vec<String>,
    pub(crate) debug: DebugFacts,
    /// One per defined function, in order.
    pub(crate) bodies: Vec<Body>,
    /// For every symbol, its name without crate hashes, numbered items as they are numbered in this file.
    pub(crate) provisional: Vec<Option<std::sync::Arc<str>>>,
    pub(crate) names: name_table::NameTable,
}

impl ModImage {
    /// Functions that the module exports, in the order of its export section.
    pub fn exports(&self) -> &[FunctionExport] {
        &self.exports
    }

    /// Functions that the module imports, in order.
    pub fn imports(&self) -> &[FunctionImport] {
        &self.imports
    }

    /// The bytes of a custom section, those of several sections of one name joined in order.
    pub fn custom_section(&self, name: &str) -> Option<&[u8]> {
        self.custom.get(name).map(Vec::as_slice)
    }

    /// Bytes of stack the mod was linked with.
    pub fn stack_size(&self) -> u32 {
        self.stack_size
    }

    /// Bytes of the code section.
    pub fn code_bytes(&self) -> usize {
        self.functions.iter().map(|function| function.body.len()).sum()
    }

    /// Size of the file in bytes, debug information included.
    pub fn file_bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn import_count(&self) -> u32 {
        self.imports.len() as u32
    }

    pub(crate) fn function_type(&self, index: u32) -> Option<&FunctionType> {
        self.types.get(self.type_index(index)? as usize)
    }

    fn type_index(&self, function: u32) -> Option<u32> {
        match function.checked_sub(self.import_count()) {
            None => self.import_types.get(function as usize).copied(),
            Some(defined) => self.functions.get(defined as usize).map(|function| function.type_index),
        }
    }

    /// The body of a defined function, `None` for an import.
    pub(crate) fn body(&self, function: u32) -> Option<&Body> {
        self.bodies.get(function.checked_sub(self.import_count())? as usize)
    }

    pub(crate) fn piece_bytes(&self, piece: &DataPiece) -> &[u8] {
        let segment = &self.segments[piece.segment as usize];
        let start = segment.data.start + piece.offset as usize;
        &self.bytes[start..start + piece.size as usize]
    }

    pub(crate) fn function_symbols(&self) -> impl Iterator<Item = (usize, &Symbol, u32)> {
        self.symbols.iter().enumerate().filter_map(|(index, symbol)| match symbol.target {
            SymbolTarget::Function(function) => Some((index, symbol, function)),
            _ => None,
        })
    }
}
