//! Walks the sections of a file once and gathers what they say. Whether that can be linked is `read.rs`'s to find out.

use super::error::{Found, Problem, ReadError};
use super::module::{DefinedFunction, DefinedGlobal, ElementSegment, FunctionImport, FunctionType, Section, ValueType};
use super::symbols;
use crate::limits;
use std::collections::BTreeMap;
use std::ops::Range;
use wasmparser::{
    BinaryReader, CompositeInnerType, DataKind, ElementItems, ElementKind, KnownCustom, Operator, Payload, TypeRef,
    ValType,
};

/// The module as far as the section walk has come.
#[derive(Default)]
pub(super) struct RawModule<'a> {
    pub(super) sections: Vec<Section>,
    pub(super) types: Vec<FunctionType>,
    pub(super) imports: Vec<FunctionImport>,
    pub(super) import_types: Vec<u32>,
    pub(super) functions: Vec<DefinedFunction>,
    pub(super) bodies_seen: usize,
    pub(super) globals: Vec<DefinedGlobal>,
    pub(super) exports: Vec<(String, u32)>,
    pub(super) elements: Vec<ElementSegment>,
    pub(super) data: Vec<(u32, Range<usize>)>,
    pub(super) custom: BTreeMap<String, Vec<u8>>,
    pub(super) debug_sections: BTreeMap<String, &'a [u8]>,
    pub(super) linking: symbols::LinkingFacts,
    pub(super) relocations: BTreeMap<u32, Vec<wasmparser::RelocationEntry>>,
    pub(super) relocation_count: usize,
    pub(super) global_names: BTreeMap<u32, String>,
    pub(super) toolchain: Vec<String>,
    pub(super) imports_memory: bool,
    pub(super) imports_table: bool,
    pub(super) problems: Found,
}

impl<'a> RawModule<'a> {
    /// Takes one section.
    pub(super) fn take(&mut self, payload: Payload<'a>) -> Result<(), ReadError> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    for ty in group.map_err(malformed)?.into_types() {
                        self.types.push(match ty.composite_type.inner {
                            CompositeInnerType::Func(function) => FunctionType {
                                parameters: function.params().iter().copied().map(value_type).collect(),
                                results: function.results().iter().copied().map(value_type).collect(),
                            },
                            _ => FunctionType::default(),
                        });
                    }
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    self.take_import(import.map_err(malformed)?)?;
                }
            }
            Payload::FunctionSection(section) => {
                within("functions", u64::from(section.count()), "FUNCTIONS_MAX", u64::from(limits::FUNCTIONS_MAX))?;
                for type_index in section {
                    self.functions.push(DefinedFunction { type_index: type_index.map_err(malformed)?, body: 0..0 });
                }
            }
            Payload::TableSection(section) if section.count() > 0 => {
                self.problems.push(Problem::OwnResource { what: "function table", flag: "-C link-arg=--import-table" });
            }
            Payload::MemorySection(section) if section.count() > 0 => {
                self.problems.push(Problem::OwnResource { what: "memory", flag: "-C link-arg=--import-memory" });
            }
            Payload::TagSection(section) if section.count() > 0 => {
                self.unsupported("the module defines exception tags; mods are built with panic=abort");
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global.map_err(malformed)?;
                    let initial = constant(&global.init_expr)?;
                    self.globals.push(DefinedGlobal { mutable: global.ty.mutable, initial });
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export.map_err(malformed)?;
                    if export.kind == wasmparser::ExternalKind::Func {
                        let count = self.exports.len() as u64 + 1;
                        within("exported functions", count, "EXPORTS_MAX", u64::from(limits::EXPORTS_MAX))?;
                        self.exports.push((export.name.to_owned(), export.index));
                    }
                }
            }
            Payload::StartSection { func, .. } => {
                self.problems.push(Problem::RunsAtStart { what: format!("a start section naming function {func}") });
            }
            Payload::ElementSection(section) => {
                for element in section {
                    self.take_element(element.map_err(malformed)?)?;
                }
            }
            Payload::CodeSectionEntry(body) => {
                if let Some(function) = self.functions.get_mut(self.bodies_seen) {
                    function.body = body.range();
                }
                self.bodies_seen += 1;
            }
            Payload::DataSection(section) => {
                for data in section {
                    let data = data.map_err(malformed)?;
                    let range = data.range.end - data.data.len()..data.range.end;
                    match data.kind {
                        DataKind::Active { memory_index: 0, offset_expr } => {
                            match constant(&offset_expr)? {
                                Some(address) => self.data.push((address as u32, range)),
                                None => self.unsupported("a data segment has no constant address"),
                            };
                        }
                        _ => self.unsupported("a data segment is passive or for another memory"),
                    }
                }
            }
            Payload::CustomSection(section) => self.take_custom(&section)?,
            _ => {}
        }
        Ok(())
    }

    fn unsupported(&mut self, what: &str) {
        self.problems.push(Problem::Unsupported { what: what.to_owned() });
    }

    fn take_import(&mut self, import: wasmparser::Import<'_>) -> Result<(), ReadError> {
        match import.ty {
            TypeRef::Func(type_index) => {
                let count = self.imports.len() as u64 + 1;
                within("imported functions", count, "IMPORTS_MAX", u64::from(limits::IMPORTS_MAX))?;
                let signature = self.types.get(type_index as usize).cloned().unwrap_or_default();
                self.imports.push(FunctionImport {
                    module: import.module.to_owned(),
                    name: import.name.to_owned(),
                    signature,
                });
                self.import_types.push(type_index);
            }
            TypeRef::Memory(memory) => {
                self.imports_memory = true;
                if memory.memory64 || memory.shared {
                    self.unsupported(
                        "the imported memory is 64-bit or shared; mods are built for wasm32-unknown-unknown",
                    );
                }
            }
            TypeRef::Table(_) => self.imports_table = true,
            _ => self.problems.push(Problem::Unsupported {
                what: format!("the import {}.{} is neither function, memory nor table", import.module, import.name),
            }),
        }
        Ok(())
    }

    fn take_element(&mut self, element: wasmparser::Element<'_>) -> Result<(), ReadError> {
        let ElementKind::Active { table_index: None | Some(0), offset_expr } = element.kind else {
            // Declared segments only announce `ref.func`; anything else would fill a table of the module's own.
            if !matches!(element.kind, ElementKind::Declared) {
                self.unsupported("an element segment is passive or for another table");
            }
            return Ok(());
        };
        // Where the static linker put them is of no interest: slots are names.
        let (Some(_), ElementItems::Functions(items)) = (constant(&offset_expr)?, element.items) else {
            self.unsupported("an element segment has no constant index or holds expressions");
            return Ok(());
        };
        let functions = items.into_iter().collect::<Result<Vec<_>, _>>().map_err(malformed)?;
        self.elements.push(ElementSegment { functions });
        Ok(())
    }

    fn take_custom(&mut self, section: &wasmparser::CustomSectionReader<'a>) -> Result<(), ReadError> {
        if section.name().starts_with(".debug_") {
            self.debug_sections.insert(section.name().to_owned(), section.data());
            return Ok(());
        }
        match section.as_known() {
            KnownCustom::Linking(linking) => self.linking.take(&linking)?,
            KnownCustom::Reloc(relocations) => {
                let entries = relocations.entries();
                // Debug sections are relocated already in a final link; only code and data move.
                let is_moved = self
                    .sections
                    .get(relocations.section_index() as usize)
                    .is_some_and(|section| section.id == CODE_SECTION || section.id == DATA_SECTION);
                if !is_moved && matches!(section.name(), "reloc.CODE" | "reloc.DATA") {
                    self.unsupported(
                        "relocations of code or data stand before what they relocate, or name another section",
                    );
                }
                if is_moved {
                    self.relocation_count += entries.count() as usize;
                    within(
                        "relocations",
                        self.relocation_count as u64,
                        "RELOCATIONS_MAX",
                        limits::RELOCATIONS_MAX as u64,
                    )?;
                    let entries = entries.into_iter().collect::<Result<Vec<_>, _>>().map_err(malformed)?;
                    if self.relocations.insert(relocations.section_index(), entries).is_some() {
                        self.unsupported("one section has two relocation sections, of which one would be ignored");
                    }
                }
            }
            KnownCustom::Name(names) => {
                for subsection in names {
                    if let Ok(wasmparser::Name::Global(map)) = subsection {
                        for naming in map.into_iter().flatten() {
                            self.global_names.insert(naming.index, naming.name.to_owned());
                        }
                    }
                }
            }
            KnownCustom::Producers(fields) => {
                for field in fields {
                    let field = field.map_err(malformed)?;
                    for value in field.values {
                        let value = value.map_err(malformed)?;
                        self.toolchain.push(format!("{} {} {}", field.name, value.name, value.version));
                    }
                }
            }
            _ if section.name() == "target_features" => self.take_features(section.data(), section.data_offset())?,
            _ => {
                self.custom.entry(section.name().to_owned()).or_default().extend_from_slice(section.data());
            }
        }
        Ok(())
    }

    /// Tool conventions, `Linking.md`: a vector of (prefix byte, name).
    fn take_features(&mut self, data: &[u8], offset: usize) -> Result<(), ReadError> {
        let mut reader = BinaryReader::new(data, offset);
        let count = reader.read_var_u32().map_err(malformed)?;
        for _ in 0..count {
            let prefix = char::from(reader.read_u8().map_err(malformed)?);
            let feature = reader.read_string().map_err(malformed)?;
            self.toolchain.push(format!("target-feature {prefix}{feature}"));
        }
        Ok(())
    }
}

/// Letters of a parser's message that are told.
const MESSAGE_LETTERS: usize = 300;

pub(crate) const CODE_SECTION: u8 = 10;
pub(super) const DATA_SECTION: u8 = 11;

pub(super) fn within(what: &'static str, found: u64, limit_name: &'static str, limit: u64) -> Result<(), ReadError> {
    if found > limit { Err(ReadError::BeyondLimit { what, found, limit_name, limit }) } else { Ok(()) }
}

/// The value of an expression that is one `i32.const`.
fn constant(expression: &wasmparser::ConstExpr<'_>) -> Result<Option<i32>, ReadError> {
    let mut operators = expression.get_operators_reader();
    Ok(match operators.read().map_err(malformed)? {
        Operator::I32Const { value } if matches!(operators.read().map_err(malformed)?, Operator::End) => Some(value),
        _ => None,
    })
}

fn value_type(ty: ValType) -> ValueType {
    match ty {
        ValType::I32 => ValueType::I32,
        ValType::I64 => ValueType::I64,
        ValType::F32 => ValueType::F32,
        ValType::F64 => ValueType::F64,
        ValType::V128 => ValueType::V128,
        ValType::Ref(_) => ValueType::Reference,
    }
}

pub(super) fn malformed(error: wasmparser::BinaryReaderError) -> ReadError {
    // A message may repeat a name of the file, however long.
    let message = error.message();
    let message = match message.char_indices().nth(MESSAGE_LETTERS) {
        Some((end, _)) => format!("{}...", &message[..end]),
        None => message.to_owned(),
    };
    ReadError::Malformed { offset: error.offset(), message }
}
