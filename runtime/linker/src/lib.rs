//! Reads, compares and links WebAssembly mod binaries into the memory of the running mod.
//!
//! A hotfix replaces functions, not data: [`image::read`] learns what a binary holds, [`compare::compare`] sets it
//! against every generation that ever lived in this process, [`verify::judge`] decides what may follow, and
//! [`link::place`] gives new code the addresses of the data that is already there. The crate is a plain library: it
//! names no WebAssembly engine, starts no thread and reads no clock, so the same code serves a server, a command line
//! and a test.
//!
//! Stages hand over values whose constructors are private, so that none can be skipped:
//! [`image::ModImage`] -> [`compare::Comparison`] -> [`verify::Verdict`] -> [`verify::Permit`] -> [`link::Linked`].

pub mod compare;
mod ids;
pub mod image;
pub mod limits;
pub mod lineage;
pub mod link;
pub mod residents;
pub mod verify;

pub use ids::{GenerationId, PieceId, SlotIndex};
pub use residents::Residents;
