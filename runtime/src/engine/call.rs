//! Calling a mod's functions without wasmtime's per-call type checks.
//!
//! `Func::call` checks and boxes every value, and `TypedFunc` needs the types at compile time; a contract's hooks are
//! known at run time only. So types are compared once, when a generation is staged, and calls pass raw values.

use tickswap_linker::image::{FunctionType, ValueType};
use wasmtime::{AsContext, AsContextMut, Func, Instance, Store, ValRaw, ValType};

use super::EngineError;

/// Values of most calls. A frame of them is cheap to clear.
const VALUES_FEW: usize = 4;
/// Values that fit a call's frame on the host's stack; longer parameter lists use the heap.
const VALUES_INLINE: usize = 16;

/// A function of a mod whose wasm types were checked when it was resolved.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CheckedFunction {
    function: Func,
    parameters: usize,
    /// Values that a call needs room for: parameters, or the result in their place.
    values: usize,
    /// The result's bits of the first value; none without a result.
    result_mask: u64,
}

impl CheckedFunction {
    /// The export `name`, if its types are exactly `expected`. `Ok(None)` if there is no such export.
    pub(crate) fn resolve<T: 'static>(
        store: &mut Store<T>,
        instance: &Instance,
        name: &str,
        expected: &FunctionType,
    ) -> Result<Option<Self>, EngineError> {
        let Some(function) = instance.get_func(store.as_context_mut(), name) else {
            return Ok(None);
        };
        let found = function_type(&function.ty(store.as_context()));
        if found != *expected || expected.results.len() > 1 || has_references(expected) {
            return Err(EngineError::FunctionType {
                what: format!("export {name}"),
                expected: expected.to_string(),
                found: found.to_string(),
            });
        }
        let parameters = expected.parameters.len();
        let result_mask = match expected.results.first() {
            None => 0,
            // Narrower values are the low bytes; above them may be what is left of a parameter.
            Some(ValueType::I32 | ValueType::F32) => u64::from(u32::MAX),
            Some(_) => u64::MAX,
        };
        Ok(Some(Self { function, parameters, values: parameters.max(expected.results.len()), result_mask }))
    }

    /// Calls it with the bit patterns of its parameters; answers the bit pattern of its result, 0 if it has none.
    ///
    /// An error is a trap, or a list of another length than the function has parameters.
    #[inline]
    pub(crate) fn call<T: 'static>(&self, store: &mut Store<T>, arguments: &[u64]) -> wasmtime::Result<u64> {
        if arguments.len() != self.parameters {
            return Err(self.other_length(arguments));
        }
        if self.values <= VALUES_FEW {
            let mut values = [ValRaw::u64(0); VALUES_FEW];
            self.call_in(store, arguments, &mut values)
        } else {
            self.call_with_many(store, arguments)
        }
    }

    #[cold]
    fn other_length(&self, arguments: &[u64]) -> wasmtime::Error {
        wasmtime::Error::msg(format!("expected {} values, found {}", self.parameters, arguments.len()))
    }

    #[inline(never)]
    fn call_with_many<T: 'static>(&self, store: &mut Store<T>, arguments: &[u64]) -> wasmtime::Result<u64> {
        if self.values <= VALUES_INLINE {
            let mut values = [ValRaw::u64(0); VALUES_INLINE];
            self.call_in(store, arguments, &mut values)
        } else {
            let mut values = vec![ValRaw::u64(0); self.values];
            self.call_in(store, arguments, &mut values)
        }
    }

    #[inline]
    fn call_in<T: 'static>(
        &self,
        store: &mut Store<T>,
        arguments: &[u64],
        values: &mut [ValRaw],
    ) -> wasmtime::Result<u64> {
        for (value, bits) in values.iter_mut().zip(arguments) {
            // `ValRaw` is little endian: narrower values are the low bytes of the zero-extended pattern.
            *value = ValRaw::u64(*bits);
        }
        // SAFETY: `call_unchecked` wants room for parameters and results, holding values of the parameters'
        // types. `resolve`, the only constructor, compared the function's types with the expected ones and allowed
        // numbers alone, of which every bit pattern is a value; the callers gave at least `self.values` of them. The
        // function belongs to this store: wasmtime checks that itself and panics otherwise.
        unsafe { self.function.call_unchecked(store, values)? };
        Ok(values.first().map_or(0, |value| value.get_u64() & self.result_mask))
    }
}

fn has_references(expected: &FunctionType) -> bool {
    let types = expected.parameters.iter().chain(&expected.results);
    types.into_iter().any(|t| matches!(t, ValueType::Reference | ValueType::V128))
}

/// The wasm types of a function in the linker's words.
pub(crate) fn function_type(found: &wasmtime::FuncType) -> FunctionType {
    FunctionType {
        parameters: found.params().map(|t| value_type(&t)).collect(),
        results: found.results().map(|t| value_type(&t)).collect(),
    }
}

fn value_type(found: &ValType) -> ValueType {
    match found {
        ValType::I32 => ValueType::I32,
        ValType::I64 => ValueType::I64,
        ValType::F32 => ValueType::F32,
        ValType::F64 => ValueType::F64,
        ValType::V128 => ValueType::V128,
        ValType::Ref(_) => ValueType::Reference,
    }
}
