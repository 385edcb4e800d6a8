//! Address space of one memory whose pages can be protected against writing, in one of two ways.
//!
//! The heap's pages by [`Userfault`] where the system permits it: half as dear, no mapping is split, and threads of other worlds
//! do not wait. All others by changing mappings: the image area, of which most is never touched, would need page tables for
//! nothing, and its busy pages stay writable anyway.

use std::{io, ops::Range};

use tickswap_linker::limits::IMAGE_AREA_BYTES;

use super::{mapping::Mapping, userfault::Userfault};

/// See the module.
#[derive(Debug)]
pub(super) struct Guarded {
    mapping: Mapping,
    userfault: Option<&'static Userfault>,
    /// Pages from here on are the userfaultfd's.
    mapped_end: usize,
}

impl Guarded {
    /// Reserves so many bytes of address space. Nothing is accessible.
    pub(super) fn reserve(bytes: usize, userfault: Option<&'static Userfault>) -> io::Result<Self> {
        let mut guarded = Self { mapping: Mapping::reserve(bytes)?, userfault: None, mapped_end: usize::MAX };
        let image_end = IMAGE_AREA_BYTES as usize;
        if let Some(userfault) = userfault.filter(|_| image_end < bytes) {
            // The whole rest, what never becomes accessible as well: another end would be another mapping.
            userfault
                .register(guarded.at(image_end), bytes.next_multiple_of(rustix::param::page_size()) - image_end)?;
            (guarded.userfault, guarded.mapped_end) = (Some(userfault), image_end);
        }
        Ok(guarded)
    }

    /// Where it begins.
    pub(super) fn base(&self) -> *mut u8 {
        self.mapping.base()
    }

    /// The end of the pages whose protection splits mappings.
    pub(super) fn mapped_end(&self) -> usize {
        self.mapped_end
    }

    /// Makes pages accessible for the first time, or again after they were given back; they can be written.
    pub(super) fn make_accessible(&self, bytes: Range<usize>) -> io::Result<()> {
        self.mapping.allow_writing(bytes)
    }

    /// Lets accessible pages be read and written.
    pub(super) fn allow_writing(&self, bytes: Range<usize>) -> io::Result<()> {
        self.protect_heap(&bytes, false)?;
        self.mapping.allow_writing(bytes.start..bytes.end.min(self.mapped_end))
    }

    /// Lets accessible pages be read only.
    pub(super) fn forbid_writing(&self, bytes: Range<usize>) -> io::Result<()> {
        self.protect_heap(&bytes, true)?;
        self.mapping.forbid_writing(bytes.start..bytes.end.min(self.mapped_end))
    }

    /// Gives the pages back; they are zeros when they are next made accessible.
    pub(super) fn give_back(&self, bytes: Range<usize>) -> io::Result<()> {
        self.mapping.give_back(bytes)
    }

    /// Whether nobody took the protection away behind this module's back.
    pub(super) fn is_intact(&self) -> bool {
        self.userfault.is_none_or(|userfault| userfault.is_alive(self.at(self.mapped_end)))
    }

    fn protect_heap(&self, bytes: &Range<usize>, on: bool) -> io::Result<()> {
        let start = bytes.start.max(self.mapped_end);
        match self.userfault {
            Some(userfault) if start < bytes.end => userfault.protect(self.at(start), bytes.end - start, on),
            _ => Ok(()),
        }
    }

    fn at(&self, offset: usize) -> *mut u8 {
        self.base().wrapping_add(offset)
    }
}
