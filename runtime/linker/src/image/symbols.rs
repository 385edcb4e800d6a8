//! The linking section: symbol table and segment names, and the constructors that a static linker hides among them.

use super::error::{Found, Problem, ReadError};
use super::module::{DefinedFunction, FunctionImport, Segment, Symbol, SymbolTarget};
use super::sections::{malformed, within};
use crate::limits;
use wasmparser::{Linking, LinkingSectionReader, SymbolFlags, SymbolInfo};

/// What the linking section says, before it is checked against the sections it speaks of.
#[derive(Default)]
pub(super) struct LinkingFacts {
    pub(super) present: bool,
    /// Name and alignment (as a power of two) of each data segment.
    pub(super) segments: Vec<(String, u32)>,
    raw: Vec<RawSymbol>,
    init_functions: u32,
}

struct RawSymbol {
    name: Option<String>,
    kind: RawKind,
}

enum RawKind {
    Function(u32),
    Data { segment: u32, offset: u32, size: u32, absolute: bool },
    UndefinedData,
    Global(u32),
    Other,
}

impl LinkingFacts {
    pub(super) fn take(&mut self, reader: &LinkingSectionReader<'_>) -> Result<(), ReadError> {
        self.present = true;
        for subsection in reader.subsections() {
            match subsection.map_err(malformed)? {
                Linking::SegmentInfo(map) => {
                    for segment in map {
                        let segment = segment.map_err(malformed)?;
                        self.segments.push((segment.name.to_owned(), segment.alignment));
                    }
                }
                Linking::InitFuncs(map) => self.init_functions = self.init_functions.saturating_add(map.count()),
                Linking::SymbolTable(map) => {
                    within("symbols", u64::from(map.count()), "SYMBOLS_MAX", u64::from(limits::SYMBOLS_MAX))?;
                    for symbol in map {
                        self.raw.push(raw_symbol(symbol.map_err(malformed)?));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The symbol table with every index checked; what is out of bounds becomes a problem.
    pub(super) fn symbols(
        &mut self,
        imports: &[FunctionImport],
        segments: &[Segment],
        file_bytes: usize,
        problems: &mut Found,
    ) -> Result<Vec<Symbol>, ReadError> {
        if self.init_functions > 0 {
            problems.push(Problem::RunsAtStart { what: format!("{} init functions", self.init_functions) });
        }
        // Each undefined function takes the name of its import; many symbols may name one.
        let imported = |raw: &RawSymbol| match (&raw.name, &raw.kind) {
            (None, RawKind::Function(index)) => imports.get(*index as usize),
            _ => None,
        };
        let implied =
            self.raw.iter().filter_map(imported).map(|import| (import.module.len() + import.name.len()) as u64);
        within("bytes of names of imported functions", implied.sum::<u64>(), "CANDIDATE_BYTES_MAX", file_bytes as u64)?;
        // Symbols of merged strings overlap a little. Each is read by itself, so all together must stay bounded.
        let data: u64 = segments.iter().map(|segment| segment.data.len() as u64).sum();
        let limit = data.saturating_mul(limits::SYMBOL_BYTES_FACTOR);
        let mut data_bytes = 0;
        let mut symbols = Vec::with_capacity(self.raw.len());
        for raw in self.raw.drain(..) {
            let target = match raw.kind {
                RawKind::Function(index) => SymbolTarget::Function(index),
                RawKind::Data { offset, absolute: true, .. } => SymbolTarget::Absolute(offset),
                RawKind::Data { segment, offset, size, absolute: false } => {
                    let fits = segments
                        .get(segment as usize)
                        .is_some_and(|s| u64::from(offset) + u64::from(size) <= s.data.len() as u64);
                    if !fits {
                        problems.push_with(|| Problem::Unsupported {
                            what: format!(
                                "the symbol `{}` lies outside data segment {segment}",
                                raw.name.as_deref().unwrap_or("")
                            ),
                        });
                        continue;
                    }
                    data_bytes += u64::from(size);
                    within("bytes of all data symbols", data_bytes, "SYMBOL_BYTES_FACTOR", limit)?;
                    SymbolTarget::Data { segment, offset, size }
                }
                RawKind::UndefinedData => SymbolTarget::UndefinedData,
                RawKind::Global(index) => SymbolTarget::Global(index),
                RawKind::Other => SymbolTarget::Other,
            };
            let name = match (raw.name, target) {
                (Some(name), _) => name,
                // The tool conventions give an undefined function the name of its import.
                (None, SymbolTarget::Function(index)) => imports
                    .get(index as usize)
                    .map(|import| format!("{}.{}", import.module, import.name))
                    .unwrap_or_default(),
                (None, _) => String::new(),
            };
            symbols.push(Symbol { name, target });
        }
        Ok(symbols)
    }
}

fn raw_symbol(symbol: SymbolInfo<'_>) -> RawSymbol {
    let (name, kind) = match symbol {
        SymbolInfo::Func { index, name, .. } => (name, RawKind::Function(index)),
        SymbolInfo::Data { flags, name, symbol: Some(data) } => (
            Some(name),
            RawKind::Data {
                segment: data.index,
                offset: data.offset,
                size: data.size,
                absolute: flags.contains(SymbolFlags::ABSOLUTE),
            },
        ),
        SymbolInfo::Data { name, symbol: None, .. } => (Some(name), RawKind::UndefinedData),
        SymbolInfo::Global { index, name, .. } => (name, RawKind::Global(index)),
        _ => (None, RawKind::Other),
    };
    RawSymbol { name: name.map(str::to_owned), kind }
}

/// Finds code that a static linker would run before anything else: `__wasm_call_ctors` with a body, and the wrappers
/// `*.command_export` that run it on every call.
pub(super) fn find_constructors(
    functions: &[DefinedFunction],
    imports: u32,
    symbols: &[Symbol],
    bytes: &[u8],
    problems: &mut Found,
) {
    /// No locals, then `end`.
    const EMPTY_BODY: [u8; 2] = [0, 0x0b];
    for symbol in symbols {
        let SymbolTarget::Function(index) = symbol.target else { continue };
        if symbol.name.ends_with(".command_export") {
            problems.push_with(|| Problem::RunsAtStart { what: format!("the constructor wrapper `{}`", symbol.name) });
        }
        if symbol.name != "__wasm_call_ctors" {
            continue;
        }
        let body = index
            .checked_sub(imports)
            .and_then(|index| functions.get(index as usize))
            .and_then(|function| bytes.get(function.body.clone()));
        if body.is_some_and(|body| body != EMPTY_BODY) {
            problems.push(Problem::RunsAtStart { what: "constructors (`__wasm_call_ctors` is not empty)".into() });
        }
    }
}
