//! Hand-made linked modules, for tests of this floor and those above. No linker and no mod build is involved.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tickswap_abi::{
    AnswerBuffer, Contract, HookDescriptor, HookRef, HooksInterface, HostCallError, HostFunctionDescriptor,
    HostFunctionKind, HostFunctions, HostInterface, ParameterPassing, RawArguments, ResultPassing, ScalarType,
};
use tickswap_linker::{GenerationId, PieceId, link::Piece};
use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind, ExportSection, Function,
    FunctionSection, GlobalType, ImportSection, Instruction as I, MemArg, MemoryType, Module, RefType, TableType,
    TypeSection, ValType,
};

use super::{CodeSource, Compiled, Engine, EngineError, EngineOptions, HostSide, compile::Layout};

const fn hook(
    name: &'static str,
    export: &'static str,
    parameters: ParameterPassing,
    result: ResultPassing,
    optional: bool,
) -> HookDescriptor {
    HookDescriptor { name, export, signature: name, fingerprint: 0, parameters, result, optional }
}

const NONE: ParameterPassing = ParameterPassing::Scalars(&[]);
const ONE: ParameterPassing = ParameterPassing::Scalars(&[ScalarType::I32]);
const NUMBER: ResultPassing = ResultPassing::Scalar(ScalarType::I32);

/// `add` queues an effect, asks `limit`, and adds its argument times what slot 1 answers to the state.
pub(crate) static HOOKS: HooksInterface = HooksInterface {
    name: "TestHooks",
    id: 0x1111,
    hooks: &[
        hook("add", "test_add", ONE, ResultPassing::Nothing, false),
        hook("total", "test_total", NONE, NUMBER, false),
        hook("echo", "test_echo", ParameterPassing::Encoded, ResultPassing::Encoded, false),
        hook("stack", "test_stack", NONE, NUMBER, false),
        hook("clear", "test_clear", NONE, ResultPassing::Nothing, true),
    ],
};

pub(crate) static HOST: HostInterface = HostInterface {
    name: "TestHost",
    id: 0x2222,
    functions: &[
        HostFunctionDescriptor {
            name: "limit",
            signature: "limit",
            fingerprint: 0,
            kind: HostFunctionKind::Query,
            parameters: NONE,
            result: NUMBER,
        },
        HostFunctionDescriptor {
            name: "said",
            signature: "said",
            fingerprint: 0,
            kind: HostFunctionKind::Effect,
            parameters: ONE,
            result: ResultPassing::Nothing,
        },
    ],
};

pub(crate) const ADD: HookRef = reference(0);
pub(crate) const TOTAL: HookRef = reference(1);
pub(crate) const ECHO: HookRef = reference(2);
pub(crate) const STACK: HookRef = reference(3);
pub(crate) const CLEAR: HookRef = reference(4);

const fn reference(index: usize) -> HookRef {
    HookRef { interface: &HOOKS, index }
}

pub(crate) fn contract() -> Contract {
    Contract::new("test").with_hooks(&HOOKS).with_host(&HOST)
}

/// An argument of `add` that makes the mod panic after it has queued its effect and moved its stack pointer.
pub(crate) const FATAL: u64 = 666;
/// An argument of `add` for which the host's `limit` panics.
pub(crate) const STACK_SIZE: u32 = 0x1_0000;
/// What the state is worth after a cold start: 7 by its image and 1000 by `tickswap_start`.
pub(crate) const STARTED: u64 = 1007;
const STATE: u32 = 0x2_0000;
const BUFFER: u32 = 0x3_0000;
const MESSAGE: u32 = 0x2_1000;

/// Answers `limit` with a number, or panics.
pub(crate) struct TestHost(pub(crate) Option<u32>);

impl HostFunctions for TestHost {
    fn interface(&self) -> &'static HostInterface {
        &HOST
    }

    fn answer(&self, _: usize, _: RawArguments<'_>, answer: &mut AnswerBuffer) -> Result<(), HostCallError> {
        answer.put_scalar(self.0.expect("the server has a bug"));
        Ok(())
    }
}

/// What a hand-made generation is like.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) generation: u32,
    /// The slots it owns; in each stands a function that answers `factor`.
    pub(crate) slots: Vec<u32>,
    pub(crate) factor: i32,
    pub(crate) table_size: u32,
    pub(crate) start_traps: bool,
    /// Its `test_add` panics for every argument, as it does for [`FATAL`].
    pub(crate) add_traps: bool,
    pub(crate) has_clear: bool,
    /// Parameters of its `test_add` beyond what the contract says.
    pub(crate) odd_type: bool,
    pub(crate) import: &'static str,
}

impl Sample {
    pub(crate) fn new(generation: u32, slots: &[u32], factor: i32) -> Self {
        Self {
            generation,
            slots: slots.to_vec(),
            factor,
            table_size: slots.iter().max().map_or(2, |slot| slot + 1).max(2),
            start_traps: false,
            add_traps: false,
            has_clear: false,
            odd_type: false,
            import: "limit",
        }
    }

    pub(crate) fn compile<H: HostSide>(&self, engine: &Engine<H>) -> Result<Arc<Compiled>, EngineError> {
        engine.compile(CodeSource {
            generation: GenerationId::new(self.generation),
            module: self.module(),
            layout: Layout {
                pieces: vec![
                    piece(0, STATE, &[7, 0, 0, 0]),
                    piece(1, MESSAGE, b"went wrong"),
                    piece(1 + self.generation, 0x2_2000 + 64 * self.generation, b"own"),
                ],
                slots: self.slots.clone(),
                table_size: self.table_size,
                stack_size: STACK_SIZE,
            },
        })
    }

    fn module(&self) -> Vec<u8> {
        let i32 = ValType::I32;
        let mut types = TypeSection::new();
        types.ty().function([], []);
        types.ty().function([i32], []);
        types.ty().function([], [i32]);
        types.ty().function([i32], [i32]);
        types.ty().function([i32], [ValType::I64]);
        types.ty().function([i32, i32], []);
        let mut imports = ImportSection::new();
        let shell = "tickswap.shell";
        imports.import(shell, "memory", memory());
        imports.import(shell, "stack_pointer", GlobalType { val_type: i32, mutable: true, shared: false });
        imports.import(shell, "table", table(self.table_size));
        imports.import("TestHost", self.import, EntityType::Function(2));
        imports.import("TestHost", "said", EntityType::Function(1));
        imports.import("tickswap", "panic", EntityType::Function(5));
        let mut functions = FunctionSection::new();
        let add_type = if self.odd_type { 5 } else { 1 };
        for ty in [0, 3, add_type, 2, 4, 2, 0, 2] {
            functions.function(ty);
        }
        let mut exports = ExportSection::new();
        let names = ["tickswap_start", "tickswap_buffer", "test_add", "test_total", "test_echo", "test_stack"];
        for (index, name) in (3..).zip(names) {
            exports.export(name, ExportKind::Func, index);
        }
        if self.has_clear {
            exports.export("test_clear", ExportKind::Func, 9);
        }
        let mut elements = ElementSection::new();
        for slot in &self.slots {
            let offset = ConstExpr::i32_const(*slot as i32);
            elements.active(None, &offset, Elements::Functions(vec![10].into()));
        }
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&exports);
        module.section(&elements).section(&self.code());
        module.finish()
    }

    fn code(&self) -> CodeSection {
        let state = || I::I32Const(STATE as i32);
        let load = I::I32Load(at());
        let mut code = CodeSection::new();
        let start = [state(), state(), load.clone(), I::I32Const(1000), I::I32Add, I::I32Store(at())];
        let trap: &[I<'_>] = if self.start_traps { &[I::Unreachable] } else { &[] };
        body(&mut code, &[&start, trap]);
        body(&mut code, &[&[I::I32Const(BUFFER as i32)]]);
        let message = [I::I32Const(MESSAGE as i32), I::I32Const(10), I::Call(2), I::Unreachable];
        let move_stack = |by| [I::GlobalGet(0), I::I32Const(by), I::I32Add, I::GlobalSet(0)];
        body(
            &mut code,
            &[
                &move_stack(-16),
                &[I::LocalGet(0), I::Call(1), I::Call(0), I::Drop],
                &[I::LocalGet(0), I::I32Const(FATAL as i32), I::I32Eq, I::I32Const(i32::from(self.add_traps))],
                &[I::I32Or, I::If(BlockType::Empty)],
                &message,
                &[I::End, state(), state(), load.clone(), I::LocalGet(0), I::I32Const(1)],
                &[I::CallIndirect { type_index: 2, table_index: 0 }, I::I32Mul, I::I32Add, I::I32Store(at())],
                &move_stack(16),
            ],
        );
        body(&mut code, &[&[state(), load]]);
        let answer = [I::I64Const(i64::from(BUFFER) << 32), I::LocalGet(0), I::I64ExtendI32U, I::I64Or];
        body(&mut code, &[&answer]);
        body(&mut code, &[&[I::GlobalGet(0)]]);
        body(&mut code, &[&[state(), I::I32Const(0), I::I32Store(at())]]);
        body(&mut code, &[&[I::I32Const(self.factor)]]);
        code
    }
}

fn body(code: &mut CodeSection, parts: &[&[I<'_>]]) {
    let mut function = Function::new([]);
    for instruction in parts.iter().copied().flatten() {
        function.instruction(instruction);
    }
    function.instruction(&I::End);
    code.function(&function);
}

fn at() -> MemArg {
    MemArg { offset: 0, align: 2, memory_index: 0 }
}

fn memory() -> MemoryType {
    MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None }
}

fn table(minimum: u32) -> TableType {
    TableType {
        element_type: RefType::FUNCREF,
        table64: false,
        minimum: u64::from(minimum),
        maximum: None,
        shared: false,
    }
}

fn piece(id: u32, address: u32, bytes: &[u8]) -> Piece {
    Piece { id: PieceId(id), address, bytes: bytes.into(), fresh: true }
}

/// A host side for tests that call no hooks.
struct Nobody;

impl HostSide for Nobody {
    fn query(&mut self, _: usize, _: RawArguments<'_>, _: &mut AnswerBuffer) -> Result<(), String> {
        Ok(())
    }

    fn effect(&mut self, _: usize, _: RawArguments<'_>) -> Result<(), String> {
        Ok(())
    }

    fn log(&mut self, _: u32, _: &str) {}
}

fn engine() -> Engine<Nobody> {
    Engine::new(contract(), &crate::limits::Limits::default(), EngineOptions::default()).unwrap()
}

#[test]
fn an_import_that_the_server_lacks_is_named_with_what_there_is() {
    let mut sample = Sample::new(1, &[1], 1);
    sample.import = "teleport";
    let message = sample.compile(&engine()).unwrap_err().to_string();
    assert!(message.contains("TestHost.teleport"), "{message}");
    assert!(message.contains("TestHost: limit, said"), "{message}");
}

#[test]
fn a_hook_of_other_types_is_refused_with_both() {
    let mut sample = Sample::new(1, &[1], 1);
    sample.odd_type = true;
    let message = sample.compile(&engine()).unwrap_err().to_string();
    assert!(message.contains("export test_add"), "{message}");
    assert!(message.contains("expected (i32) -> ()"), "{message}");
    assert!(message.contains("found (i32, i32) -> ()"), "{message}");
}

#[test]
fn an_effect_with_a_result_is_no_contract() {
    static WRONG: HostInterface = HostInterface {
        name: "Wrong",
        id: 1,
        functions: &[HostFunctionDescriptor {
            name: "both",
            signature: "both",
            fingerprint: 0,
            kind: HostFunctionKind::Effect,
            parameters: NONE,
            result: NUMBER,
        }],
    };
    let limits = crate::limits::Limits::default();
    let contract = Contract::new("test").with_host(&WRONG);
    let error = Engine::<Nobody>::new(contract, &limits, EngineOptions::default()).err().unwrap();
    assert!(error.to_string().contains("Wrong::both"), "{error}");
}
