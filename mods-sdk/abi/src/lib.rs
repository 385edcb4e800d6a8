//! What a game's contract crate compiles against, on both sides of the wasm boundary.
//!
//! A contract crate puts `hooks`, `host` and `Payload` on plain Rust traits and
//! types. The code that those macros write calls this crate: the wire format ([`codec`]), structural
//! shapes and fingerprints, and, for servers, the seam to the runtime
//! ([`HookCaller`], [`HostFunctions`], [`Contract`]). It knows neither wasmtime nor how a mod is loaded.
//!
//! **Invariant:** nothing here names the runtime, the linker or the SDK.

pub mod codec;
pub mod limits;

mod ids;
mod scalar;

#[cfg(not(target_arch = "wasm32"))]
mod host;

pub use codec::CodecError;
pub use ids::PlayerId;
pub use scalar::{Scalar, ScalarError, ScalarType};

#[cfg(not(target_arch = "wasm32"))]
pub use host::{
    answers::{AnswerBuffer, Answers, RawAnswer},
    caller::{Arguments, CallError, HookCaller, HookRef, Target},
    contract::{Contract, ContractMismatch, DeclaredHooks, Disagreement, InterfaceKind, Place},
    descriptors::{
        HookDescriptor, HooksInterface, HostFunctionDescriptor, HostFunctionKind, HostInterface,
        ParameterPassing, ResultPassing,
    },
    functions::{EffectRef, HostCallError, HostFunctions, RawArguments},
    mod_name::{ModName, ModNameError},
};
