//! From a linked module to machine code, with every import and hook resolved to a position.
//!
//! [`check_functions`] asks the same questions of a candidate before it is linked, and answers with every reason at
//! once; what compiles here has passed it.

use std::sync::Arc;

use tickswap_abi::DeclaredHooks;
use tickswap_linker::{
    GenerationId,
    image::{FunctionExport, FunctionImport, FunctionType},
    link::{Linked, Piece},
};

use super::{CodeFacts, Engine, EngineError, HostSide, Signatures, call, host, shell};

/// Export that runs a mod's `Default`, once per cold start.
pub(crate) const START: &str = "tickswap_start";
/// Export that makes room for encoded arguments and answers its address.
pub(crate) const BUFFER: &str = "tickswap_buffer";

/// A linked module with all that a world needs to take it in.
#[derive(Debug)]
pub(crate) struct CodeSource {
    // Visible to this floor's tests, which make modules by hand; everything else goes through `Linked`.
    pub(super) generation: GenerationId,
    pub(super) module: Vec<u8>,
    pub(super) layout: Layout,
}

/// What a generation occupies in a mod's memory and table.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The complete data image.
    pub(crate) pieces: Vec<Piece>,
    /// Table entries that the module's own element segments fill.
    pub(crate) slots: Vec<u32>,
    /// Entries the table needs.
    pub(crate) table_size: u32,
    /// Bytes of stack, from address 0.
    pub(crate) stack_size: u32,
}

impl From<Linked> for CodeSource {
    fn from(linked: Linked) -> Self {
        Self {
            generation: linked.generation,
            module: linked.module,
            layout: Layout {
                pieces: linked.pieces,
                slots: linked.slots,
                table_size: linked.table_size,
                stack_size: linked.stack_size,
            },
        }
    }
}

/// Machine code of one generation, good for every world of the process.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) generation: GenerationId,
    pub(crate) module: wasmtime::Module,
    pub(crate) code: CodeFacts,
    pub(crate) imports: Vec<ImportSource>,
    pub(crate) layout: Layout,
}

/// Where an import of a linked module comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImportSource {
    /// The shell's memory.
    Memory,
    /// The shell's stack pointer.
    StackPointer,
    /// The generation's own function table.
    Table,
    /// The host function at this position: the contract's first, then the SDK's.
    Host(usize),
}

impl<H: HostSide> Engine<H> {
    /// Compiles on the calling thread's rayon pool.
    pub(crate) fn compile(&self, source: CodeSource) -> Result<Arc<Compiled>, EngineError> {
        let (module, code) = self.kept.module(&self.wasm, &source.module)?;
        let mut imports = Vec::with_capacity(module.imports().len());
        for import in module.imports() {
            imports.push(self.resolve_import(&import)?);
        }
        for hook in self.signatures.hooks() {
            check_export(&module, hook.descriptor.export, &hook.wasm)?;
        }
        for (export, expected) in required_exports() {
            if !check_export(&module, export, &expected)? {
                return Err(missing(export));
            }
        }
        Ok(Arc::new(Compiled { generation: source.generation, module, code, imports, layout: source.layout }))
    }

    /// Writes to disk what was compiled since the last time. Slow; nothing waits for it.
    pub(crate) fn keep_compiled(&self) {
        self.kept.save();
    }

    fn resolve_import(&self, import: &wasmtime::ImportType<'_>) -> Result<ImportSource, EngineError> {
        use wasmtime::ExternType::{Func, Global, Memory, Table};
        match (import.module(), import.name(), import.ty()) {
            (shell::MODULE, shell::MEMORY, Memory(_)) => Ok(ImportSource::Memory),
            (shell::MODULE, shell::STACK_POINTER, Global(_)) => Ok(ImportSource::StackPointer),
            (shell::MODULE, shell::TABLE, Table(_)) => Ok(ImportSource::Table),
            (module, name, Func(found)) => {
                let found = call::function_type(&found);
                import_position(&self.signatures, module, name, &found).map(ImportSource::Host)
            }
            (module, name, _) => Err(unknown_import(&self.signatures, module, name)),
        }
    }
}

/// Everything wrong with a candidate's exports and imports; empty if nothing is.
pub(crate) fn check_functions(
    signatures: &Signatures,
    exports: &[FunctionExport],
    imports: &[FunctionImport],
    declared: &DeclaredHooks,
) -> Vec<EngineError> {
    let mut found = Vec::new();
    for import in imports {
        let resolved = import_position(signatures, &import.module, &import.name, &import.signature);
        found.extend(resolved.err());
    }
    let mut check = |name: &str, expected: &FunctionType, is_required: bool| match exports
        .iter()
        .find(|export| export.name == name)
    {
        Some(export) if export.signature != *expected => {
            found.push(other_type(format!("export {name}"), expected, &export.signature));
        }
        None if is_required => found.push(missing(name)),
        _ => {}
    };
    for hook in declared.iter() {
        if let Some(position) = signatures.hook_position(hook) {
            let hook = &signatures.hooks()[position];
            check(hook.descriptor.export, &hook.wasm, true);
        }
    }
    for (export, expected) in required_exports() {
        check(export, &expected, true);
    }
    found
}

/// Position of a function import among the host functions, if its types are the contract's.
fn import_position(
    signatures: &Signatures,
    module: &str,
    name: &str,
    found: &FunctionType,
) -> Result<usize, EngineError> {
    let own = signatures.host_functions();
    let (position, expected) = if let Some(position) = signatures.host_function(module, name) {
        (position, own[position].wasm.clone())
    } else if let Some(index) = host::sdk_function(module, name) {
        (own.len() + index, host::sdk_functions()[index].1.clone())
    } else {
        return Err(unknown_import(signatures, module, name));
    };
    if *found == expected { Ok(position) } else { Err(other_type(format!("import {module}.{name}"), &expected, found)) }
}

fn required_exports() -> [(&'static str, FunctionType); 2] {
    [(START, FunctionType::default()), (BUFFER, buffer_type())]
}

/// `tickswap_buffer(len: i32) -> i32`.
pub(crate) fn buffer_type() -> FunctionType {
    use tickswap_linker::image::ValueType::I32;
    FunctionType { parameters: vec![I32], results: vec![I32] }
}

/// Whether the module has the export; an error if its types differ.
fn check_export(module: &wasmtime::Module, name: &str, expected: &FunctionType) -> Result<bool, EngineError> {
    match module.get_export(name) {
        None => Ok(false),
        Some(wasmtime::ExternType::Func(found)) if call::function_type(&found) == *expected => Ok(true),
        Some(wasmtime::ExternType::Func(found)) => {
            Err(other_type(format!("export {name}"), expected, &call::function_type(&found)))
        }
        Some(_) => Err(missing(name)),
    }
}

fn missing(export: &str) -> EngineError {
    EngineError::MissingExport { export: export.to_owned() }
}

fn other_type(what: String, expected: &FunctionType, found: &FunctionType) -> EngineError {
    EngineError::FunctionType { what, expected: expected.to_string(), found: found.to_string() }
}

fn unknown_import(signatures: &Signatures, module: &str, name: &str) -> EngineError {
    let offered = |interface: &&str| -> String {
        let functions = signatures.host_functions().iter();
        let names: Vec<_> = functions
            .filter(|function| function.interface.name == *interface)
            .map(|function| function.descriptor.name)
            .collect();
        format!("{interface}: {}", names.join(", "))
    };
    // Naming the functions of the trait meant is what helps; of another trait only its name.
    let interfaces = signatures.contract().host.iter().map(|interface| interface.name);
    let interfaces: Vec<_> = interfaces.collect();
    let offered = match interfaces.iter().find(|interface| **interface == module) {
        Some(interface) => offered(interface),
        None if interfaces.is_empty() => "no host functions".to_owned(),
        None => format!("the host traits {}", interfaces.join(", ")),
    };
    EngineError::UnknownImport { module: module.to_owned(), name: name.to_owned(), offered }
}
