//! A world without the runtime: one memory, one stack, a table per generation, as the linker expects a host to keep them.
//!
//! It lets the linker's rules be tested by themselves: what is called, what lies in memory, which body a slot holds.

use std::collections::HashSet;
use tickswap_linker::verify::{Refusal, Verdict};
use tickswap_linker::{GenerationId, PieceId, Residents, compare, image, limits, lineage, link, verify};
use wasmtime::{
    Config, Engine, Extern, Func, Global, GlobalType, Instance, Memory, MemoryType, Module, Mutability, Ref, RefType,
    Store, Table, TableType, Val, ValType, WasmParams, WasmResults,
};

/// One mod, live, with all the generations it ever had.
pub struct Live {
    engine: Engine,
    store: Store<()>,
    /// Steps that a call may take.
    steps: Option<u64>,
    memory: Memory,
    stack_pointer: Option<Global>,
    residents: Residents,
    generations: Vec<Generation>,
    written: HashSet<PieceId>,
    running: Option<GenerationId>,
}

struct Generation {
    instance: Instance,
    table: Table,
    own: HashSet<u32>,
    report: link::LinkReport,
}

/// Why a candidate did not become a generation.
#[derive(Debug)]
pub enum NotPatched {
    /// The file could not be read.
    Read(image::ReadError),
    /// The gate refused it.
    Refused(Box<Refusal>),
    /// There was no room.
    Place(link::PlaceError),
}

impl std::fmt::Display for NotPatched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Place(error) => error.fmt(f),
        }
    }
}

impl Live {
    /// An empty memory; the first patch starts the mod.
    ///
    /// # Panics
    ///
    /// When the engine refuses what every test needs.
    pub fn new() -> Self {
        Self::in_engine(&Engine::default())
    }

    /// The same in an engine that is set up otherwise. If it can interrupt code, it never does.
    ///
    /// # Panics
    ///
    /// As [`Live::new`].
    pub fn in_engine(engine: &Engine) -> Self {
        let mut store = Store::new(engine, ());
        store.set_epoch_deadline(u64::MAX / 2);
        Self::in_store(store, None)
    }

    /// The same, where every call traps that takes more steps than this: for code that may not end.
    ///
    /// # Panics
    ///
    /// As [`Live::new`].
    pub fn with_steps(steps: u64) -> Self {
        let engine = Engine::new(Config::new().consume_fuel(true)).expect("an engine");
        Self::in_store(Store::new(&engine, ()), Some(steps))
    }

    fn in_store(mut store: Store<()>, steps: Option<u64>) -> Self {
        let memory = Memory::new(&mut store, MemoryType::new(limits::IMAGE_AREA_PAGES, None)).expect("a memory");
        Self {
            engine: store.engine().clone(),
            store,
            steps,
            memory,
            stack_pointer: None,
            residents: Residents::new(),
            generations: Vec::new(),
            written: HashSet::new(),
            running: None,
        }
    }

    /// Links `bytes` over the running generation and runs it from now on.
    ///
    /// # Errors
    ///
    /// [`NotPatched`] tells which stage refused; what ran goes on running.
    pub fn patch(&mut self, bytes: &[u8]) -> Result<GenerationId, NotPatched> {
        self.patch_with(bytes, Verdict::permit)
    }

    /// The same for a candidate that somebody approved.
    ///
    /// # Errors
    ///
    /// As [`Live::patch`], for what no approval allows.
    pub fn patch_approved(&mut self, bytes: &[u8]) -> Result<GenerationId, NotPatched> {
        self.patch_with(bytes, |verdict| {
            let seen = verdict.report().clone();
            verdict.approve(&seen)
        })
    }

    fn patch_with(
        &mut self,
        bytes: &[u8],
        gate: fn(Verdict) -> Result<verify::Permit, Box<Refusal>>,
    ) -> Result<GenerationId, NotPatched> {
        let image = image::read(bytes).map_err(NotPatched::Read)?;
        let comparison = compare::compare(&self.residents, self.running, image);
        let permit = gate(verify::judge(comparison)).map_err(NotPatched::Refused)?;
        let linked = link::place(&mut self.residents, permit).map_err(NotPatched::Place)?;
        Ok(self.stage(linked))
    }

    /// What comparing `bytes` with the running generation and all residents finds.
    ///
    /// # Panics
    ///
    /// When the file cannot be read.
    pub fn compare(&self, bytes: &[u8]) -> Vec<compare::Difference> {
        let image = image::read(bytes).unwrap_or_else(|error| panic!("{error}"));
        compare::compare(&self.residents, self.running, image).differences().to_vec()
    }

    /// The report of `bytes` against the running generation and all residents, also where the file cannot be read.
    pub fn report_on(&self, bytes: &[u8]) -> verify::Report {
        match image::read(bytes) {
            Ok(image) => verify::judge(compare::compare(&self.residents, self.running, image)).report().clone(),
            Err(error) => verify::Report::from(&error),
        }
    }

    fn stage(&mut self, linked: link::Linked) -> GenerationId {
        let store = &mut self.store;
        for piece in &linked.pieces {
            if self.written.insert(piece.id) {
                self.memory.write(&mut *store, piece.address as usize, &piece.bytes).expect("inside the image area");
            }
        }
        let stack_pointer = *self.stack_pointer.get_or_insert_with(|| {
            let ty = GlobalType::new(ValType::I32, Mutability::Var);
            Global::new(&mut *store, ty, Val::I32(linked.stack_size as i32)).expect("a global")
        });
        let table = TableType::new(RefType::FUNCREF, linked.table_size, None);
        let table = Table::new(&mut *store, table, Ref::Func(None)).expect("a table");
        let module = Module::new(&self.engine, &linked.module).unwrap_or_else(|error| panic!("{error:?}"));
        let imports: Vec<Extern> = module
            .imports()
            .map(|import| match (import.module(), import.name()) {
                (link::SHELL_MODULE, link::SHELL_MEMORY) => self.memory.into(),
                (link::SHELL_MODULE, link::SHELL_TABLE) => table.into(),
                (link::SHELL_MODULE, link::SHELL_STACK_POINTER) => stack_pointer.into(),
                (module, name) => {
                    let missing = format!("the test host does not offer {module}.{name}");
                    let ty = import.ty().func().expect("a function").clone();
                    Func::new(&mut *store, ty, move |_, _, _| Err(wasmtime::Error::msg(missing.clone()))).into()
                }
            })
            .collect();
        if let Some(steps) = self.steps {
            store.set_fuel(steps).expect("an engine that counts");
        }
        let instance = Instance::new(&mut *store, &module, &imports).unwrap_or_else(|error| panic!("{error:?}"));
        let own = linked.slots.iter().copied().collect();
        self.generations.push(Generation { instance, table, own, report: linked.report });
        self.complete_tables();
        self.running = Some(linked.generation);
        linked.generation
    }

    /// Fills every slot that a generation lacks with the body of the nearest one along its lineage.
    fn complete_tables(&mut self) {
        let bases = self.residents.bases();
        let size = self.residents.table_size();
        for index in 0..self.generations.len() {
            let lenders = lineage::lenders(&bases, GenerationId::new(index as u32 + 1));
            let table = self.generations[index].table;
            let missing = u64::from(size) - table.size(&self.store);
            table.grow(&mut self.store, missing, Ref::Func(None)).expect("room in the table");
            for slot in 1..size {
                if self.generations[index].own.contains(&slot) {
                    continue;
                }
                let lender = lenders.iter().map(|g| &self.generations[g.index()]).find(|g| g.own.contains(&slot));
                if let Some(lender) = lender.map(|lender| lender.table) {
                    let body = lender.get(&mut self.store, u64::from(slot)).expect("the lender's own slot");
                    table.set(&mut self.store, u64::from(slot), body).expect("a slot");
                }
            }
        }
    }

    /// Runs a resident generation from now on.
    pub fn activate(&mut self, generation: GenerationId) {
        self.running = Some(generation);
    }

    /// Calls an export of the running generation.
    ///
    /// # Panics
    ///
    /// When it traps or does not exist with this signature.
    pub fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, parameters: P) -> R {
        let generation = self.running.expect("a running generation");
        self.call_in(generation, name, parameters)
    }

    /// Calls an export of a given generation.
    ///
    /// # Panics
    ///
    /// When it traps or does not exist with this signature.
    pub fn call_in<P: WasmParams, R: WasmResults>(&mut self, generation: GenerationId, name: &str, parameters: P) -> R {
        self.try_call_in(generation, name, parameters).unwrap_or_else(|error| panic!("{name}: {error:?}"))
    }

    /// Calls an export of the running generation that may trap.
    ///
    /// # Errors
    ///
    /// The trap. What the world holds after it is anybody's guess.
    ///
    /// # Panics
    ///
    /// Before the first patch.
    pub fn try_call<P: WasmParams, R: WasmResults>(&mut self, name: &str, parameters: P) -> wasmtime::Result<R> {
        self.try_call_in(self.running.expect("a running generation"), name, parameters)
    }

    /// Calls an export of the running generation with numbers of whatever types it takes; what it gives, if anything.
    ///
    /// # Errors
    ///
    /// The trap, or that there is no such function of so many numbers.
    ///
    /// # Panics
    ///
    /// Before the first patch.
    pub fn call_numbers(&mut self, name: &str, numbers: &[i64]) -> wasmtime::Result<Option<i64>> {
        let generation = self.running.expect("a running generation");
        let instance = self.generations[generation.index()].instance;
        let function = instance.get_func(&mut self.store, name);
        let function = function.ok_or_else(|| wasmtime::Error::msg(format!("there is no function {name}")))?;
        let ty = function.ty(&self.store);
        let parameters: Vec<Val> = ty
            .params()
            .zip(numbers)
            .map(|(ty, number)| if matches!(ty, ValType::I64) { Val::I64(*number) } else { Val::I32(*number as i32) })
            .collect();
        let mut results = vec![Val::I32(0); ty.results().len()];
        function.call(&mut self.store, &parameters, &mut results)?;
        Ok(results.first().and_then(|result| result.i64().or(result.i32().map(|value| i64::from(value as u32)))))
    }

    fn try_call_in<P: WasmParams, R: WasmResults>(
        &mut self,
        generation: GenerationId,
        name: &str,
        parameters: P,
    ) -> wasmtime::Result<R> {
        if let Some(steps) = self.steps {
            self.store.set_fuel(steps)?;
        }
        let instance = self.generations[generation.index()].instance;
        instance.get_typed_func::<P, R>(&mut self.store, name)?.call(&mut self.store, parameters)
    }

    /// What linking a generation did.
    pub fn report(&self, generation: GenerationId) -> &link::LinkReport {
        &self.generations[generation.index()].report
    }

    /// Bytes of the mod's memory, for looking at live state from outside.
    pub fn memory(&self) -> &[u8] {
        self.memory.data(&self.store)
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}
