//! Address space, and what may be done with its pages. All system calls about memory are here.

use std::{io, ops::Range, ptr::NonNull};

use rustix::mm::{Advice, MapFlags, MprotectFlags, ProtFlags, madvise, mmap_anonymous, mprotect, munmap};

/// A reservation of address space, zeros where it is made accessible. Goes when it is dropped.
#[derive(Debug)]
pub(super) struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: a mapping is address space that belongs to this value; it is tied to no thread.
unsafe impl Send for Mapping {}
// SAFETY: as above; its methods by shared reference are system calls. Contents are reached through `base` only, by `unsafe`.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Reserves so many bytes; nothing is accessible.
    pub(super) fn reserve(bytes: usize) -> io::Result<Self> {
        // SAFETY: a new mapping at an address that the kernel chooses touches nothing that exists.
        let base = unsafe {
            mmap_anonymous(
                std::ptr::null_mut(),
                bytes.max(1),
                ProtFlags::empty(),
                MapFlags::PRIVATE | MapFlags::NORESERVE,
            )
        }?;
        let base = NonNull::new(base.cast()).ok_or_else(|| io::Error::other("the kernel mapped address 0"))?;
        Ok(Self { base, bytes: bytes.max(1) })
    }

    /// Where it begins.
    pub(super) fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// Lets pages be read and written.
    pub(super) fn allow_writing(&self, bytes: Range<usize>) -> io::Result<()> {
        self.protect(bytes, MprotectFlags::READ | MprotectFlags::WRITE)
    }

    /// Lets pages be read only.
    pub(super) fn forbid_writing(&self, bytes: Range<usize>) -> io::Result<()> {
        self.protect(bytes, MprotectFlags::READ)
    }

    /// Gives the pages back; they are zeros when they are next made accessible.
    pub(super) fn give_back(&self, bytes: Range<usize>) -> io::Result<()> {
        if let Some((start, length)) = self.part(&bytes)? {
            // SAFETY: the pages lie in this mapping; whoever gives them back refers to them no more.
            unsafe { madvise(start, length, Advice::LinuxDontNeed) }?;
        }
        self.protect(bytes, MprotectFlags::empty())
    }

    fn protect(&self, bytes: Range<usize>, flags: MprotectFlags) -> io::Result<()> {
        if let Some((start, length)) = self.part(&bytes)? {
            // SAFETY: the pages lie in this mapping. Taking a right away makes later accesses fault, which is memory safe.
            unsafe { mprotect(start, length, flags) }?;
        }
        Ok(())
    }

    fn part(&self, bytes: &Range<usize>) -> io::Result<Option<(*mut std::ffi::c_void, usize)>> {
        if bytes.start >= bytes.end {
            return Ok(None);
        }
        if bytes.end > self.bytes {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: inside of the mapping, as was just compared.
        let start = unsafe { self.base.as_ptr().add(bytes.start) };
        Ok(Some((start.cast(), bytes.len())))
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: made by `reserve`, and nothing refers to it any more.
        if let Err(error) = unsafe { munmap(self.base.as_ptr().cast(), self.bytes) } {
            tracing::error!(target: "tickswap", %error, bytes = self.bytes, "memory cannot be unmapped");
        }
    }
}
