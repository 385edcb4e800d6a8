//! Host functions: what a mod's imports run. One wasm function per host function of the contract, and the SDK's own.
//!
//! They are the same for all mods and worlds; whom a call reaches is the [`HostSide`] that the world lends to the
//! mod's store for the length of a hook call.

use smallvec::SmallVec;
use tickswap_abi::{
    AnswerBuffer, CodecError, HostFunctionKind, ParameterPassing, RawAnswer, RawArguments, ResultPassing, ScalarType,
};
use tickswap_linker::image::{FunctionType, ValueType};
use wasmtime::{Caller, FuncType, Linker, Val, ValType};

use super::{Signatures, budget::Budget, limiter::StoreLimiter};
use crate::limits::{CALL_BYTES_MAX, LOG_LINE_BYTES_MAX, PANIC_MESSAGE_BYTES_MAX};

/// What answers a mod's queries, takes its effects and its log lines. An `Err` traps the mod with that message.
pub(crate) trait HostSide: Send + 'static {
    /// Answers the query at `function` into `answer`.
    fn query(&mut self, function: usize, arguments: RawArguments<'_>, answer: &mut AnswerBuffer) -> Result<(), String>;

    /// Queues the effect at `function`.
    fn effect(&mut self, function: usize, arguments: RawArguments<'_>) -> Result<(), String>;

    /// Takes a log line; 1 is an error, 5 a trace.
    fn log(&mut self, level: u32, text: &str);
}

/// What a mod's store carries beside wasm's own state.
pub(crate) struct GuestState<H> {
    /// Lent by the world while one of its hooks runs.
    pub(crate) host: Option<Box<H>>,
    /// The shell's memory; set right after the store is made.
    pub(crate) memory: Option<wasmtime::Memory>,
    /// What the mod said before it trapped.
    pub(crate) panic: Option<String>,
    pub(crate) limiter: StoreLimiter,
    pub(crate) budget: Budget,
    answer: AnswerBuffer,
}

impl<H> GuestState<H> {
    /// State of a store whose memory may grow to `memory_bytes_max`.
    pub(crate) fn new(memory_bytes_max: u64) -> Self {
        Self {
            host: None,
            memory: None,
            panic: None,
            limiter: StoreLimiter::new(memory_bytes_max),
            budget: Budget::default(),
            answer: AnswerBuffer::new(),
        }
    }
}

const SDK_MODULE: &str = "tickswap";

/// The SDK's imports, by position after the contract's.
pub(crate) fn sdk_functions() -> [(&'static str, FunctionType); 3] {
    let takes = |count: usize| FunctionType { parameters: vec![ValueType::I32; count], results: vec![] };
    [("log", takes(3)), ("panic", takes(2)), ("take_answer", takes(1))]
}

/// Index of an SDK import by its names.
pub(crate) fn sdk_function(module: &str, name: &str) -> Option<usize> {
    let functions = sdk_functions();
    functions.iter().position(|(known, _)| module == SDK_MODULE && *known == name)
}

/// Makes all host functions, once per engine.
pub(crate) fn functions<H: HostSide>(
    engine: &wasmtime::Engine,
    signatures: &Signatures,
) -> wasmtime::Result<Linker<GuestState<H>>> {
    let mut linker = Linker::new(engine);
    for (position, function) in signatures.host_functions().iter().enumerate() {
        let descriptor = function.descriptor;
        let shape =
            Shape { position, kind: descriptor.kind, parameters: descriptor.parameters, result: descriptor.result };
        let types = func_type(engine, &function.wasm);
        linker.func_new(function.interface.name, descriptor.name, types, move |caller, parameters, results| {
            shape.call(caller, parameters, results)
        })?;
    }
    linker.func_wrap(SDK_MODULE, "log", log::<H>)?;
    linker.func_wrap(SDK_MODULE, "panic", panic::<H>)?;
    linker.func_wrap(SDK_MODULE, "take_answer", take_answer::<H>)?;
    Ok(linker)
}

/// The functions that [`functions`] made, by position, in a store.
pub(crate) fn in_store<H: HostSide>(
    linker: &Linker<GuestState<H>>,
    store: &mut wasmtime::Store<GuestState<H>>,
    signatures: &Signatures,
) -> Option<Vec<wasmtime::Func>> {
    let own = signatures.host_functions().iter();
    let own = own.map(|function| (function.interface.name, function.descriptor.name));
    let sdk = sdk_functions().map(|(name, _)| (SDK_MODULE, name));
    own.chain(sdk).map(|(module, name)| linker.get(&mut *store, module, name).ok()?.into_func()).collect()
}

/// How one host function passes its values.
#[derive(Clone, Copy)]
struct Shape {
    position: usize,
    kind: HostFunctionKind,
    parameters: ParameterPassing,
    result: ResultPassing,
}

impl Shape {
    fn call<H: HostSide>(
        self,
        mut caller: Caller<'_, GuestState<H>>,
        parameters: &[Val],
        results: &mut [Val],
    ) -> wasmtime::Result<()> {
        let (memory, state) = memory_and_state(&mut caller)?;
        let host = state.host.as_mut().ok_or_else(no_host)?;
        let scalars: SmallVec<[u64; 8]>;
        let arguments = match (self.parameters, parameters) {
            (ParameterPassing::Scalars(_), values) => {
                scalars = values.iter().map(bits).collect();
                RawArguments::Scalars(&scalars)
            }
            (ParameterPassing::Encoded, [Val::I32(address), Val::I32(length)]) => {
                RawArguments::Encoded(slice(memory, *address, *length, CALL_BYTES_MAX)?)
            }
            (ParameterPassing::Encoded, _) => {
                return Err(refusal("expected an address and a length".to_owned()));
            }
        };
        match self.kind {
            HostFunctionKind::Effect => host.effect(self.position, arguments).map_err(refusal),
            HostFunctionKind::Query => {
                state.answer.clear();
                host.query(self.position, arguments, &mut state.answer).map_err(refusal)?;
                self.hand_over(state.answer.answer(), results)
            }
        }
    }

    fn hand_over(self, answer: RawAnswer<'_>, results: &mut [Val]) -> wasmtime::Result<()> {
        let value = match (self.result, answer) {
            (ResultPassing::Nothing, _) => return Ok(()),
            (ResultPassing::Scalar(scalar), RawAnswer::Scalar(bits)) => value(scalar, bits),
            (ResultPassing::Encoded, RawAnswer::Encoded(bytes)) if bytes.len() <= CALL_BYTES_MAX => {
                Val::I32(bytes.len() as i32)
            }
            (ResultPassing::Encoded, RawAnswer::Encoded(bytes)) => {
                return Err(refusal(format!(
                    "the server's answer takes {} bytes, at most {CALL_BYTES_MAX} are allowed (CALL_BYTES_MAX)",
                    bytes.len()
                )));
            }
            (expected, found) => {
                return Err(refusal(format!("the server's answer should be passed as {expected:?}, found {found:?}")));
            }
        };
        match results.first_mut() {
            Some(result) => *result = value,
            None => return Err(refusal("the import has no result".to_owned())),
        }
        Ok(())
    }
}

fn log<H: HostSide>(
    mut caller: Caller<'_, GuestState<H>>,
    level: i32,
    address: i32,
    length: i32,
) -> wasmtime::Result<()> {
    let (memory, state) = memory_and_state(&mut caller)?;
    let text = text(memory, address, length, LOG_LINE_BYTES_MAX)?;
    let host = state.host.as_mut().ok_or_else(no_host)?;
    host.log(level.cast_unsigned(), &text);
    Ok(())
}

fn panic<H: HostSide>(mut caller: Caller<'_, GuestState<H>>, address: i32, length: i32) -> wasmtime::Result<()> {
    let (memory, state) = memory_and_state(&mut caller)?;
    let text = text(memory, address, length, PANIC_MESSAGE_BYTES_MAX)?;
    state.panic = Some(text.into_owned());
    Ok(())
}

fn take_answer<H: HostSide>(mut caller: Caller<'_, GuestState<H>>, address: i32) -> wasmtime::Result<()> {
    let (memory, state) = memory_and_state(&mut caller)?;
    let RawAnswer::Encoded(answer) = state.answer.answer() else {
        return Err(refusal("take_answer was called without an encoded answer".to_owned()));
    };
    let start = address.cast_unsigned() as usize;
    let room = memory.get_mut(start..).and_then(|rest| rest.get_mut(..answer.len()));
    match room {
        Some(room) => room.copy_from_slice(answer),
        None => {
            return Err(refusal(format!(
                "take_answer: {} bytes at {start:#x} do not lie in the mod's memory",
                answer.len()
            )));
        }
    }
    Ok(())
}

fn memory_and_state<'a, H: HostSide>(
    caller: &'a mut Caller<'_, GuestState<H>>,
) -> wasmtime::Result<(&'a mut [u8], &'a mut GuestState<H>)> {
    let memory = caller.data().memory;
    let memory = memory.ok_or_else(|| refusal("the mod has no memory yet".to_owned()))?;
    Ok(memory.data_and_store_mut(caller))
}

/// A text of at most `limit` bytes; more is cut, and bytes that are no UTF-8 are replaced.
fn text(memory: &[u8], address: i32, length: i32, limit: usize) -> wasmtime::Result<std::borrow::Cow<'_, str>> {
    let length = length.cast_unsigned().min(limit as u32).cast_signed();
    slice(memory, address, length, limit).map(String::from_utf8_lossy)
}

fn slice(memory: &[u8], address: i32, length: i32, limit: usize) -> wasmtime::Result<&[u8]> {
    let (start, length) = (address.cast_unsigned() as usize, length.cast_unsigned() as usize);
    if length > limit {
        return Err(refusal(format!("the call carries {length} bytes, at most {limit} are allowed (CALL_BYTES_MAX)")));
    }
    memory.get(start..).and_then(|rest| rest.get(..length)).ok_or_else(|| {
        refusal(
            CodecError::Passing {
                expected: "arguments within the mod's memory",
                found: format!("{length} bytes at {start:#x}"),
            }
            .to_string(),
        )
    })
}

fn no_host() -> wasmtime::Error {
    refusal("a host function was called outside of a hook".to_owned())
}

fn refusal(message: String) -> wasmtime::Error {
    wasmtime::Error::msg(message)
}

fn bits(value: &Val) -> u64 {
    match value {
        Val::I32(value) => u64::from(value.cast_unsigned()),
        Val::I64(value) => value.cast_unsigned(),
        Val::F32(bits) => u64::from(*bits),
        Val::F64(bits) => *bits,
        // The contract's types hold the four above only.
        _ => 0,
    }
}

fn value(scalar: ScalarType, bits: u64) -> Val {
    match scalar {
        ScalarType::I32 => Val::I32((bits as u32).cast_signed()),
        ScalarType::I64 => Val::I64(bits.cast_signed()),
        ScalarType::F32 => Val::F32(bits as u32),
        ScalarType::F64 => Val::F64(bits),
    }
}

fn func_type(engine: &wasmtime::Engine, types: &FunctionType) -> FuncType {
    let convert = |value: &ValueType| match value {
        ValueType::I64 => ValType::I64,
        ValueType::F32 => ValType::F32,
        ValueType::F64 => ValType::F64,
        _ => ValType::I32,
    };
    FuncType::new(engine, types.parameters.iter().map(convert), types.results.iter().map(convert))
}
