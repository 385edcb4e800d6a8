//! Walks the sections of a file once and gathers what linking needs. Every lack is collected before the file is refused.

use super::error::{Problem, Problems, ReadError};
use super::module::{
    DefinedFunction, DefinedGlobal, ElementSegment, FunctionExport, FunctionImport, FunctionType, Section, Segment,
    ValueType,
};
use super::{ModImage, bodies, debug, name_table, pieces, relocations, symbols};
use crate::limits;
use std::collections::BTreeMap;
use std::ops::Range;
use wasmparser::{
    BinaryReader, CompositeInnerType, DataKind, ElementItems, ElementKind, KnownCustom, Operator, Parser, Payload,
    TypeRef, ValType,
};

/// Reads a mod binary as `cargo tickswap build` makes it.
///
/// # Errors
///
/// [`ReadError`]: with a byte offset where the bytes are damaged, and with every [`Problem`] at once where the file is
/// sound WebAssembly that cannot be linked live.
pub fn read(bytes: &[u8]) -> Result<ModImage, ReadError> {
    check_header(bytes)?;
    let mut raw = RawModule::default();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(malformed)?;
        if let Some((id, contents)) = payload.as_section() {
            raw.sections.push(Section { id, contents });
        }
        raw.take(payload)?;
    }
    raw.finish(bytes)
}

fn check_header(bytes: &[u8]) -> Result<(), ReadError> {
    if bytes.len() > limits::CANDIDATE_BYTES_MAX {
        return Err(ReadError::BeyondLimit {
            what: "size of the file in bytes",
            found: bytes.len() as u64,
            limit_name: "CANDIDATE_BYTES_MAX",
            limit: limits::CANDIDATE_BYTES_MAX as u64,
        });
    }
    if bytes.get(..4) != Some(b"\0asm") {
        let found = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        return Err(ReadError::NotWasm { found: if found.is_empty() { "an empty file".into() } else { found } });
    }
    // Version 0d 00 with layer 01 00 marks a component (component model, binary format).
    if bytes.get(6..8) == Some(&[1, 0]) {
        return Err(ReadError::Component);
    }
    Ok(())
}

pub(super) fn malformed(error: wasmparser::BinaryReaderError) -> ReadError {
    ReadError::Malformed { offset: error.offset(), message: error.message().to_owned() }
}

/// The module as far as the section walk has come.
#[derive(Default)]
pub(super) struct RawModule<'a> {
    sections: Vec<Section>,
    types: Vec<FunctionType>,
    imports: Vec<FunctionImport>,
    import_types: Vec<u32>,
    functions: Vec<DefinedFunction>,
    bodies_seen: usize,
    globals: Vec<DefinedGlobal>,
    exports: Vec<(String, u32)>,
    elements: Vec<ElementSegment>,
    data: Vec<(u32, Range<usize>)>,
    custom: BTreeMap<String, Vec<u8>>,
    debug_sections: BTreeMap<String, &'a [u8]>,
    pub(super) linking: symbols::LinkingFacts,
    relocations: BTreeMap<u32, Vec<wasmparser::RelocationEntry>>,
    relocation_count: usize,
    global_names: BTreeMap<u32, String>,
    toolchain: Vec<String>,
    imports_memory: bool,
    imports_table: bool,
    problems: Vec<Problem>,
}

impl<'a> RawModule<'a> {
    fn take(&mut self, payload: Payload<'a>) -> Result<(), ReadError> {
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
                if is_moved {
                    self.relocation_count += entries.count() as usize;
                    within(
                        "relocations",
                        self.relocation_count as u64,
                        "RELOCATIONS_MAX",
                        limits::RELOCATIONS_MAX as u64,
                    )?;
                    let entries = entries.into_iter().collect::<Result<Vec<_>, _>>().map_err(malformed)?;
                    self.relocations.insert(relocations.section_index(), entries);
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

    fn finish(mut self, bytes: &[u8]) -> Result<ModImage, ReadError> {
        self.check_presence();
        let stack = self.stack();
        let segments = self.segments();
        if !self.problems.is_empty() {
            return Err(ReadError::NotLinkable(Problems(self.problems)));
        }
        let symbols = self.linking.symbols(&self.imports, &segments, &mut self.problems);
        let mut resolve = relocations::Resolver::new(&self.sections, &symbols, self.types.len());
        let code_relocations = resolve.code(&self.relocations, &self.functions, &mut self.problems);
        let data_relocations = resolve.data(&self.relocations, &segments, &mut self.problems);
        let layout = pieces::cut(bytes, &segments, &symbols, &data_relocations, &mut self.problems);
        symbols::find_constructors(&self.functions, self.imports.len() as u32, &symbols, bytes, &mut self.problems);
        if !self.problems.is_empty() {
            return Err(ReadError::NotLinkable(Problems(self.problems)));
        }
        let exports = self
            .exports
            .iter()
            .map(|(name, function)| FunctionExport {
                name: name.clone(),
                function: *function,
                signature: self.signature(*function),
            })
            .collect();
        self.toolchain.sort();
        let debug = debug::read(|name| self.debug_sections.get(name).copied())
            .map_err(|error| ReadError::Debug(error.to_string()))?;
        // Mods may hold code of several compilers; each of them counts.
        let compilers = debug.producers.iter().map(|producer| format!("compiler {producer}"));
        self.toolchain.extend(compilers);
        let names = name_table::NameTable::new(&symbols, &debug);
        let provisional = names.provisional(&symbols);
        let mut image = ModImage {
            bytes: bytes.to_vec(),
            sections: self.sections,
            types: self.types,
            imports: self.imports,
            import_types: self.import_types,
            functions: self.functions,
            globals: self.globals,
            exports,
            elements: self.elements,
            segments,
            symbols,
            code_relocations,
            data_relocations,
            pieces: layout.pieces,
            symbol_pieces: layout.symbol_pieces,
            custom: self.custom,
            stack_size: stack.unwrap_or(0),
            uses_stack_pointer: stack.is_some(),
            toolchain: self.toolchain,
            debug,
            bodies: Vec::new(),
            provisional,
            names,
        };
        image.bodies = bodies::normalise(&image);
        Ok(image)
    }

    fn signature(&self, function: u32) -> FunctionType {
        let imports = self.imports.len() as u32;
        let type_index = if function < imports {
            self.import_types.get(function as usize).copied()
        } else {
            self.functions.get((function - imports) as usize).map(|f| f.type_index)
        };
        type_index.and_then(|index| self.types.get(index as usize).cloned()).unwrap_or_default()
    }

    fn check_presence(&mut self) {
        if !self.linking.present {
            self.problems.push(Problem::MissingSection {
                section: "linking",
                why: "it names every function and static",
                flag: "-C link-arg=--emit-relocs",
            });
        }
        let has = |id: u8| self.sections.iter().position(|s| s.id == id).map(|index| index as u32);
        if let Some(code) = has(CODE_SECTION) {
            // A module whose code refers to nothing at all has no relocations and needs none.
            let refers = !self.data.is_empty() || !self.elements.is_empty() || self.functions.len() > 1;
            if refers && !self.relocations.contains_key(&code) {
                self.problems.push(Problem::MissingSection {
                    section: "reloc.CODE",
                    why: "it tells where code speaks of addresses",
                    flag: "-C link-arg=--emit-relocs",
                });
            }
        }
        if !self.debug_sections.contains_key(".debug_info") {
            self.problems.push(Problem::MissingSection {
                section: ".debug_info",
                why: "it proves what type every piece of live state has",
                flag: "-C debuginfo=2",
            });
        }
        if !self.imports_memory
            && !self.problems.iter().any(|p| matches!(p, Problem::OwnResource { what: "memory", .. }))
        {
            self.problems.push(Problem::Unsupported { what: "the module imports no memory".into() });
        }
        if self.bodies_seen != self.functions.len() {
            self.problems.push(Problem::Unsupported {
                what: format!("{} functions are declared but {} have bodies", self.functions.len(), self.bodies_seen),
            });
        }
    }

    /// The initial stack pointer, which with the stack placed first is the stack's size. `None` where there is no stack.
    fn stack(&mut self) -> Option<u32> {
        let named = self.global_names.iter().find(|(_, name)| *name == "__stack_pointer").map(|(index, _)| *index);
        let mutable = self.globals.iter().filter(|global| global.mutable).count();
        match (named, mutable) {
            (None, 0) => None,
            (Some(0), 1) => match self.globals.first().and_then(|global| global.initial) {
                Some(size) if size > 0 && size as u32 <= limits::IMAGE_AREA_BYTES / 2 => Some(size as u32),
                other => {
                    self.problems.push(Problem::Unsupported {
                        what: format!(
                            "expected the stack pointer to start between 1 and {}, found {other:?}",
                            limits::IMAGE_AREA_BYTES / 2
                        ),
                    });
                    None
                }
            },
            _ => {
                self.problems.push(Problem::Unsupported {
                    what: format!(
                        "expected `__stack_pointer` to be global 0 and the only mutable global, found {mutable} mutable globals"
                    ),
                });
                None
            }
        }
    }

    fn segments(&mut self) -> Vec<Segment> {
        let names = &self.linking.segments;
        if self.linking.present && names.len() != self.data.len() {
            self.problems.push(Problem::Unsupported {
                what: format!("{} data segments but {} segment names", self.data.len(), names.len()),
            });
            return Vec::new();
        }
        let mut segments = Vec::with_capacity(names.len());
        for ((name, alignment_log2), (address, data)) in names.iter().zip(&self.data) {
            if *alignment_log2 > limits::SEGMENT_ALIGNMENT_LOG2_MAX {
                self.problems.push(Problem::Unsupported {
                    what: format!("data segment `{name}` wants an alignment of 2^{alignment_log2} bytes"),
                });
                continue;
            }
            if name.starts_with(".init_array") || name.starts_with(".ctors") {
                self.problems.push(Problem::RunsAtStart { what: format!("constructors in data segment `{name}`") });
            }
            if name == ".rodata" || name == ".data" || name == ".bss" {
                self.problems.push(Problem::Unsupported {
                    what: format!(
                        "the data segment `{name}` was merged from several, expected one per symbol (-C link-arg=--no-merge-data-segments)"
                    ),
                });
            }
            segments.push(Segment {
                name: name.clone(),
                address: *address,
                alignment: 1 << alignment_log2,
                data: data.clone(),
                // Whatever is not read-only by name may be state.
                mutable: !name.starts_with(".rodata"),
            });
        }
        segments
    }
}

pub(super) const CODE_SECTION: u8 = 10;
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
