//! Ways of undoing a tick's writes to a memory, reduced to what they cost: no WebAssembly, no runtime.
//!
//! The runtime has three of them (`runtime/src/engine/memory`); the others stay here so that the choice can be measured again
//! on another kernel. What the runtime's own costs in a tick is the second half of the bench.

pub(crate) mod copy;
pub(crate) mod guarded;
pub(crate) mod mapping;
pub(crate) mod pagemap;
pub(crate) mod private_mapping;
pub(crate) mod side_by_side;
pub(crate) mod userfault;
pub(crate) mod write_protection;

use std::io;

use guarded::{Guarded, KeptPages};
use userfault::Userfault;
use write_protection::WriteProtection;

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
    ("userfaultfd", |bytes| Ok(Box::new(Guarded::<Userfault>::new(bytes)?))),
    ("  pages kept", |bytes| Ok(Box::new(KeptPages::<Userfault>::new(bytes)?))),
    ("write protection", |bytes| Ok(Box::new(Guarded::<WriteProtection>::new(bytes)?))),
    ("  pages kept", |bytes| Ok(Box::new(KeptPages::<WriteProtection>::new(bytes)?))),
];

/// Nanoseconds of processor time that this thread has used: on a busy machine the clock also counts what others do.
pub(crate) fn thread_ns() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one `timespec`, which is there.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
