//! Writes the module that an engine compiles: code with its fields patched, no data, memory and stack pointer imported.
//!
//! Function and global indices stay as they are: imported functions keep their order, and the imported stack pointer takes
//! the place of the module's own global 0. Types are put into the residents' order ([`super::types`]).

use super::data::PlacedData;
use super::draft::Draft;
use super::{PlaceError, SHELL_MEMORY, SHELL_MODULE, SHELL_STACK_POINTER, SHELL_TABLE, patch};
use crate::compare::Comparison;
use crate::image::ModImage;
use crate::limits;
use wasm_encoder as wasm;

mod section {
    pub(super) const CUSTOM: u8 = 0;
    pub(super) const TYPE: u8 = 1;
    pub(super) const IMPORT: u8 = 2;
    pub(super) const FUNCTION: u8 = 3;
    pub(super) const GLOBAL: u8 = 6;
    pub(super) const EXPORT: u8 = 7;
    pub(super) const ELEMENT: u8 = 9;
    pub(super) const CODE: u8 = 10;
}

pub(super) fn module(comparison: &Comparison, draft: &Draft<'_>, data: &PlacedData) -> Result<Vec<u8>, PlaceError> {
    let image = &comparison.image;
    let mut module = wasm::Module::new();
    let mut elements_written = false;
    let ordered = draft.types.sections(image)?;
    for part in &image.sections {
        let contents = &image.bytes[part.contents.clone()];
        // Elements come before code; a file without an element section of its own takes no function's address.
        if part.id == section::CODE && !elements_written {
            elements_written = true;
            write_elements(draft, &mut module);
        }
        match part.id {
            section::IMPORT => drop(module.section(&imports(image, draft)?)),
            section::GLOBAL => {
                if let Some(globals) = globals(image) {
                    module.section(&globals);
                }
            }
            section::EXPORT => drop(module.section(&exports(image))),
            section::ELEMENT => {}
            section::CODE => {
                let mut code = contents.to_vec();
                let start = part.contents.start;
                patch::fields(image, draft, &data.addresses, &image.code_relocations, start, &mut code)?;
                module.section(&wasm::RawSection { id: section::CODE, data: &code });
            }
            section::TYPE | section::FUNCTION => match &ordered {
                Some((types, _)) if part.id == section::TYPE => drop(module.section(types)),
                Some((_, functions)) => drop(module.section(functions)),
                None => drop(module.section(&wasm::RawSection { id: part.id, data: contents })),
            },
            // Function names make backtraces readable. Everything else was read already and only costs compile time.
            section::CUSTOM if is_name_section(contents) => {
                module.section(&wasm::RawSection { id: section::CUSTOM, data: contents });
            }
            _ => {}
        }
    }
    Ok(module.finish())
}

fn imports(image: &ModImage, draft: &Draft<'_>) -> Result<wasm::ImportSection, PlaceError> {
    let mut imports = wasm::ImportSection::new();
    for (import, type_index) in image.imports.iter().zip(&image.import_types) {
        imports.import(&import.module, &import.name, wasm::EntityType::Function(draft.types.position(*type_index)?));
    }
    let memory = wasm::MemoryType {
        minimum: u64::from(limits::IMAGE_AREA_PAGES),
        maximum: None,
        memory64: false,
        shared: false,
        page_size_log2: None,
    };
    imports.import(SHELL_MODULE, SHELL_MEMORY, memory);
    if image.uses_stack_pointer {
        let pointer = wasm::GlobalType { val_type: wasm::ValType::I32, mutable: true, shared: false };
        imports.import(SHELL_MODULE, SHELL_STACK_POINTER, pointer);
    }
    let highest = draft.own.keys().copied().max().map_or(0, |slot| slot + 1);
    let table = wasm::TableType {
        element_type: wasm::RefType::FUNCREF,
        minimum: u64::from(highest),
        maximum: None,
        table64: false,
        shared: false,
    };
    imports.import(SHELL_MODULE, SHELL_TABLE, table);
    Ok(imports)
}

/// The module's globals but the stack pointer. They hold addresses of the old layout, but nothing refers to them: reading
/// refuses code that names any global but the stack pointer, and their exports are dropped. They keep indices in step.
fn globals(image: &ModImage) -> Option<wasm::GlobalSection> {
    let mut globals = wasm::GlobalSection::new();
    for global in image.globals.iter().skip(usize::from(image.uses_stack_pointer)) {
        let ty = wasm::GlobalType { val_type: wasm::ValType::I32, mutable: global.mutable, shared: false };
        globals.global(ty, &wasm::ConstExpr::i32_const(global.initial.unwrap_or(0)));
    }
    (!globals.is_empty()).then_some(globals)
}

fn exports(image: &ModImage) -> wasm::ExportSection {
    let mut exports = wasm::ExportSection::new();
    for export in &image.exports {
        exports.export(&export.name, wasm::ExportKind::Func, export.function);
    }
    exports
}

/// One segment per run of neighbouring slots.
fn write_elements(draft: &Draft<'_>, module: &mut wasm::Module) {
    let slots = draft.own_slots();
    let mut elements = wasm::ElementSection::new();
    let mut rest = slots.as_slice();
    while let Some(first) = rest.first().copied() {
        let run = rest.iter().zip(first..).take_while(|(slot, expected)| **slot == *expected).count();
        let functions: Vec<u32> = rest[..run].iter().map(|slot| draft.own[slot]).collect();
        elements.active(None, &wasm::ConstExpr::i32_const(first as i32), wasm::Elements::Functions(functions.into()));
        rest = &rest[run..];
    }
    if !elements.is_empty() {
        module.section(&elements);
    }
}

fn is_name_section(contents: &[u8]) -> bool {
    // A custom section begins with the length and the bytes of its name.
    contents.starts_with(b"\x04name")
}
