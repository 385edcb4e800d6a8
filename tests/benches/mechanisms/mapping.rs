//! A piece of address space, and the pages in it that a tick touched.

use std::io;
use std::ptr::null_mut;

use super::PAGE;

/// A mapping that goes when it is dropped.
pub(crate) struct Mapping {
    pub(crate) base: *mut u8,
    pub(crate) bytes: usize,
}

impl Mapping {
    /// Anonymous memory, of zeros.
    pub(crate) fn anonymous(bytes: usize) -> io::Result<Self> {
        Self::new(bytes, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE, -1)
    }

    /// A mapping of a file, or of none.
    pub(crate) fn new(bytes: usize, flags: i32, file: i32) -> io::Result<Self> {
        // SAFETY: a new mapping at an address that the kernel chooses touches nothing that exists.
        let base = unsafe { libc::mmap(null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, file, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { base: base.cast(), bytes })
    }

    /// Writes to every page, so that it exists.
    pub(crate) fn fill(&self) {
        // SAFETY: the whole mapping can be written and belongs to this value.
        unsafe { self.base.write_bytes(1, self.bytes) };
    }

    /// Allows or forbids writing to some pages.
    pub(crate) fn protect(&self, pages: std::ops::Range<usize>, protection: i32) -> io::Result<()> {
        // SAFETY: the pages lie in this mapping, which nobody else uses.
        let done = unsafe { libc::mprotect(self.page(pages.start).cast(), pages.len() * PAGE, protection) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// Drops the pages' contents.
    pub(crate) fn drop_pages(&self, pages: std::ops::Range<usize>) -> io::Result<()> {
        // SAFETY: the pages lie in this mapping, which nobody else uses.
        let done = unsafe { libc::madvise(self.page(pages.start).cast(), pages.len() * PAGE, libc::MADV_DONTNEED) };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// The address of a page.
    pub(crate) fn page(&self, number: usize) -> *mut u8 {
        assert!(number * PAGE <= self.bytes, "page {number} lies outside");
        // SAFETY: inside of the mapping or at its end.
        unsafe { self.base.add(number * PAGE) }
    }

    /// Copies pages to the same places of another mapping.
    pub(crate) fn copy_to(&self, other: &Self, pages: std::ops::Range<usize>) {
        // SAFETY: both mappings have the pages, and two mappings do not overlap.
        unsafe { self.page(pages.start).copy_to_nonoverlapping(other.page(pages.start), pages.len() * PAGE) };
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new` and is used no more.
        unsafe { libc::munmap(self.base.cast(), self.bytes) };
    }
}

/// Runs of neighbours in ascending page numbers.
pub(crate) fn runs(pages: &mut [usize]) -> Vec<std::ops::Range<usize>> {
    pages.sort_unstable();
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for &page in pages.iter() {
        match runs.last_mut() {
            Some(run) if run.end == page => run.end += 1,
            _ => runs.push(page..page + 1),
        }
    }
    runs
}
