//! Calling hooks: the trait that the runtime's ticks implement and that generated clients work on.

use super::{
    answers::RawAnswer,
    descriptors::{HookDescriptor, HooksInterface},
    mod_name::ModName,
};
use crate::codec::CodecError;

/// Something that can call hooks: the runtime's tick, or its view for one player.
pub trait HookCaller {
    /// Calls `hook` on the mods that `target` selects, in the server's order of mods.
    ///
    /// `answers` is called once per mod that was called, also for hooks without a result
    /// (with [`RawAnswer::Nothing`]). A mod without an optional hook is passed over in silence.
    /// With [`Target::Mod`], a mod that does not implement the interface is [`CallError::HookMissing`].
    fn call_hook(
        &mut self,
        target: Target<'_>,
        hook: HookRef,
        arguments: Arguments<'_>,
        answers: &mut dyn FnMut(&ModName, RawAnswer<'_>) -> Result<(), CallError>,
    ) -> Result<(), CallError>;
}

impl<C: HookCaller + ?Sized> HookCaller for &mut C {
    fn call_hook(
        &mut self,
        target: Target<'_>,
        hook: HookRef,
        arguments: Arguments<'_>,
        answers: &mut dyn FnMut(&ModName, RawAnswer<'_>) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        (**self).call_hook(target, hook, arguments, answers)
    }
}

/// Names one hook of one interface.
#[derive(Clone, Copy, Debug)]
pub struct HookRef {
    /// The trait.
    pub interface: &'static HooksInterface,
    /// The hook's index in [`HooksInterface::hooks`].
    pub index: usize,
}

impl HookRef {
    /// The hook's description. Generated code makes only references that have one.
    pub fn descriptor(&self) -> Option<&'static HookDescriptor> {
        self.interface.hooks.get(self.index)
    }
}

impl PartialEq for HookRef {
    fn eq(&self, other: &Self) -> bool {
        self.interface.id == other.interface.id && self.index == other.index
    }
}

impl Eq for HookRef {}

/// Which mods a hook is called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// Every mod that has the hook.
    All,
    /// The named mod.
    Mod(&'a str),
}

/// The arguments of one call. Encoding may be asked for once per mod.
#[derive(Clone, Copy)]
pub enum Arguments<'a> {
    /// Bit patterns, zero-extended to 64 bits.
    Scalars(&'a [u64]),
    /// Appends the encoded tuple of all arguments.
    Encode(&'a dyn Fn(&mut Vec<u8>) -> Result<(), CodecError>),
}

impl std::fmt::Debug for Arguments<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scalars(bits) => formatter.debug_tuple("Scalars").field(bits).finish(),
            Self::Encode(_) => formatter.write_str("Encode(..)"),
        }
    }
}

/// Why a hook gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No mod of this world has the name.
    #[error("no mod named {mod_name:?} is loaded in this world")]
    UnknownMod {
        /// The name that was asked for.
        mod_name: String,
    },
    /// The named mod does not implement the hook's trait.
    #[error("mod {mod_name} does not implement {interface}::{hook}")]
    HookMissing {
        /// The mod that was asked.
        mod_name: ModName,
        /// The hooks trait.
        interface: &'static str,
        /// The hook.
        hook: &'static str,
    },
    /// The contract given to the runtime lacks the hooks trait.
    #[error("{interface} is not part of the runtime's contract: add it with `Contract::with_hooks`")]
    UnknownInterface {
        /// The hooks trait.
        interface: &'static str,
    },
    /// The mod is paused in this world and is not called.
    #[error("mod {mod_name} is paused in this world: {reason}; activate another generation of it")]
    Paused {
        /// The mod that was asked.
        mod_name: ModName,
        /// Why it was paused.
        reason: String,
    },
    /// The mod trapped, panicked or ran out of its budget. The tick cannot commit any more.
    #[error("mod {mod_name} faulted: {message}")]
    Faulted {
        /// The mod that faulted.
        mod_name: ModName,
        /// What happened, with file and line when it was a panic.
        message: String,
    },
    /// Arguments or answer exceed a limit of the runtime.
    #[error("{what} of mod {mod_name} takes {bytes} bytes, at most {limit} are allowed")]
    TooLarge {
        /// The mod that was called.
        mod_name: ModName,
        /// Which of the call's values, such as "the answer of ArenaHooks::frame".
        what: String,
        /// Its size in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The mod's answer lies outside its memory or has another form than its contract says.
    #[error("mod {mod_name} answered {interface}::{hook} badly: {reason}")]
    BadAnswer {
        /// The mod that answered.
        mod_name: ModName,
        /// The hooks trait.
        interface: &'static str,
        /// The hook.
        hook: &'static str,
        /// What was expected and found.
        reason: CodecError,
    },
    /// The arguments could not be encoded.
    #[error("the arguments of a hook cannot be passed: {0}")]
    Codec(#[from] CodecError),
    /// The tick that was asked has already faulted and cannot call hooks any more.
    #[error("this tick has faulted and calls no more hooks; return the error so that it is undone")]
    TickOver,
}
