//! One mod in one world: its store, its memory that never moves, and every generation that was staged into it.
//!
//! Staging writes the pieces of data that this world lacks, makes a table and an instance, and completes all tables.
//! Nothing of it touches what runs. Calling names a staged generation by its position; who is active is the world's
//! business.

use std::sync::Arc;

use tickswap_abi::{CodecError, RawArguments, ResultPassing};
use tickswap_linker::GenerationId;
use wasmtime::{Extern, Func, Global, Instance, Memory, Ref, RefType, Store, Table, TableType, UpdateDeadline, Val};

use super::{
    CallFailure, Compiled, Engine, EngineError, GuestTrap, HostSide, Signatures,
    bit_set::BitSet,
    budget::Budget,
    call::CheckedFunction,
    compile::{BUFFER, ImportSource, START, buffer_type},
    host::{self, GuestState},
    memory::Undo,
    shell,
};
use crate::limits::CALL_BYTES_MAX;

/// A mod's store in one world.
pub(crate) struct Guest<H: HostSide> {
    pub(super) store: Store<GuestState<H>>,
    signatures: Arc<Signatures>,
    pub(super) memory: Memory,
    pub(super) undo: Undo,
    pub(super) transaction: Transaction,
    stack_pointer: Global,
    /// Bytes of stack, from address 0; the stack pointer's value between calls.
    stack_size: u32,
    /// The end of stack and data in the image area.
    pub(super) image_end: usize,
    host_functions: Vec<Func>,
    staged: Vec<Staged>,
    /// By piece number: whether this world's memory holds it.
    written: BitSet,
    /// By slot: whether some staged generation owns a body for it. Such a slot is filled in every table.
    owned: BitSet,
    generations_max: usize,
    cpu_ms_per_tick: u64,
    start_cpu_ms: u64,
}

/// Whether what the mod writes can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transaction {
    /// It cannot.
    Off,
    /// It could; nothing is being written.
    Closed,
    /// Since the transaction began.
    Open,
}

/// A generation that can be called.
struct Staged {
    generation: GenerationId,
    table: Table,
    owns: BitSet,
    buffer: CheckedFunction,
    start: CheckedFunction,
    /// By hook position; `None` for a hook that the mod does not have.
    hooks: Box<[Option<CheckedFunction>]>,
}

/// What a hook answered. An encoded answer lies in the mod's memory until the next call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RawResult {
    Nothing,
    Scalar(u64),
    Encoded { start: usize, length: usize },
}

impl<H: HostSide> Guest<H> {
    /// An empty memory with a stack as large as `code` wants it. No generation is staged.
    pub(crate) fn new(engine: &Engine<H>, code: &Compiled) -> Result<Self, EngineError> {
        let not_made = |what| move |error| instantiate(what, &error);
        let state = GuestState::new(engine.memory_bytes_per_mod);
        let mut store = Store::new(&engine.wasm, state);
        store.limiter(|state| &mut state.limiter);
        store.epoch_deadline_callback(|mut context| match context.data_mut().budget.alarm() {
            Ok(()) => Ok(UpdateDeadline::Continue(1)),
            Err(exhausted) => Err(wasmtime::Error::msg(exhausted)),
        });
        let shell = Instance::new(&mut store, &engine.shell, &[]).map_err(not_made("the mod's memory"))?;
        let memory = shell.get_memory(&mut store, shell::MEMORY);
        let stack_pointer = shell.get_global(&mut store, shell::STACK_POINTER);
        let host_functions = host::in_store(&engine.host, &mut store, &engine.signatures);
        let (Some(memory), Some(stack_pointer), Some(host_functions)) = (memory, stack_pointer, host_functions) else {
            return Err(EngineError::Unusable("the shell module is incomplete".to_owned()));
        };
        store.data_mut().memory = Some(memory);
        let undo = engine.memories.undo_of(memory, &mut store);
        let mut guest = Self {
            store,
            signatures: engine.signatures.clone(),
            memory,
            undo,
            transaction: Transaction::Off,
            stack_pointer,
            stack_size: code.layout.stack_size,
            image_end: code.layout.stack_size as usize,
            host_functions,
            staged: Vec::new(),
            written: BitSet::default(),
            owned: BitSet::default(),
            generations_max: engine.resident_generations,
            cpu_ms_per_tick: engine.cpu_ms_per_tick,
            start_cpu_ms: engine.start_cpu_ms,
        };
        guest.reset_stack();
        Ok(guest)
    }

    /// Position of a generation, if it is staged.
    pub(crate) fn position(&self, generation: GenerationId) -> Option<usize> {
        // The newest are asked for most.
        self.staged.iter().rposition(|staged| staged.generation == generation)
    }

    /// The generation at a position.
    pub(crate) fn generation(&self, position: usize) -> Option<GenerationId> {
        self.staged.get(position).map(|staged| staged.generation)
    }

    /// The generations that can be called, in the order in which they were staged.
    pub(crate) fn generations(&self) -> impl Iterator<Item = GenerationId> + '_ {
        self.staged.iter().map(|staged| staged.generation)
    }

    /// Bytes of linear memory.
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory.data_size(&self.store) as u64
    }

    /// Makes a generation callable, beside what runs. On an error nothing that runs is touched.
    ///
    /// `lenders` is the order in which others lend bodies for slots that this generation lacks.
    pub(crate) fn stage(&mut self, code: &Compiled, lenders: &[GenerationId]) -> Result<usize, EngineError> {
        if let Some(position) = self.position(code.generation) {
            return Ok(position);
        }
        if self.staged.len() >= self.generations_max {
            return Err(EngineError::TooManyGenerations { found: self.staged.len(), limit: self.generations_max });
        }
        self.check_layout(code)?;
        let types = TableType::new(RefType::FUNCREF, code.layout.table_size, None);
        let table = Table::new(&mut self.store, types, Ref::Func(None))
            .map_err(|error| instantiate("the function table", &error))?;
        let imports: Vec<Extern> = code.imports.iter().map(|source| self.import(*source, table)).collect();
        let instance = Instance::new(&mut self.store, &code.module, &imports)
            .map_err(|error| instantiate("the instance", &error))?;
        let mut staged = self.resolve(code, instance, table)?;
        staged.owns = code.layout.slots.iter().map(|slot| *slot as usize).collect();
        self.write_pieces(code)?;
        self.complete_tables(&staged, code, lenders)?;
        self.staged.push(staged);
        Ok(self.staged.len() - 1)
    }

    /// Runs the mod's `Default`. Once per world, on the generation the world starts with.
    pub(crate) fn start(&mut self, position: usize, host: &mut Option<Box<H>>) -> Result<(), GuestTrap> {
        let start = self.staged.get(position).map(|staged| staged.start);
        let start = start.ok_or_else(|| not_staged(position))?;
        self.begin_budget(self.start_cpu_ms, "start_cpu_ms");
        self.lend(host);
        let outcome = run(&self.undo, &mut self.store, start, &[]);
        *host = self.store.data_mut().host.take();
        outcome.map(drop).map_err(|error| self.trap(&error))
    }

    /// Whether the generation at `position` has the hook.
    #[inline]
    pub(crate) fn has_hook(&self, position: usize, hook: usize) -> bool {
        let staged = self.staged.get(position);
        staged.is_some_and(|staged| staged.hooks.get(hook).is_some_and(Option::is_some))
    }

    /// Calls a hook that [`Guest::has_hook`] has. `host` is lent to the mod for the call.
    #[inline]
    pub(crate) fn call(
        &mut self,
        position: usize,
        hook: usize,
        arguments: RawArguments<'_>,
        host: &mut Option<Box<H>>,
    ) -> Result<RawResult, CallFailure> {
        self.lend(host);
        let outcome = self.call_with_host(position, hook, arguments);
        let state = self.store.data_mut();
        state.budget.leave();
        *host = state.host.take();
        match outcome {
            Ok(bits) => self.read_result(hook, bits),
            Err(error) => Err(CallFailure::Trap(self.trap(&error))),
        }
    }

    /// Bytes of an encoded answer.
    pub(crate) fn bytes(&self, start: usize, length: usize) -> &[u8] {
        let rest = self.memory.data(&self.store).get(start..).unwrap_or_default();
        rest.get(..length).unwrap_or_default()
    }

    /// Takes back what a panic of the host left in the store, and puts the stack pointer right.
    pub(crate) fn recover_host(&mut self) -> Option<Box<H>> {
        let host = self.store.data_mut().host.take()?;
        self.reset_stack();
        Some(host)
    }

    #[inline]
    fn call_with_host(&mut self, position: usize, hook: usize, arguments: RawArguments<'_>) -> wasmtime::Result<u64> {
        let staged = self.staged.get(position);
        let found = staged.and_then(|staged| Some((staged.buffer, *staged.hooks.get(hook)?)));
        let Some((buffer, Some(function))) = found else {
            return Err(wasmtime::Error::msg("the generation does not have this hook"));
        };
        match arguments {
            RawArguments::Scalars(bits) => run(&self.undo, &mut self.store, function, bits),
            RawArguments::Encoded(bytes) => {
                let length = bytes.len() as u64;
                let address = run(&self.undo, &mut self.store, buffer, &[length])?;
                self.write(address as usize, bytes).map_err(wasmtime::Error::msg)?;
                run(&self.undo, &mut self.store, function, &[length])
            }
        }
    }

    #[inline]
    fn read_result(&self, hook: usize, bits: u64) -> Result<RawResult, CallFailure> {
        let signature = self.signatures.hooks().get(hook);
        match signature.map(|signature| signature.descriptor.result) {
            None | Some(ResultPassing::Nothing) => Ok(RawResult::Nothing),
            Some(ResultPassing::Scalar(_)) => Ok(RawResult::Scalar(bits)),
            Some(ResultPassing::Encoded) => {
                let (start, length) = ((bits >> 32) as usize, (bits & 0xffff_ffff) as usize);
                if length > CALL_BYTES_MAX {
                    return Err(CallFailure::AnswerTooLarge { bytes: length });
                }
                if start + length > self.memory.data_size(&self.store) {
                    return Err(CallFailure::BadAnswer(CodecError::Passing {
                        expected: "an answer within the mod's memory",
                        found: format!("{length} bytes at {start:#x}"),
                    }));
                }
                Ok(RawResult::Encoded { start, length })
            }
        }
    }

    fn trap(&mut self, error: &wasmtime::Error) -> GuestTrap {
        self.reset_stack();
        let state = self.store.data_mut();
        GuestTrap::new(error, state.panic.take(), state.limiter.refusal())
    }

    #[inline]
    fn lend(&mut self, host: &mut Option<Box<H>>) {
        let state = self.store.data_mut();
        state.host = host.take();
        state.limiter.begin_call();
        state.budget.enter();
    }

    /// The mod may use a tick's processor time from now on.
    #[inline]
    pub(crate) fn begin_tick_budget(&mut self) {
        self.begin_budget(self.cpu_ms_per_tick, "cpu_ms_per_tick");
    }

    fn begin_budget(&mut self, limit_ms: u64, limit: &'static str) {
        self.store.data_mut().budget = Budget::of_ms(limit_ms, limit);
        self.store.set_epoch_deadline(1);
    }

    /// A trap leaves the stack pointer where it was; nothing lives on the stack between calls.
    pub(super) fn reset_stack(&mut self) {
        let top = Val::I32(self.stack_size.cast_signed());
        if let Err(error) = self.stack_pointer.set(&mut self.store, top) {
            tracing::error!(%error, "the shell's stack pointer cannot be set");
        }
    }

    fn import(&self, source: ImportSource, table: Table) -> Extern {
        match source {
            ImportSource::Memory => self.memory.into(),
            ImportSource::StackPointer => self.stack_pointer.into(),
            ImportSource::Table => table.into(),
            ImportSource::Host(position) => self.host_functions[position].into(),
        }
    }

    fn check_layout(&self, code: &Compiled) -> Result<(), EngineError> {
        let refused = |reason: String| Err(EngineError::Place { generation: code.generation, reason });
        let layout = &code.layout;
        if layout.stack_size > self.stack_size {
            return refused(format!(
                "expected a stack of at most {} bytes, with which this world started, found {}; \
                 build the mod with the same stack size",
                self.stack_size, layout.stack_size
            ));
        }
        let memory_end = self.memory.data_size(&self.store);
        for piece in &layout.pieces {
            let end = piece.address as usize + piece.bytes.len();
            if piece.address < self.stack_size || end > memory_end {
                return refused(format!(
                    "a piece of data lies at {:#x}..{end:#x}, outside of the image area",
                    piece.address
                ));
            }
        }
        match layout.slots.iter().find(|slot| **slot >= layout.table_size) {
            Some(slot) => refused(format!("slot {slot} lies beyond its table of {} entries", layout.table_size)),
            None => Ok(()),
        }
    }

    fn resolve(&mut self, code: &Compiled, instance: Instance, table: Table) -> Result<Staged, EngineError> {
        let store = &mut self.store;
        let mut required = |name: &str, types| {
            CheckedFunction::resolve(store, &instance, name, &types)?
                .ok_or_else(|| EngineError::MissingExport { export: name.to_owned() })
        };
        let buffer = required(BUFFER, buffer_type())?;
        let start = required(START, Default::default())?;
        let hooks = self.signatures.hooks().iter();
        let hooks =
            hooks.map(|hook| CheckedFunction::resolve(&mut self.store, &instance, hook.descriptor.export, &hook.wasm));
        Ok(Staged {
            generation: code.generation,
            table,
            owns: BitSet::default(),
            buffer,
            start,
            hooks: hooks.collect::<Result<_, _>>()?,
        })
    }

    /// Writes what this world's memory does not hold yet: all of it at a cold start, fresh data on a patch, and for an
    /// older generation what was never needed here. What is there is live and stays.
    fn write_pieces(&mut self, code: &Compiled) -> Result<(), EngineError> {
        for piece in &code.layout.pieces {
            self.image_end = self.image_end.max(piece.address as usize + piece.bytes.len());
            if self.written.insert(piece.id.0 as usize) {
                self.write(piece.address as usize, &piece.bytes).map_err(|error| EngineError::Place {
                    generation: code.generation,
                    reason: format!("its data cannot be written: {error}"),
                })?;
            }
        }
        Ok(())
    }

    /// Fills the gaps of all tables, so that each holds a body for every slot that any staged generation owns.
    ///
    /// A slot that others had before is borrowed from the nearest of them. A slot that is new to this world can only be
    /// lent by the new generation. Bodies once borrowed stay, even if a nearer lender is staged later.
    fn complete_tables(&mut self, new: &Staged, code: &Compiled, lenders: &[GenerationId]) -> Result<(), EngineError> {
        let failed = |error: wasmtime::Error| instantiate("the completed function table", &error);
        for staged in &self.staged {
            let missing = u64::from(code.layout.table_size).saturating_sub(staged.table.size(&self.store));
            staged.table.grow(&mut self.store, missing, Ref::Func(None)).map_err(failed)?;
        }
        let longest = self.staged.first().map_or(0, |staged| staged.table.size(&self.store));
        let missing = longest.saturating_sub(new.table.size(&self.store));
        new.table.grow(&mut self.store, missing, Ref::Func(None)).map_err(failed)?;
        for slot in code.layout.slots.iter().map(|slot| *slot as usize) {
            if !self.owned.contains(slot) {
                let body = new.table.get(&mut self.store, slot as u64);
                let body = body.unwrap_or(Ref::Func(None));
                for staged in &self.staged {
                    staged.table.set(&mut self.store, slot as u64, body.clone()).map_err(failed)?;
                }
            }
        }
        let nearest: Vec<&Staged> = lenders
            .iter()
            .filter_map(|lender| self.staged.iter().find(|staged| staged.generation == *lender))
            .collect();
        for slot in self.owned.iter().filter(|slot| !new.owns.contains(*slot)) {
            // Every owned slot has a staged owner; the order names all generations.
            let lender = nearest.iter().find(|staged| staged.owns.contains(slot));
            let lender = lender.or_else(|| nearest.first());
            if let Some(body) = lender.and_then(|l| l.table.get(&mut self.store, slot as u64)) {
                new.table.set(&mut self.store, slot as u64, body).map_err(failed)?;
            }
        }
        code.layout.slots.iter().for_each(|slot| {
            self.owned.insert(*slot as usize);
        });
        Ok(())
    }
}

/// Calls a function of a guest's store.
#[inline]
fn run<T: 'static>(undo: &Undo, store: &mut Store<T>, f: CheckedFunction, arguments: &[u64]) -> wasmtime::Result<u64> {
    let _running = undo.running();
    f.call(store, arguments)
}

fn instantiate(what: &'static str, error: &wasmtime::Error) -> EngineError {
    EngineError::Instantiate { what, reason: format!("{error:#}") }
}

fn not_staged(position: usize) -> GuestTrap {
    GuestTrap::of_host(format!("no generation is staged at position {position}"))
}
