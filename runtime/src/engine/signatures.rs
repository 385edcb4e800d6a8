//! The contract as wasm sees it: every hook and host function with a position and its wasm types.
//!
//! Positions count through all traits of one kind. They are resolved once, at load, and never change.

use tickswap_abi::{
    Contract, HookDescriptor, HookRef, HooksInterface, HostFunctionDescriptor, HostFunctionKind, HostInterface,
    ParameterPassing, ResultPassing, ScalarType,
};
use tickswap_linker::image::{FunctionType, ValueType};

use super::EngineError;

/// A hook of the contract.
#[derive(Debug)]
pub(crate) struct HookSignature {
    /// The hooks trait.
    pub(crate) interface: &'static HooksInterface,
    /// What the macros say about it.
    pub(crate) descriptor: &'static HookDescriptor,
    /// The types its export must have.
    pub(crate) wasm: FunctionType,
}

/// A host function of the contract.
#[derive(Debug)]
pub(crate) struct HostSignature {
    /// The host trait.
    pub(crate) interface: &'static HostInterface,
    /// Position of the trait in the contract.
    pub(crate) interface_position: usize,
    /// Index of the function in the trait.
    pub(crate) index: usize,
    /// What the macros say about it.
    pub(crate) descriptor: &'static HostFunctionDescriptor,
    /// The types its import must have.
    pub(crate) wasm: FunctionType,
}

/// A contract with positions and wasm types.
#[derive(Debug)]
pub(crate) struct Signatures {
    contract: Contract,
    /// Per hooks trait its id and the position of its first hook.
    hook_starts: Vec<(u64, usize)>,
    hooks: Vec<HookSignature>,
    host_functions: Vec<HostSignature>,
}

impl Signatures {
    /// Gives every function of the contract its position.
    pub(crate) fn new(contract: Contract) -> Result<Self, EngineError> {
        let refused = |reason: String| EngineError::Contract { contract: contract.name, reason };
        let mut hook_starts: Vec<(u64, usize)> = Vec::new();
        let mut hooks = Vec::new();
        for &interface in &contract.hooks {
            if hook_starts.iter().any(|(id, _)| *id == interface.id) {
                return Err(refused(format!("{} was added twice", interface.name)));
            }
            hook_starts.push((interface.id, hooks.len()));
            hooks.extend(interface.hooks.iter().map(|descriptor| HookSignature {
                interface,
                descriptor,
                wasm: hook_type(descriptor),
            }));
        }
        let mut host_functions: Vec<HostSignature> = Vec::new();
        for (interface_position, &interface) in contract.host.iter().enumerate() {
            let name = interface.name;
            if name == "tickswap" || name == super::shell::MODULE {
                return Err(refused(format!("the name {name} belongs to the runtime")));
            }
            if contract.host[..interface_position].iter().any(|earlier| earlier.name == name) {
                return Err(refused(format!("two host traits have the name {name}")));
            }
            for (index, descriptor) in interface.functions.iter().enumerate() {
                if descriptor.kind == HostFunctionKind::Effect && descriptor.result != ResultPassing::Nothing {
                    let function = descriptor.name;
                    return Err(refused(format!(
                        "the effect {name}::{function} has a result; effects are queued and answer nothing"
                    )));
                }
                host_functions.push(HostSignature {
                    interface,
                    interface_position,
                    index,
                    descriptor,
                    wasm: host_function_type(descriptor),
                });
            }
        }
        Ok(Self { contract, hook_starts, hooks, host_functions })
    }

    /// The contract itself.
    pub(crate) fn contract(&self) -> &Contract {
        &self.contract
    }

    /// Position of a hook, or `None` if the contract lacks it.
    #[inline]
    pub(crate) fn hook_position(&self, hook: HookRef) -> Option<usize> {
        let (_, start) = self.hook_starts.iter().find(|(id, _)| *id == hook.interface.id)?;
        let position = start + hook.index;
        // An index beyond its own trait would reach into the next one.
        (hook.index < hook.interface.hooks.len() && position < self.hooks.len()).then_some(position)
    }

    /// All hooks by position.
    pub(crate) fn hooks(&self) -> &[HookSignature] {
        &self.hooks
    }

    /// All host functions by position.
    pub(crate) fn host_functions(&self) -> &[HostSignature] {
        &self.host_functions
    }

    /// Position of a host function by its import names.
    pub(crate) fn host_function(&self, module: &str, field: &str) -> Option<usize> {
        self.host_functions.iter().position(|f| f.interface.name == module && f.descriptor.name == field)
    }
}

fn hook_type(hook: &HookDescriptor) -> FunctionType {
    FunctionType {
        parameters: match hook.parameters {
            ParameterPassing::Scalars(types) => types.iter().map(|t| value_type(*t)).collect(),
            ParameterPassing::Encoded => vec![ValueType::I32],
        },
        results: match hook.result {
            ResultPassing::Nothing => vec![],
            ResultPassing::Scalar(scalar) => vec![value_type(scalar)],
            ResultPassing::Encoded => vec![ValueType::I64],
        },
    }
}

fn host_function_type(function: &HostFunctionDescriptor) -> FunctionType {
    FunctionType {
        parameters: match function.parameters {
            ParameterPassing::Scalars(types) => types.iter().map(|t| value_type(*t)).collect(),
            ParameterPassing::Encoded => vec![ValueType::I32, ValueType::I32],
        },
        results: match function.result {
            ResultPassing::Nothing => vec![],
            ResultPassing::Scalar(scalar) => vec![value_type(scalar)],
            ResultPassing::Encoded => vec![ValueType::I32],
        },
    }
}

fn value_type(scalar: ScalarType) -> ValueType {
    match scalar {
        ScalarType::I32 => ValueType::I32,
        ScalarType::I64 => ValueType::I64,
        ScalarType::F32 => ValueType::F32,
        ScalarType::F64 => ValueType::F64,
    }
}
