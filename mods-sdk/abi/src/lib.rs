//! What a game's contract crate compiles against, on both sides of the wasm boundary.
//!
//! A contract crate puts [`macro@hooks`], [`macro@host`] and [`macro@Payload`] on plain Rust traits and
//! types. The code that those macros write calls this crate: the wire format ([`codec`]), structural
//! shapes and fingerprints ([`shape`]), and, for servers, the seam to the runtime
//! ([`HookCaller`], [`HostFunctions`], [`Contract`]). It knows neither wasmtime nor how a mod is loaded.
//!
//! **Invariant:** nothing here names the runtime, the linker or the SDK.

pub mod codec;
pub mod limits;
pub mod shape;

mod ids;
mod payload;
mod scalar;
mod signature;

#[cfg(target_arch = "wasm32")]
pub mod guest;

#[cfg(not(target_arch = "wasm32"))]
mod host;

pub use codec::CodecError;
pub use ids::PlayerId;
pub use payload::Payload;
pub use scalar::{Scalar, ScalarError, ScalarType};
pub use tickswap_macros::{Payload, hooks, host};

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

/// What the macros' code names and nobody else should. May change in any version.
#[doc(hidden)]
pub mod generated {
    pub use crate::{
        shape::{Field, Fields, Shape, Variant},
        signature::{Parameter, Signature, as_array, as_text, interface_id},
    };

    #[cfg(not(target_arch = "wasm32"))]
    pub use crate::host::client::{ask_all, ask_one, ask_one_if_offered, tell};
}
