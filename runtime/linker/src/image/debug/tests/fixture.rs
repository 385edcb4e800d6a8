//! Compiles `awkward.guest` (no `.rs`: it is no module of this crate) for wasm32-unknown-unknown as mods are compiled, and reads from the module what debug
//! information is held against: symbols with addresses, and which functions have their address taken.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use wasmparser::{DataKind, KnownCustom, Linking, Operator, Parser, Payload, RelocationType, SymbolInfo};

use crate::image::debug::{DebugFacts, read};
use crate::image::name::without_llvm_suffix;

const TARGET: &str = "wasm32-unknown-unknown";

/// A compiled module.
pub(super) struct Fixture {
    pub(super) bytes: Vec<u8>,
    sections: Vec<(String, std::ops::Range<usize>)>,
    /// Address and size of every data symbol, by name without LLVM's suffix.
    pub(super) data: BTreeMap<String, (u32, u32)>,
    /// Functions that some relocation puts into the table.
    pub(super) address_taken: BTreeSet<String>,
}

/// Compiles with `arguments` on top of the flags of mods; each set of arguments once per test run.
pub(super) fn compile(arguments: &[&str]) -> &'static Fixture {
    static DONE: OnceLock<Mutex<HashMap<String, &'static Fixture>>> = OnceLock::new();
    let mut done = DONE.get_or_init(Mutex::default).lock().unwrap();
    let key = arguments.join(" ");
    if let Some(fixture) = done.get(&key) {
        return fixture;
    }
    if done.is_empty() {
        ensure_target();
    }
    let folder = std::env::temp_dir().join(format!("tickswap-debug-{}-{}", std::process::id(), done.len()));
    std::fs::create_dir_all(&folder).unwrap();
    let output = folder.join("awkward.wasm");
    run(Command::new("rustc")
        .args(["--edition", "2024", "--crate-type", "cdylib", "--target", TARGET, "-C", "debuginfo=2"])
        .args(["-C", "panic=abort", "-C", "symbol-mangling-version=v0", "-C", "link-arg=--emit-relocs"])
        .args(["-C", "link-arg=--import-memory", "-C", "link-arg=--import-table"])
        .args(["-C", "link-arg=--no-merge-data-segments", "-C", "llvm-args=-opt-disable=globalopt,mergefunc"])
        .args(arguments)
        .args(["--crate-name", "awkward"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/image/debug/tests/awkward.guest"))
        .arg("-o")
        .arg(&output));
    let bytes = std::fs::read(&output).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let fixture = Box::leak(Box::new(Fixture::new(bytes)));
    done.insert(key, fixture);
    fixture
}

fn ensure_target() {
    let libraries = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output().unwrap();
    if !Path::new(String::from_utf8(libraries.stdout).unwrap().trim()).exists() {
        run(Command::new("rustup").args(["target", "add", TARGET]));
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Fixture {
    fn new(bytes: Vec<u8>) -> Self {
        let mut fixture =
            Self { sections: Vec::new(), data: BTreeMap::new(), address_taken: BTreeSet::new(), bytes: Vec::new() };
        let mut segments = Vec::new();
        let mut names = Vec::new();
        let mut relocated = Vec::new();
        for payload in Parser::new(0).parse_all(&bytes) {
            match payload.unwrap() {
                Payload::DataSection(section) => {
                    for segment in section {
                        let DataKind::Active { offset_expr, .. } = segment.unwrap().kind else {
                            continue;
                        };
                        let Operator::I32Const { value } = offset_expr.get_operators_reader().read().unwrap() else {
                            panic!("a segment without a constant address");
                        };
                        segments.push(value.cast_unsigned());
                    }
                }
                Payload::CustomSection(section) => {
                    fixture.sections.push((section.name().to_owned(), section.data_offset()..section.range().end));
                    match section.as_known() {
                        KnownCustom::Linking(linking) => {
                            for part in linking.subsections() {
                                let Linking::SymbolTable(symbols) = part.unwrap() else {
                                    continue;
                                };
                                for symbol in symbols {
                                    names.push(fixture.symbol(symbol.unwrap(), &segments));
                                }
                            }
                        }
                        KnownCustom::Reloc(relocations) => {
                            for entry in relocations.entries() {
                                let entry = entry.unwrap();
                                if matches!(entry.ty, RelocationType::TableIndexSleb | RelocationType::TableIndexI32) {
                                    relocated.push(entry.index as usize);
                                }
                            }
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        fixture.address_taken = relocated.into_iter().map(|index| names[index].clone()).collect();
        fixture.bytes = bytes;
        fixture
    }

    fn symbol(&mut self, symbol: SymbolInfo<'_>, segments: &[u32]) -> String {
        match symbol {
            SymbolInfo::Data { name, symbol: Some(defined), .. } => {
                let start = segments.get(defined.index as usize).copied().unwrap_or(0);
                self.data.insert(without_llvm_suffix(name).into_owned(), (start + defined.offset, defined.size));
                name.to_owned()
            }
            SymbolInfo::Func { name, .. } => name.unwrap_or_default().to_owned(),
            _ => String::new(),
        }
    }

    /// The content of a custom section.
    pub(super) fn section(&self, name: &str) -> Option<&[u8]> {
        let (_, range) = self.sections.iter().find(|(section, _)| section == name)?;
        self.bytes.get(range.clone())
    }

    /// The facts, which must be readable.
    pub(super) fn facts(&self) -> DebugFacts {
        read(|name| self.section(name)).unwrap()
    }

    /// Every v0 name that debug information mentions.
    pub(super) fn symbols(&self) -> impl Iterator<Item = &str> {
        let strings = self.section(".debug_str").unwrap_or_default();
        strings
            .split(|byte| *byte == 0)
            .filter_map(|bytes| std::str::from_utf8(bytes).ok())
            .filter(|text| text.starts_with("_R"))
    }
}
