//! What a game's contract crate compiles against, on both sides of the wasm boundary.
//!
//! A contract crate puts [`macro@hooks`], [`macro@host`] and [`macro@Payload`] on plain Rust traits and
//! types. The code that those macros write calls this crate: the wire format ([`codec`]), structural
//! shapes and fingerprints ([`shape`]), and, for servers, the seam to the runtime
//! ([`HookCaller`], [`HostFunctions`], [`Contract`]). It knows neither wasmtime nor how a mod is loaded.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tickswap_abi::{CallError, Contract, HookCaller, Payload, PlayerId};
//!
//! #[derive(Clone, Copy, Serialize, Deserialize, Payload)]
//! pub struct Input {
//!     pub dx: f32,
//!     pub dy: f32,
//! }
//!
//! #[tickswap_abi::hooks] // implemented by mods, called by the server
//! pub trait ArenaHooks {
//!     fn input(&mut self, player: PlayerId, input: Input);
//!     fn score(&self, player: PlayerId) -> u32;
//! }
//!
//! #[tickswap_abi::host] // implemented by the server, called by mods
//! pub trait ArenaHost {
//!     fn players_online(&self) -> u32; // a query: answered at once
//!     fn broadcast(&mut self, text: String); // an effect: queued until the tick commits
//! }
//!
//! pub fn contract() -> Contract {
//!     Contract::new("arena").with_hooks(&arena_hooks::INTERFACE).with_host(&arena_host::INTERFACE)
//! }
//!
//! // In the server: whatever can call hooks has a client of every hooks trait.
//! fn serve(tick: &mut impl HookCaller, player: PlayerId, input: Input) -> Result<u32, CallError> {
//!     tick.arena().input(player, input)?; // on every mod
//!     tick.arena().of("arena").score(player) // on one
//! }
//! # fn main() {}
//! ```
//!
//! **Invariant:** nothing here names the runtime, the linker or the SDK.

pub mod codec;
pub mod limits;
pub mod shape;

mod bytes;
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
    contract::{Contract, DeclaredHooks},
    descriptors::{
        HookDescriptor, HooksInterface, HostFunctionDescriptor, HostFunctionKind, HostInterface, ParameterPassing,
        ResultPassing,
    },
    functions::{EffectRef, HostCallError, HostFunctions, RawArguments},
    mismatch::{ContractMismatch, Disagreement, InterfaceKind, Place},
    mod_name::{ModName, ModNameError},
};

/// What the macros' code names and nobody else should. May change in any version.
#[doc(hidden)]
pub mod generated {
    pub use crate::{
        bytes::{Bytes, OwnedBytes},
        shape::{Field, Fields, Shape, Variant},
        signature::{Parameter, Signature, as_array, as_text, interface_id},
    };

    #[cfg(not(target_arch = "wasm32"))]
    pub use crate::host::client::{ask_all, ask_one, ask_one_if_offered, tell};
}
