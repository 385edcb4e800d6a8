//! Relocation entries of the code and data sections, checked: known kinds, fields inside a body or segment, symbols that exist.

use super::error::{Found, Problem};
use super::module::{DefinedFunction, Relocation, RelocationKind, Section, Segment, Symbol, SymbolTarget};
use super::sections::{CODE_SECTION, DATA_SECTION};
use std::collections::BTreeMap;
use wasmparser::{RelocationEntry, RelocationType};

type Entries = BTreeMap<u32, Vec<RelocationEntry>>;

pub(super) struct Resolver<'a> {
    sections: &'a [Section],
    symbols: &'a [Symbol],
    type_count: usize,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(sections: &'a [Section], symbols: &'a [Symbol], type_count: usize) -> Self {
        Self { sections, symbols, type_count }
    }

    /// Relocations of function bodies, ordered by where they stand in the file.
    pub(super) fn code(
        &mut self,
        entries: &Entries,
        functions: &[DefinedFunction],
        problems: &mut Found,
    ) -> Vec<Relocation> {
        let mut found = self.section(entries, CODE_SECTION, "code", problems);
        let mut function = 0;
        found.retain(|(offset, relocation)| {
            while functions.get(function).is_some_and(|f| f.body.end <= relocation.at) {
                function += 1;
            }
            let inside = functions.get(function).is_some_and(|f| {
                f.body.start <= relocation.at && relocation.at + relocation.kind.width() <= f.body.end
            });
            if !inside {
                problems.push(Problem::BadRelocation {
                    section: "code",
                    offset: *offset,
                    what: "lies in no function body",
                });
            }
            inside
        });
        found.into_iter().map(|(_, relocation)| relocation).collect()
    }

    /// Relocations of data segments, ordered by where they stand in the file.
    pub(super) fn data(&mut self, entries: &Entries, segments: &[Segment], problems: &mut Found) -> Vec<Relocation> {
        let mut found = self.section(entries, DATA_SECTION, "data", problems);
        let mut segment = 0;
        found.retain(|(offset, relocation)| {
            while segments.get(segment).is_some_and(|s| s.data.end <= relocation.at) {
                segment += 1;
            }
            let inside = segments.get(segment).is_some_and(|s| {
                s.data.start <= relocation.at && relocation.at + relocation.kind.width() <= s.data.end
            });
            if !inside {
                problems.push(Problem::BadRelocation {
                    section: "data",
                    offset: *offset,
                    what: "lies in no data segment",
                });
            }
            inside
        });
        found.into_iter().map(|(_, relocation)| relocation).collect()
    }

    fn section(
        &self,
        entries: &Entries,
        id: u8,
        section: &'static str,
        problems: &mut Found,
    ) -> Vec<(u32, Relocation)> {
        let Some(index) = self.sections.iter().position(|s| s.id == id) else { return Vec::new() };
        let start = self.sections[index].contents.start;
        let mut found = Vec::new();
        for entry in entries.get(&(index as u32)).into_iter().flatten() {
            match self.relocation(entry, start, section) {
                Ok(relocation) => found.push((entry.offset, relocation)),
                Err(problem) => problems.push(problem),
            }
        }
        found.sort_by_key(|(_, relocation)| relocation.at);
        // Two fields that share bytes would be patched twice.
        for pair in found.windows(2) {
            if pair[0].1.at + pair[0].1.kind.width() > pair[1].1.at {
                problems.push(Problem::BadRelocation {
                    section,
                    offset: pair[1].0,
                    what: "overlaps the one before it",
                });
            }
        }
        found
    }

    fn relocation(&self, entry: &RelocationEntry, start: usize, section: &'static str) -> Result<Relocation, Problem> {
        use RelocationType as T;
        let kind = match (entry.ty, section) {
            (T::MemoryAddrLeb, "code") => RelocationKind::MemoryAddressLeb,
            (T::MemoryAddrSleb, "code") => RelocationKind::MemoryAddressSleb,
            (T::MemoryAddrI32, "data") => RelocationKind::MemoryAddressI32,
            (T::TableIndexSleb, "code") => RelocationKind::TableIndexSleb,
            (T::TableIndexI32, "data") => RelocationKind::TableIndexI32,
            (T::FunctionIndexLeb, "code") => RelocationKind::FunctionIndexLeb,
            (T::TypeIndexLeb, "code") => RelocationKind::TypeIndexLeb,
            (T::GlobalIndexLeb, "code") => RelocationKind::GlobalIndexLeb,
            (T::TableNumberLeb, "code") => RelocationKind::TableNumberLeb,
            (other, _) => {
                return Err(Problem::RelocationKind { kind: format!("{other:?}"), section, offset: entry.offset });
            }
        };
        let bad = |what| Problem::BadRelocation { section, offset: entry.offset, what };
        if kind == RelocationKind::TypeIndexLeb {
            if entry.index as usize >= self.type_count {
                return Err(bad("names a type that does not exist"));
            }
        } else {
            let symbol = self.symbols.get(entry.index as usize).ok_or(bad("names a symbol that does not exist"))?;
            let fits = match symbol.target {
                SymbolTarget::Data { .. } | SymbolTarget::Absolute(_) | SymbolTarget::UndefinedData => {
                    kind.is_memory_address()
                }
                SymbolTarget::Function(_) => kind.is_table_index() || kind == RelocationKind::FunctionIndexLeb,
                // Only the stack pointer, global 0, is shared by all generations.
                SymbolTarget::Global(0) => kind == RelocationKind::GlobalIndexLeb,
                SymbolTarget::Global(_) => return Err(bad("names a global other than the stack pointer")),
                SymbolTarget::Other => kind == RelocationKind::TableNumberLeb,
            };
            if !fits {
                return Err(bad("names a symbol of another kind"));
            }
        }
        Ok(Relocation { kind, at: start + entry.offset as usize, symbol: entry.index, addend: entry.addend })
    }
}
