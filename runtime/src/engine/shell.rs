//! The shell module: it defines a mod's memory and its one stack pointer, and has no code.
//!
//! All generations of a mod import both, because borrowed bodies run in the middle of a call of another instance: with
//! a stack pointer per instance over one stack they would overwrite their caller's frame. A module defines the memory,
//! instead of the host, because wasmtime asks its `MemoryCreator` only for memories that modules define.

use tickswap_linker::limits::{IMAGE_AREA_BYTES, WASM_PAGE_BYTES};
use wasm_encoder::{
    ConstExpr, ExportKind, ExportSection, GlobalSection, GlobalType, MemorySection, MemoryType, Module, ValType,
};

use super::EngineError;

/// Export names of the shell, by which linked modules import what it defines; and the field of their function table.
pub(crate) use tickswap_linker::link::{
    SHELL_MEMORY as MEMORY, SHELL_MODULE as MODULE, SHELL_STACK_POINTER as STACK_POINTER, SHELL_TABLE as TABLE,
};

/// The module's bytes. The heap begins where the image area ends, so the memory starts at exactly that size.
pub(crate) fn bytes(memory_bytes_max: u64) -> Result<Vec<u8>, EngineError> {
    let page = u64::from(WASM_PAGE_BYTES);
    let minimum = u64::from(IMAGE_AREA_BYTES) / page;
    let maximum = memory_bytes_max / page;
    if !(minimum..=65_536).contains(&maximum) {
        return Err(EngineError::Limit {
            limit: "memory_bytes_per_mod",
            expected: format!("{} to {} bytes", minimum * page, 65_536 * page),
            found: format!("{memory_bytes_max} bytes"),
        });
    }
    let mut memories = MemorySection::new();
    memories.memory(MemoryType {
        minimum,
        maximum: Some(maximum),
        memory64: false,
        shared: false,
        page_size_log2: None,
    });
    let mut globals = GlobalSection::new();
    let stack_pointer = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
    // The host sets it to the mod's stack size before any code runs.
    globals.global(stack_pointer, &ConstExpr::i32_const(0));
    let mut exports = ExportSection::new();
    exports.export(MEMORY, ExportKind::Memory, 0);
    exports.export(STACK_POINTER, ExportKind::Global, 0);
    let mut module = Module::new();
    module.section(&memories).section(&globals).section(&exports);
    Ok(module.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memory_that_cannot_hold_the_image_area_is_refused_by_name() {
        let message = bytes(1 << 20).map_err(|error| error.to_string());
        assert!(message.is_err_and(|text| text.contains("memory_bytes_per_mod")));
        assert!(bytes(4 << 30).is_ok());
    }
}
