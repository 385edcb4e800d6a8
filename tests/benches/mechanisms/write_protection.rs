//! `mprotect`: forbidding splits mappings, and a refused write raises `SIGSEGV`. Needs no privilege.

use std::io;
use std::ops::Range;

use super::guarded::Guard;
use super::mapping::Mapping;

/// See the module.
pub(crate) struct WriteProtection;

impl Guard for WriteProtection {
    const SIGNAL: i32 = libc::SIGSEGV;

    fn new(_: &Mapping) -> io::Result<Self> {
        Ok(Self)
    }

    fn protect(&self, memory: &Mapping, pages: Range<usize>, on: bool) -> io::Result<()> {
        memory.protect(pages, if on { libc::PROT_READ } else { libc::PROT_READ | libc::PROT_WRITE })
    }
}
