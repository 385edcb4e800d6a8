//! What the tests of the whole share: mods compiled from fixtures, a world without the runtime, the tidy checks.

pub mod fixtures;
pub mod live;
pub mod tidy;

/// The README's code, compiled as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
