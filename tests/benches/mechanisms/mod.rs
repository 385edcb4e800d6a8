//! Ways of undoing a tick's writes to a memory, reduced to what they cost: no WebAssembly, no runtime.
//!
//! The runtime has one of them (`runtime/src/engine/memory`); the others stay here so that the choice can be measured again
//! on another kernel. What the runtime's own costs in a tick is the second half of the bench.

pub(crate) mod copy;
pub(crate) mod mapping;
pub(crate) mod pagemap;
pub(crate) mod private_mapping;
pub(crate) mod side_by_side;
pub(crate) mod userfault;
pub(crate) mod write_protection;

use std::io;

/// Bytes of a page that the processor protects. The bench is for systems with pages of this size.
pub(crate) const PAGE: usize = 4096;

/// A memory whose writes since `begin` can be kept or undone.
pub(crate) trait Mechanism {
    /// The start of the memory.
    fn base(&mut self) -> *mut u8;
    /// From here on writes can be undone.
    fn begin(&mut self) -> io::Result<()>;
    /// Keeps what was written.
    fn commit(&mut self) -> io::Result<()>;
    /// Undoes what was written.
    fn roll_back(&mut self) -> io::Result<()>;
}

/// How a mechanism makes a memory of so many bytes that is filled with ones.
pub(crate) type Make = fn(usize) -> io::Result<Box<dyn Mechanism>>;

/// The names in the table, and how each is made.
pub(crate) const ALL: &[(&str, Make)] = &[
    ("copy", |bytes| Ok(Box::new(copy::Copy::new(bytes)?))),
    ("private mapping", |bytes| Ok(Box::new(private_mapping::PrivateMapping::new(bytes)?))),
    ("pagemap scan", |bytes| Ok(Box::new(pagemap::PagemapScan::new(bytes)?))),
    ("userfaultfd", |bytes| Ok(Box::new(userfault::Userfault::new(bytes)?))),
    ("write protection", |bytes| Ok(Box::new(write_protection::WriteProtection::new(bytes)?))),
    ("  pages kept", |bytes| Ok(Box::new(write_protection::KeptPages::new(bytes)?))),
];
