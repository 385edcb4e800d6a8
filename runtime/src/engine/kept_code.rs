//! Where a module's machine code comes from: this server's folder of compiled code, or the compiler, which in turn asks
//! for functions it has compiled before. And back: what was compiled is written to the folder afterwards.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use wasmtime::Module;

use super::{EngineError, cache::FunctionCache, code_store::CodeStore};

/// See the module.
#[derive(Debug)]
pub(super) struct KeptCode {
    store: Option<CodeStore>,
    functions: Option<Arc<FunctionCache>>,
    /// Whether the folder's functions are in the cache. They are read when something has to be compiled, not before.
    is_loaded: AtomicBool,
    /// Compiled, and not written yet.
    unsaved: Mutex<Vec<(String, Module)>>,
}

/// Where the machine code of a generation came from, and what it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CodeFacts {
    /// Whether all of it was taken from the folder of compiled code. Then nothing was compiled.
    pub is_kept: bool,
    /// Functions and trampolines that were compiled. Neither number is known without a cache (limit
    /// `compile_cache_bytes`), and compilations that run at the same time, because one was abandoned, count for each other.
    pub functions_compiled: u64,
    /// Those that were found among what was compiled before.
    pub functions_found: u64,
    /// Bytes that stay taken while the generation is resident: machine code and the tables that belong to it. Once for all
    /// worlds.
    pub code_bytes: u64,
}

impl KeptCode {
    pub(super) fn new(store: Option<CodeStore>, functions: Option<Arc<FunctionCache>>) -> Self {
        Self { store, functions, is_loaded: AtomicBool::new(false), unsaved: Mutex::default() }
    }

    /// The machine code of a linked module.
    pub(super) fn module(&self, engine: &wasmtime::Engine, bytes: &[u8]) -> Result<(Module, CodeFacts), EngineError> {
        let Some(store) = &self.store else {
            return self.compile(engine, bytes);
        };
        let key = CodeStore::key(bytes);
        if let Some(module) = stored(engine, store, &key) {
            tracing::debug!(target: "tickswap", bytes = bytes.len(), "taken from the folder of compiled code");
            let facts = CodeFacts { is_kept: true, code_bytes: code_bytes(&module), ..CodeFacts::default() };
            return Ok((module, facts));
        }
        if let Some(functions) = &self.functions
            && !self.is_loaded.swap(true, Ordering::Relaxed)
        {
            functions.load(store.functions(functions.bytes_max()));
        }
        let (module, facts) = self.compile(engine, bytes)?;
        self.unsaved.lock().push((key, module.clone()));
        Ok((module, facts))
    }

    fn compile(&self, engine: &wasmtime::Engine, bytes: &[u8]) -> Result<(Module, CodeFacts), EngineError> {
        let module = Module::new(engine, bytes).map_err(|error| EngineError::Compile(format!("{error:#}")))?;
        let counts = self.functions.as_ref().map(|functions| functions.take_counts());
        let (functions_found, functions_compiled) = counts.unwrap_or_default();
        let code_bytes = code_bytes(&module);
        Ok((module, CodeFacts { is_kept: false, functions_compiled, functions_found, code_bytes }))
    }

    /// Writes what was compiled since the last time.
    pub(super) fn save(&self) {
        let Some(store) = &self.store else {
            return;
        };
        for (key, module) in std::mem::take(&mut *self.unsaved.lock()) {
            match module.serialize() {
                Ok(serialized) => store.put_module(&key, &serialized),
                Err(error) => tracing::warn!(target: "tickswap", %error, "a compiled module cannot be kept"),
            }
        }
        if let Some(functions) = &self.functions {
            store.put_functions(&functions.take_fresh());
        }
    }
}

fn code_bytes(module: &Module) -> u64 {
    let image = module.image_range();
    (image.end as usize - image.start as usize) as u64
}

fn stored(engine: &wasmtime::Engine, store: &CodeStore, key: &str) -> Option<Module> {
    let serialized = store.module(key)?;
    // SAFETY: `deserialize` wants what `Module::serialize` gave. The store answers exactly what it was given, which its seal
    // proves for everyone who cannot read this installation's key, and `save` gives it nothing else.
    match unsafe { Module::deserialize(engine, &serialized) } {
        Ok(module) => Some(module),
        Err(error) => {
            tracing::warn!(target: "tickswap", %error, "kept code does not fit this engine and is removed");
            store.remove_module(key);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::path::Path;

    use super::*;

    /// `add`, exported.
    const MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x07\x01\x60\x02\x7e\x7f\x01\x7e\x03\x02\x01\0\x07\x07\x01\x03add\0\0\
        \x0a\x0a\x01\x08\0\x20\0\x20\x01\xad\x7c\x0b";

    /// What a server has after it started.
    fn started(folder: &Path) -> (wasmtime::Engine, KeptCode) {
        let functions = Arc::new(FunctionCache::new(1 << 20, true));
        let mut config = wasmtime::Config::new();
        config.enable_incremental_compilation(functions.clone()).unwrap();
        let engine = wasmtime::Engine::new(&config).unwrap();
        let store = CodeStore::open(folder, 1 << 20, &engine.precompile_compatibility_hash()).unwrap();
        (engine, KeptCode::new(Some(store), Some(functions)))
    }

    fn call(engine: &wasmtime::Engine, module: &Module) -> u64 {
        let mut store = wasmtime::Store::new(engine, ());
        let instance = wasmtime::Instance::new(&mut store, module, &[]).unwrap();
        let add = instance.get_typed_func::<(u64, u32), u64>(&mut store, "add").unwrap();
        add.call(&mut store, (40, 2)).unwrap()
    }

    fn counts(kept: &KeptCode) -> (u64, u64) {
        kept.functions.as_ref().unwrap().take_counts()
    }

    #[test]
    fn a_server_that_starts_again_compiles_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, kept) = started(folder.path());
        let (module, facts) = kept.module(&engine, MODULE).unwrap();
        assert_eq!(call(&engine, &module), 42);
        assert!(!facts.is_kept && facts.functions_compiled > 0 && facts.code_bytes > 0, "{facts:?}");
        kept.save();
        let (engine, kept) = started(folder.path());
        let (module, facts) = kept.module(&engine, MODULE).unwrap();
        assert_eq!(call(&engine, &module), 42);
        assert!(kept.unsaved.lock().is_empty(), "it was not compiled");
        assert!(facts.is_kept && (facts.functions_compiled, facts.functions_found) == (0, 0), "{facts:?}");
        assert_eq!(counts(&kept), (0, 0));
    }

    #[test]
    fn without_the_module_its_functions_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let (engine, kept) = started(folder.path());
        kept.module(&engine, MODULE).unwrap();
        kept.save();
        for file in std::fs::read_dir(folder.path()).unwrap().flatten() {
            if file.file_name().to_string_lossy().starts_with("module-") {
                std::fs::write(file.path(), b"garbage").unwrap();
            }
        }
        let (engine, kept) = started(folder.path());
        let functions = kept.functions.clone().unwrap();
        let (module, facts) = kept.module(&engine, MODULE).unwrap();
        assert_eq!(call(&engine, &module), 42);
        assert!(!facts.is_kept && facts.functions_compiled == 0 && facts.functions_found > 0, "{facts:?}");
        assert!(functions.take_fresh().is_empty(), "out of functions that were there");
    }
}
