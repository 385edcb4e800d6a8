//! The only floor that names wasmtime: compiling, memories, instances, host functions and calls.
//!
//! It knows code and memory of one mod in one world ([`Guest`]), not ticks, worlds or swaps. What a mod calls outside
//! of itself goes to a [`HostSide`], which the floor above implements.
//!
//! **Invariant:** the flip never comes down here. Everything that can fail (compile, instantiate, write, complete
//! tables) has happened when a generation counts as staged.

mod bit_set;
mod budget;
mod cache;
mod call;
mod code_store;
mod compile;
mod error;
mod guest;
mod host;
mod kept_code;
mod limiter;
mod memory;
mod pool;
mod shell;
mod signatures;
#[cfg(test)]
pub(crate) mod tests;
mod transaction;
mod trap;

use std::{num::NonZeroUsize, path::PathBuf, sync::Arc};

use tickswap_abi::Contract;

pub(crate) use compile::{CodeSource, Compiled, check_functions};
pub use error::EngineError;
pub(crate) use guest::{Guest, RawResult};
pub(crate) use host::HostSide;
pub use kept_code::CodeFacts;
pub use memory::UndoMechanism;
pub(crate) use pool::{Abandoned, PreparePool, yield_to_ticks};
pub(crate) use signatures::{HookSignature, Signatures};
pub use trap::TrapFrame;
pub(crate) use trap::{CallFailure, GuestTrap};

use crate::limits::{self, Limits};

/// Everything that all worlds share: the compiler, the contract's signatures, the host functions, the shell module.
pub(crate) struct Engine<H: HostSide> {
    wasm: wasmtime::Engine,
    signatures: Arc<Signatures>,
    host: wasmtime::Linker<host::GuestState<H>>,
    shell: wasmtime::Module,
    memories: memory::Memories,
    memory_bytes_per_mod: u64,
    resident_generations: usize,
    cpu_ms_per_tick: u64,
    kept: kept_code::KeptCode,
    start_cpu_ms: u64,
}

/// How an engine is set up, beside limits.
#[derive(Clone, Debug, Default)]
pub(crate) struct EngineOptions {
    /// Every generation keeps its debug information.
    pub(crate) backtrace_lines: bool,
    /// How ticks are undone.
    pub(crate) undo: UndoMechanism,
    /// A folder in which compiled code is kept, and how many bytes of it.
    pub(crate) code_cache: Option<(PathBuf, u64)>,
}

impl<H: HostSide> Engine<H> {
    /// An engine for mods of `contract`.
    pub(crate) fn new(contract: Contract, limits: &Limits, options: EngineOptions) -> Result<Self, EngineError> {
        let unusable = |error: wasmtime::Error| EngineError::Unusable(format!("{error:#}"));
        let signatures = Arc::new(Signatures::new(contract)?);
        let is_kept = options.code_cache.is_some();
        let cache = (limits.compile_cache_bytes > 0)
            .then(|| Arc::new(cache::FunctionCache::new(limits.compile_cache_bytes, is_kept)));
        let mut config = config(options.backtrace_lines, cache.clone()).map_err(unusable)?;
        let memories = memory::Memories::new(options.undo, &mut config);
        let wasm = wasmtime::Engine::new(&config).map_err(unusable)?;
        budget::start_alarm(&wasm)?;
        let shell = shell::bytes(limits.memory_bytes_per_mod)?;
        let shell = wasmtime::Module::new(&wasm, shell).map_err(unusable)?;
        // The shell is neither kept nor counted.
        if let Some(cache) = &cache {
            cache.take_fresh();
            cache.take_counts();
        }
        let store = options.code_cache.map(|(folder, bytes_max)| {
            code_store::CodeStore::open(&folder, bytes_max, &wasm.precompile_compatibility_hash())
        });
        let kept = kept_code::KeptCode::new(store.transpose()?, cache);
        let host = host::functions(&wasm, &signatures).map_err(unusable)?;
        Ok(Self {
            wasm,
            signatures,
            host,
            shell,
            memories,
            memory_bytes_per_mod: limits.memory_bytes_per_mod,
            resident_generations: limits.resident_generations,
            cpu_ms_per_tick: limits.cpu_ms_per_tick,
            kept,
            start_cpu_ms: limits.start_cpu_ms,
        })
    }

    /// The contract as this floor reads it.
    pub(crate) fn signatures(&self) -> &Arc<Signatures> {
        &self.signatures
    }
}

fn config(
    backtrace_lines: bool,
    cache: Option<Arc<cache::FunctionCache>>,
) -> Result<wasmtime::Config, wasmtime::Error> {
    let mut config = wasmtime::Config::new();
    config
        .cranelift_opt_level(wasmtime::OptLevel::Speed)
        .max_wasm_stack(limits::HOST_STACK_BYTES_MAX)
        // Without it wasmtime drops debug sections while compiling, so a generation costs its machine code only.
        // Panics name file and line either way.
        .wasm_backtrace_details(if backtrace_lines {
            wasmtime::WasmBacktraceDetails::Enable
        } else {
            wasmtime::WasmBacktraceDetails::Disable
        })
        .wasm_backtrace_max_frames(NonZeroUsize::new(limits::BACKTRACE_FRAMES_MAX))
        // From machine code to places in the file, which only debug information makes use of.
        .generate_address_map(backtrace_lines)
        // Native symbols; frames get their names from the name section.
        .debug_symbols(false)
        // The alarm for processor time.
        .epoch_interruption(true)
        // A mod's memory is reserved whole, so that it never moves, neither for wasm nor for a borrowed slice.
        .memory_may_move(false)
        // Element segments fill imported tables at instantiation anyway; laziness would only move work into a tick.
        .table_lazy_init(false);
    if let Some(cache) = cache {
        config.enable_incremental_compilation(cache)?;
    }
    Ok(config)
}
