//! Host functions: the generated dispatchers that answer queries and apply effects.

use serde::de::DeserializeOwned;

use super::{
    answers::AnswerBuffer,
    descriptors::{HostFunctionDescriptor, HostInterface},
    mod_name::ModName,
};
use crate::codec::{self, CodecError};

/// Answers the queries of one host trait. Generated: `arena_host::answering(host)` for a trait `ArenaHost`.
pub trait HostFunctions: Send {
    /// The trait whose queries this answers.
    fn interface(&self) -> &'static HostInterface;

    /// Answers the query with index `function` in [`HostInterface::functions`] into `answer`.
    fn answer(
        &self,
        function: usize,
        arguments: RawArguments<'_>,
        answer: &mut AnswerBuffer,
    ) -> Result<(), HostCallError>;
}

/// The arguments of a host call as they crossed the boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawArguments<'a> {
    /// Bit patterns, zero-extended to 64 bits.
    Scalars(&'a [u64]),
    /// The encoded tuple of all arguments.
    Encoded(&'a [u8]),
}

impl<'a> RawArguments<'a> {
    /// Exactly `N` scalars.
    pub fn scalars<const N: usize>(self) -> Result<&'a [u64; N], CodecError> {
        let found = match self {
            Self::Scalars(bits) => match bits.try_into() {
                Ok(bits) => return Ok(bits),
                Err(_) => format!("{} scalars", bits.len()),
            },
            Self::Encoded(bytes) => format!("{} encoded bytes", bytes.len()),
        };
        Err(CodecError::Passing { expected: "one scalar per parameter", found })
    }

    /// The encoded tuple of all arguments.
    pub fn decode<T: DeserializeOwned>(self) -> Result<T, CodecError> {
        match self {
            Self::Encoded(bytes) => codec::decode(bytes),
            Self::Scalars(bits) => {
                Err(CodecError::Passing { expected: "encoded arguments", found: format!("{} scalars", bits.len()) })
            }
        }
    }
}

/// An effect that a committed tick hands out. Generated code applies it: `arena_host::apply(&effect, &mut host)`.
#[derive(Clone, Copy, Debug)]
pub struct EffectRef<'a> {
    /// The mod that asked for it.
    pub from: &'a ModName,
    /// The host trait.
    pub interface: &'static HostInterface,
    /// The function's index in [`HostInterface::functions`].
    pub function: usize,
    /// Its arguments.
    pub arguments: RawArguments<'a>,
}

impl EffectRef<'_> {
    /// The function's description, if the index names one.
    pub fn descriptor(&self) -> Option<&'static HostFunctionDescriptor> {
        self.interface.functions.get(self.function)
    }
}

/// Why a host function could not be called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostCallError {
    /// The effect belongs to another host trait.
    #[error("expected an effect of {expected}, found one of {found}")]
    WrongInterface {
        /// The trait that was to be applied.
        expected: &'static str,
        /// The trait that the effect names.
        found: &'static str,
    },
    /// The index names no query, or no effect, of the trait.
    #[error("{interface} has no {kind} with index {function}")]
    UnknownFunction {
        /// The host trait.
        interface: &'static str,
        /// "query" or "effect".
        kind: &'static str,
        /// The index.
        function: usize,
    },
    /// The arguments are not what the signature says.
    #[error("bad arguments of {interface}::{function}: {reason}")]
    Arguments {
        /// The host trait.
        interface: &'static str,
        /// The function.
        function: &'static str,
        /// What was expected and found.
        reason: CodecError,
    },
    /// The answer could not be encoded.
    #[error("the answer of {interface}::{function} cannot be passed: {reason}")]
    Answer {
        /// The host trait.
        interface: &'static str,
        /// The function.
        function: &'static str,
        /// What was expected and found.
        reason: CodecError,
    },
}
