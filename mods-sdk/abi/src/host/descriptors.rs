//! What the macros say about a contract's traits: names, wasm-level passing, fingerprints. Data only.

use crate::ScalarType;

/// How the parameters of a hook or host function travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterPassing {
    /// One core wasm value each. Also the form of a function without parameters.
    Scalars(&'static [ScalarType]),
    /// All together, as one encoded tuple in the guest's buffer.
    Encoded,
}

/// How a result travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultPassing {
    /// There is none.
    Nothing,
    /// As one core wasm value.
    Scalar(ScalarType),
    /// Encoded in the guest's buffer: a hook returns address and length in one `i64` (address in the
    /// upper half), a query returns the length as `i32` and the guest fetches the bytes with `take_answer`.
    Encoded,
}

/// One hook of a hooks trait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HookDescriptor {
    /// The method's name.
    pub name: &'static str,
    /// The wasm export that mods offer it as.
    pub export: &'static str,
    /// The signature in words, with the shapes of its payload types.
    pub signature: &'static str,
    /// Structural hash of the signature.
    pub fingerprint: u64,
    /// How its parameters travel.
    pub parameters: ParameterPassing,
    /// How its result travels.
    pub result: ResultPassing,
    /// Whether a mod that implements the trait may lack it.
    pub optional: bool,
}

/// One hooks trait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HooksInterface {
    /// The trait's name.
    pub name: &'static str,
    /// Hash of the contract crate's name and the trait's name.
    pub id: u64,
    /// Its hooks in the order they are written.
    pub hooks: &'static [HookDescriptor],
}

/// Whether a host function answers or acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostFunctionKind {
    /// `&self`: answered at once.
    Query,
    /// `&mut self`: queued until the tick commits; returns nothing.
    Effect,
}

/// One host function of a host trait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostFunctionDescriptor {
    /// The method's name; also the field of the wasm import, whose module is the trait's name.
    pub name: &'static str,
    /// The signature in words, with the shapes of its payload types.
    pub signature: &'static str,
    /// Structural hash of the signature.
    pub fingerprint: u64,
    /// Query or effect.
    pub kind: HostFunctionKind,
    /// How its parameters travel.
    pub parameters: ParameterPassing,
    /// How its result travels.
    pub result: ResultPassing,
}

/// One host trait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostInterface {
    /// The trait's name; also the module of its wasm imports.
    pub name: &'static str,
    /// Hash of the contract crate's name and the trait's name.
    pub id: u64,
    /// Its functions in the order they are written.
    pub functions: &'static [HostFunctionDescriptor],
}
