//! Reads a file: has its sections walked, checks what they say against each other, and puts the image together. Every lack is
//! collected before the file is refused.

use super::error::{Problem, ReadError};
use super::module::{FunctionExport, FunctionType, Section, Segment};
use super::sections::{CODE_SECTION, RawModule, malformed};
use super::weight::Weight;
use super::{ModImage, bodies, debug, name_table, pieces, relocations, symbols};
use crate::limits;
use wasmparser::Parser;

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

impl RawModule<'_> {
    fn finish(mut self, bytes: &[u8]) -> Result<ModImage, ReadError> {
        self.check_presence();
        let stack = self.stack();
        let segments = self.segments();
        self.problems.check()?;
        let symbols = self.linking.symbols(&self.imports, &segments, bytes.len(), &mut self.problems)?;
        let mut resolve = relocations::Resolver::new(&self.sections, &symbols, self.types.len());
        let code_relocations = resolve.code(&self.relocations, &self.functions, &mut self.problems);
        let data_relocations = resolve.data(&self.relocations, &segments, &mut self.problems);
        let layout = pieces::cut(bytes, &segments, &symbols, &data_relocations, &mut self.problems);
        symbols::find_constructors(&self.functions, self.imports.len() as u32, &symbols, bytes, &mut self.problems);
        self.problems.check()?;
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
        let debug = debug::read(|name| self.debug_sections.get(name).copied()).map_err(|error| ReadError::Debug {
            section: error.section,
            offset: error.offset,
            message: error.problem.to_string(),
        })?;
        // Mods may hold code of several compilers; each of them counts.
        let compilers = debug.producers.iter().map(|producer| format!("compiler {producer}"));
        self.toolchain.extend(compilers);
        let mut weight = Weight::new(bytes.len());
        weight.add_debug(&debug)?;
        let names = name_table::NameTable::new(&symbols, &debug, bytes.len())?;
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
        weight.add_slots(&image)?;
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
            if address.checked_add(u32::try_from(data.len()).unwrap_or(u32::MAX)).is_none() {
                self.problems.push(Problem::Unsupported {
                    what: format!("data segment `{name}` ends beyond the 32-bit address space"),
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
        self.check_overlaps(&segments);
        segments
    }

    /// Debug information speaks of addresses, so that each must be that of one byte.
    fn check_overlaps(&mut self, segments: &[Segment]) {
        let mut filled: Vec<&Segment> = segments.iter().filter(|segment| !segment.data.is_empty()).collect();
        filled.sort_by_key(|segment| segment.address);
        for pair in filled.windows(2) {
            if u64::from(pair[0].address) + pair[0].data.len() as u64 > u64::from(pair[1].address) {
                self.problems.push_with(|| Problem::Unsupported {
                    what: format!("the data segments `{}` and `{}` share addresses", pair[0].name, pair[1].name),
                });
            }
        }
    }
}
